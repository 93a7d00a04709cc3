#include "disk/copy_record.h"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "disk/copy_names.h"

namespace rota::disk {

using base::Error;
using base::ErrorKind;
using nlohmann::json;

namespace {

constexpr std::uint64_t kFormat = 1;
constexpr int kMaxDepth = 8;
constexpr std::size_t kMaxText = 4096;

[[noreturn]] void fail(const std::string& problem) {
  throw Error(ErrorKind::corrupt, fmt::format("{} is not what rota wrote: {}", kRecord, problem));
}

const json& member(const json& value, const char* name) {
  const auto found = value.find(name);
  if (found == value.end()) fail(fmt::format("it has no \"{}\"", name));
  return *found;
}

std::string text_of(const json& value, const char* name) {
  const json& text = member(value, name);
  if (!text.is_string() || text.get_ref<const std::string&>().size() > kMaxText) {
    fail(fmt::format("\"{}\" is no text, or too long", name));
  }
  return text.get<std::string>();
}

std::uint64_t number_of(const json& value, const char* name) {
  const json& number = member(value, name);
  if (!number.is_number_unsigned()) fail(fmt::format("\"{}\" is no number", name));
  return number.get<std::uint64_t>();
}

base::Instant time_of(const json& value, const char* name) {
  const auto time = base::parse_iso(text_of(value, name));
  if (!time) fail(fmt::format("\"{}\" is no time", name));
  return *time;
}

base::Sha256Digest digest_of(const json& value, const char* name) {
  base::Sha256Digest digest;
  base::from_hex(text_of(value, name), digest);
  return digest;
}

/// Brackets within brackets cost the parser memory and stack.
void check_depth(std::string_view text) {
  int depth = 0;
  for (const char c : text) {
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    if (depth > kMaxDepth) fail("it is nested too deeply");
  }
}

}  // namespace

std::string to_json(const CopyRecord& record) {
  const nlohmann::ordered_json value = {{"format", kFormat},
                                        {"server", record.server},
                                        {"snapshot", base::iso(record.time)},
                                        {"finished", base::iso(record.finished)},
                                        {"source", record.source},
                                        {"host", record.host},
                                        {"program", record.program},
                                        {"entries", record.entries},
                                        {"files", record.files},
                                        {"bytes", record.bytes},
                                        {"new_inodes", record.new_inodes},
                                        {"new_bytes", record.new_bytes},
                                        {"linked", record.linked},
                                        {"linked_bytes", record.linked_bytes},
                                        {"predecessor", record.predecessor},
                                        {"changed", record.changed},
                                        {"touched", record.touched},
                                        {"added", record.added},
                                        {"removed", record.removed},
                                        {"warnings", record.warnings},
                                        {"long_paths", record.long_paths},
                                        {"index_sha256", base::to_hex(record.index_sha256)},
                                        {"sha256sums_sha256", base::to_hex(record.sums_sha256)}};
  return value.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

CopyRecord parse_copy_record(std::string_view text) {
  if (text.size() > kMaxRecordBytes) fail("it is too large");
  check_depth(text);
  const json value = json::parse(text, nullptr, false);
  if (!value.is_object()) fail("it is no JSON object");
  const std::uint64_t format = number_of(value, "format");
  if (format > kFormat) {
    throw Error(ErrorKind::config,
                fmt::format("{} has format version {}, and this rota knows version {}; install a "
                            "newer rota",
                            kRecord, format, kFormat));
  }
  CopyRecord record;
  record.server = text_of(value, "server");
  record.time = time_of(value, "snapshot");
  record.finished = time_of(value, "finished");
  record.source = text_of(value, "source");
  record.host = text_of(value, "host");
  record.program = text_of(value, "program");
  record.entries = number_of(value, "entries");
  record.files = number_of(value, "files");
  record.bytes = number_of(value, "bytes");
  record.new_inodes = number_of(value, "new_inodes");
  record.new_bytes = number_of(value, "new_bytes");
  record.linked = number_of(value, "linked");
  record.linked_bytes = number_of(value, "linked_bytes");
  record.predecessor = text_of(value, "predecessor");
  record.changed = number_of(value, "changed");
  record.touched = number_of(value, "touched");
  record.added = number_of(value, "added");
  record.removed = number_of(value, "removed");
  record.warnings = number_of(value, "warnings");
  record.long_paths = number_of(value, "long_paths");
  record.index_sha256 = digest_of(value, "index_sha256");
  record.sums_sha256 = digest_of(value, "sha256sums_sha256");
  return record;
}

}  // namespace rota::disk
