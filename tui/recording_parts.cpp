#include "tui/recording_parts.h"

#include <fmt/core.h>

#include "base/error.h"
#include "base/text.h"
#include "ledger/names.h"

namespace rota::tui {

namespace {

using base::Error;
using base::ErrorKind;
using nlohmann::json;

[[noreturn]] void reject(const char* key, const char* problem) {
  throw Error(ErrorKind::corrupt, fmt::format("its \"{}\" {}", key, problem));
}

json to_json(const ledger::RunRow& run) {
  return {{"name", run.name},       {"chain", run.chain},
          {"kind", word(run.kind)}, {"time", base::iso(run.time)},
          {"files", run.files},     {"bytes", run.bytes},
          {"stored", run.stored},   {"warnings", run.warnings},
          {"seconds", run.seconds}};
}

ledger::RunRow run_of(const json& value, const std::string& profile) {
  ledger::RunRow run;
  run.profile = profile;
  run.name = text(value, "name");
  run.chain = text(value, "chain");
  run.kind = text(value, "kind") == word(ledger::RunKind::full) ? ledger::RunKind::full
                                                                : ledger::RunKind::increment;
  run.time = moment(value, "time");
  run.files = number(value, "files");
  run.bytes = number(value, "bytes");
  run.stored = number(value, "stored");
  run.warnings = number(value, "warnings");
  run.seconds = static_cast<std::int64_t>(number(value, "seconds"));
  return run;
}

json to_json(const ledger::VerifyRow& row) {
  return {{"time", base::iso(row.time)}, {"run", row.run},
          {"what", word(row.what)},      {"good", row.good},
          {"objects", row.objects},      {"bytes", row.bytes},
          {"problem", row.problem}};
}

ledger::VerifyRow verification_of(const json& value, const std::string& profile) {
  ledger::VerifyRow row;
  row.profile = profile;
  row.time = moment(value, "time");
  row.run = text(value, "run");
  const std::string what = text(value, "what");
  row.what = what == word(ledger::VerifyKind::data)     ? ledger::VerifyKind::data
             : what == word(ledger::VerifyKind::sample) ? ledger::VerifyKind::sample
                                                        : ledger::VerifyKind::listing;
  row.good = flag(value, "good");
  row.objects = number(value, "objects");
  row.bytes = number(value, "bytes");
  row.problem = text(value, "problem");
  return row;
}

}  // namespace

/// parse_span() takes any number.
base::Span span_of(const json& value, const char* key) {
  const std::string written = text(value, key);
  if (written.empty()) return {};
  base::Span span;
  try {
    span = base::parse_span(written);
  } catch (const Error&) {
    reject(key, "is no span of time");
  }
  constexpr std::int64_t kMostSeconds = 100LL * 366 * 24 * 3600;
  if (span.years > 100 || span.months > 1200 || span.days > 36'600 || span.seconds > kMostSeconds) {
    reject(key, "is too long a span of time");
  }
  return span;
}

std::string span_text(const base::Span& span) {
  return span == base::Span{} ? "" : base::to_string(span);
}

const json& part(const json& value, const char* key) {
  if (!value.is_object()) reject(key, "stands in no object");
  const auto found = value.find(key);
  if (found == value.end()) reject(key, "is missing");
  return *found;
}

std::string text(const json& value, const char* key, std::size_t most) {
  const json& found = part(value, key);
  if (!found.is_string()) reject(key, "is no text");
  auto written = found.get<std::string>();
  if (written.size() > most) reject(key, "is too long");
  return written;
}

std::uint64_t number(const json& value, const char* key) {
  const json& found = part(value, key);
  if (!found.is_number_unsigned() || found.get<std::uint64_t>() > std::uint64_t{1} << 53) {
    reject(key, "is no number that can be");
  }
  return found.get<std::uint64_t>();
}

bool flag(const json& value, const char* key) {
  const json& found = part(value, key);
  if (!found.is_boolean()) reject(key, "is neither true nor false");
  return found.get<bool>();
}

base::Instant moment(const json& value, const char* key) {
  const auto time = base::parse_iso(text(value, key));
  if (!time) reject(key, "is no time");
  return *time;
}

const json& list(const json& value, const char* key, std::size_t most) {
  const json& found = part(value, key);
  if (!found.is_array()) reject(key, "is no list");
  if (found.size() > most) reject(key, "is too long");
  return found;
}

std::vector<std::string> texts(const json& value, const char* key) {
  std::vector<std::string> all;
  for (const json& one : list(value, key)) {
    if (!one.is_string() || one.get_ref<const std::string&>().size() > kMostText) {
      reject(key, "holds something that is no text");
    }
    all.push_back(one.get<std::string>());
  }
  return all;
}

json to_json(const rotation::ProfileRows& profile) {
  json value = {{"profile", profile.profile},
                {"max_full_age", span_text(profile.policy.max_full_age)},
                {"max_age", span_text(profile.policy.max_age)},
                {"max_fulls_with_incrs", profile.policy.max_fulls_with_incrs},
                {"wrote", profile.wrote},
                {"runs", json::array()},
                {"verifications", json::array()}};
  for (const auto& run : profile.runs) value["runs"].push_back(to_json(run));
  for (const auto& row : profile.verifications) value["verifications"].push_back(to_json(row));
  return value;
}

rotation::ProfileRows profile_of(const json& value) {
  rotation::ProfileRows profile;
  profile.profile = text(value, "profile");
  if (!ledger::is_server_name(profile.profile)) reject("profile", "is no name of a profile");
  profile.policy.max_full_age = span_of(value, "max_full_age");
  profile.policy.max_age = span_of(value, "max_age");
  profile.policy.max_fulls_with_incrs =
      static_cast<int>(std::min<std::uint64_t>(number(value, "max_fulls_with_incrs"), 1'000'000));
  if (value.contains("wrote")) profile.wrote = flag(value, "wrote");  // older ones have none
  for (const json& run : list(value, "runs")) profile.runs.push_back(run_of(run, profile.profile));
  for (const json& row : list(value, "verifications")) {
    profile.verifications.push_back(verification_of(row, profile.profile));
  }
  return profile;
}

json to_json(const rotation::SetPolicy& set) {
  return {{"name", set.name},
          {"disks", set.disks},
          {"interval", span_text(set.interval)},
          {"servers", set.servers},
          {"transit", span_text(set.transit)},
          {"max_age", span_text(set.max_age)},
          {"keep", set.keep},
          {"replace_after", span_text(set.replace_after)}};
}

rotation::SetPolicy set_of(const json& value) {
  rotation::SetPolicy set;
  set.name = text(value, "name");
  set.disks = texts(value, "disks");
  set.interval = span_of(value, "interval");
  if (set.interval == base::Span{}) reject("interval", "is missing");
  set.servers = texts(value, "servers");
  set.transit = span_of(value, "transit");
  set.max_age = span_of(value, "max_age");
  set.keep = static_cast<int>(std::min<std::uint64_t>(number(value, "keep"), 1'000'000));
  set.replace_after = span_of(value, "replace_after");
  return set;
}

json to_json(const Job& job) {
  return {{"disk", job.disk},        {"drill", job.drill},
          {"pid", job.pid},          {"server", job.server},
          {"step", job.step},        {"state", job.state},
          {"detail", job.detail},    {"files", job.files},
          {"bytes", job.bytes},      {"total_bytes", job.total_bytes},
          {"rate", job.rate},        {"done", job.done},
          {"activity", job.activity}};
}

Job job_of(const json& value) {
  Job job;
  job.disk = text(value, "disk");
  job.drill = flag(value, "drill");
  if (!ledger::is_disk_name(job.disk) && !(job.drill && job.disk.empty())) {
    reject("disk", "is no name of a disk");
  }
  job.pid = static_cast<std::int64_t>(number(value, "pid"));
  job.server = text(value, "server");
  job.step = text(value, "step");
  job.state = text(value, "state");
  job.detail = text(value, "detail");
  job.activity = text(value, "activity");
  job.files = number(value, "files");
  job.bytes = number(value, "bytes");
  job.total_bytes = number(value, "total_bytes");
  job.rate = number(value, "rate");
  job.done = texts(value, "done");
  return job;
}

}  // namespace rota::tui
