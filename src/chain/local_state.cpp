#include "chain/local_state.h"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/atomic_file.h"
#include "base/error.h"
#include "chain/resume_log.h"
#include "store/store.h"

namespace rota::chain {

using base::Error;
using base::ErrorKind;
using nlohmann::json;

namespace {

constexpr std::uint64_t kMaxStateFile = 64 << 10;
/// The largest record, and what stands before it.
constexpr std::uint64_t kMaxKeptRecord = store::kMaxPut + 128;

/// A small JSON file that may be absent. `repair` says what to do when it is damaged.
template <typename Parse>
auto read_json(const std::string& path, const char* repair, Parse parse)
    -> std::optional<decltype(parse(json()))> {
  std::string text;
  try {
    text = base::read_file(path, kMaxStateFile);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::not_found) return std::nullopt;
    if (error.kind() != ErrorKind::corrupt) throw;  // corrupt: too large, no JSON below either
  }
  try {
    return parse(json::parse(text));
  } catch (const json::exception&) {
    throw Error(ErrorKind::corrupt, fmt::format("{} is damaged; {}", path, repair));
  } catch (const Error&) {
    throw Error(ErrorKind::corrupt, fmt::format("{} is damaged; {}", path, repair));
  }
}

std::string run_name(const json& value) {
  std::string name = value.get<std::string>();
  if (!run_time(name)) throw Error(ErrorKind::corrupt, "it names no run");
  return name;
}

/// What it says decides what is removed: it must be all there.
LocalState::Removal parse_removal(const json& value) {
  LocalState::Removal removal{run_name(value.at("run")), run_name(value.at("chain"))};
  if (removal.run != removal.chain) removal.kind = RunKind::increment;
  if (value.at("kind") != kind_word(removal.kind)) {
    throw Error(ErrorKind::corrupt, "its kind does not fit");
  }
  return removal;
}

json to_json(const LocalState::Removal& removal) {
  return {{"run", removal.run}, {"chain", removal.chain}, {"kind", kind_word(removal.kind)}};
}

/// True for a journal of rota 0.1, which named there the run that it was removing.
bool is_removal(const json& value) { return value.at("removing").get<bool>(); }

std::optional<LocalState::Journal> parse_journal(const json& value) {
  if (is_removal(value)) return std::nullopt;
  const LocalState::Removal run = parse_removal(value);
  LocalState::Journal journal{run.run, run.chain, run.kind};
  journal.parent = value.value("parent", "");
  if (const std::string until = value.value("locked_until", ""); !until.empty()) {
    journal.locked_until = base::parse_iso(until);
    if (!journal.locked_until) throw Error(ErrorKind::corrupt, "it is locked until no real time");
  }
  if (!value.contains("key")) return journal;
  std::array<std::byte, 32> key{};
  base::from_hex(value.at("key").get_ref<const std::string&>(), key);
  journal.key = RunKey(key);
  const auto& envelope = value.at("envelope").get_ref<const std::string&>();
  base::Bytes bytes(envelope.size() / 2);
  base::from_hex(envelope, bytes);
  base::ByteReader in(bytes);
  journal.lock.envelope = Envelope::decode(in);
  for (const json& recipient : value.at("recipients")) {
    journal.lock.recipients.push_back(Recipient::parse(recipient.get<std::string>()));
  }
  return journal;
}

}  // namespace

LocalState::LocalState(std::string state, std::string cache, base::FileOps& files)
    : state_(std::move(state)), cache_(std::move(cache)), files_(files) {
  files_.make_directories(state_, 0700);
  files_.make_directories(cache_ + "/records", 0700);
}

std::optional<LocalState::Last> LocalState::last() const {
  return read_json(
      state_ + "/last", "run `rota adopt` to read it anew from the store", [](const json& value) {
        Last last{run_name(value.at("run")), run_name(value.at("chain")), {}};
        base::from_hex(value.at("record_sha256").get<std::string>(), last.record_sha256);
        return last;
      });
}

void LocalState::set_last(const Last& last) {
  const json value = {{"run", last.run},
                      {"chain", last.chain},
                      {"record_sha256", base::to_hex(last.record_sha256)}};
  base::write_file(state_ + "/last", value.dump() + "\n", 0600, files_);
}

namespace {

constexpr const char* kRepairJournal = "remove it; the unfinished run is then left behind";

}  // namespace

std::optional<LocalState::Journal> LocalState::journal() const {
  return read_json(state_ + "/journal", kRepairJournal, parse_journal).value_or(std::nullopt);
}

std::optional<LocalState::Removal> LocalState::removal() const {
  if (auto removal = read_json(state_ + "/removing", "remove it; what is left of the run stays",
                               parse_removal)) {
    return removal;
  }
  return read_json(state_ + "/journal", kRepairJournal,
                   [](const json& value) {
                     return is_removal(value) ? std::optional(parse_removal(value)) : std::nullopt;
                   })
      .value_or(std::nullopt);
}

void LocalState::set_removal(const Removal& removal) {
  base::write_file(state_ + "/removing", to_json(removal).dump() + "\n", 0600, files_);
}

void LocalState::clear_removal() {
  files_.unlink(state_ + "/removing");
  files_.sync_directory(state_);
  if (removal()) clear_journal();
}

std::optional<base::Instant> LocalState::clock_believed() const {
  return read_json(state_ + "/clock",
                   "remove it, and say that the clock is right if you are asked to",
                   [](const json& value) {
                     const auto time = base::parse_iso(value.at("believed").get<std::string>());
                     if (!time) throw Error(ErrorKind::corrupt, "it names no time");
                     return *time;
                   });
}

void LocalState::believe_clock(base::Instant now) {
  const json value = {{"believed", base::iso(now)}};
  base::write_file(state_ + "/clock", value.dump() + "\n", 0600, files_);
}

void LocalState::clear_last() {
  files_.unlink(state_ + "/last");
  files_.sync_directory(state_);
}

void LocalState::set_journal(const Journal& journal) {
  json value = to_json(Removal{journal.run, journal.chain, journal.kind});
  value["removing"] = false;
  if (!journal.parent.empty()) value["parent"] = journal.parent;
  if (journal.locked_until) value["locked_until"] = base::iso(*journal.locked_until);
  if (journal.key) {
    base::Bytes envelope;
    base::ByteWriter out(envelope);
    journal.lock.envelope.encode(out);
    value["key"] = base::to_hex(journal.key->view());
    value["envelope"] = base::to_hex(envelope);
    for (const Recipient& recipient : journal.lock.recipients) {
      value["recipients"].push_back(recipient.text());
    }
  }
  base::write_file(state_ + "/journal", value.dump() + "\n", 0600, files_);
}

void LocalState::clear_journal() {
  ResumeLog::remove(resume_log(), files_);
  files_.unlink(state_ + "/journal");
  files_.sync_directory(state_);
}

std::string LocalState::record_path(const std::string& run) const {
  return cache_ + "/records/" + run;
}

std::optional<LocalState::KeptRecord> LocalState::record(const std::string& run) const try {
  const std::string text = base::read_file(record_path(run), kMaxKeptRecord);
  base::ByteReader in(base::as_bytes(text));
  KeptRecord kept;
  base::Sha256Digest sum{};
  std::ranges::copy(in.raw(sum.size()), sum.begin());
  const auto rest = in.raw(in.left());
  if (base::sha256(rest) != sum) return std::nullopt;
  in = base::ByteReader(rest);
  kept.stored_size = in.u64();
  std::ranges::copy(in.raw(kept.stored_sha256.size()), kept.stored_sha256.begin());
  const auto clear = in.raw(in.left());
  kept.clear.assign(clear.begin(), clear.end());
  return kept;
} catch (const Error&) {
  return std::nullopt;
}

void LocalState::keep_record(const std::string& run, std::span<const std::byte> stored,
                             const base::Bytes& clear) {
  base::Bytes rest;
  base::ByteWriter out(rest);
  out.u64(stored.size());
  out.raw(base::sha256(stored));
  out.raw(clear);
  const base::Sha256Digest sum = base::sha256(rest);
  rest.insert(rest.begin(), sum.begin(), sum.end());
  base::write_file(record_path(run), base::as_text(rest), 0600, files_);
}

void LocalState::forget_record(const std::string& run) { files_.unlink(record_path(run)); }

std::string LocalState::chain_directory(const std::string& chain, bool make) const {
  std::string path = cache_ + "/" + chain;
  if (make) files_.make_directories(path, 0700);
  return path;
}

std::string LocalState::index_copies(const std::string& chain) const {
  return cache_ + "/" + chain + "/index";
}

void LocalState::forget_chains_but(const std::string& chain) {
  std::error_code ignored;  // a cache that cannot be removed does no harm
  std::vector<std::filesystem::path> others;
  for (std::filesystem::directory_iterator entry(cache_, ignored), end; !ignored && entry != end;
       entry.increment(ignored)) {
    const std::string name = entry->path().filename();
    if (run_time(name) && name != chain) others.push_back(entry->path());
  }
  for (const auto& path : others) std::filesystem::remove_all(path, ignored);
}

}  // namespace rota::chain
