#include "chain/names.h"

#include <fmt/core.h>

#include <array>

#include "base/hash.h"

namespace rota::chain {

std::string_view kind_word(RunKind kind) { return kind == RunKind::full ? "full" : "increment"; }

std::string new_run_name(base::Instant time) {
  std::array<std::byte, 3> suffix{};
  base::random_bytes(suffix);
  return base::compact(time) + "-" + base::to_hex(suffix);
}

std::optional<base::Instant> run_time(std::string_view name) {
  constexpr std::size_t kTime = 16;
  if (name.size() != kTime + 7 || name[kTime] != '-') return std::nullopt;
  for (const char c : name.substr(kTime + 1)) {
    if ((c < '0' || c > '9') && (c < 'a' || c > 'f')) return std::nullopt;
  }
  return base::parse_compact(name.substr(0, kTime));
}

namespace {
std::string_view extension(RunKind kind) { return kind == RunKind::full ? ".full" : ".incr"; }
}  // namespace

std::string record_name(std::string_view chain, std::string_view run, RunKind kind) {
  return fmt::format("{}{}/{}{}", kRecordPrefix, chain, run, extension(kind));
}

std::string data_prefix(std::string_view chain, std::string_view run) {
  return fmt::format("{}{}/{}/", kDataPrefix, chain, run);
}

std::string object_name(std::string_view chain, std::string_view run, char letter,
                        std::uint32_t number) {
  return fmt::format("{}{}{:06}", data_prefix(chain, run), letter, number);
}

std::string volume_name(std::string_view chain, std::string_view run, std::uint32_t number) {
  return object_name(chain, run, 'v', number);
}

std::string index_name(std::string_view chain, std::string_view run, std::uint32_t number) {
  return object_name(chain, run, 'i', number);
}

std::optional<RecordId> parse_record_name(std::string_view name) {
  if (!name.starts_with(kRecordPrefix)) return std::nullopt;
  name.remove_prefix(kRecordPrefix.size());
  const std::size_t slash = name.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  RecordId id{std::string(name.substr(0, slash)), "", RunKind::full};
  name.remove_prefix(slash + 1);
  for (const RunKind kind : {RunKind::full, RunKind::increment}) {
    if (!name.ends_with(extension(kind))) continue;
    id.run = name.substr(0, name.size() - extension(kind).size());
    id.kind = kind;
  }
  if (!run_time(id.run) || !run_time(id.chain)) return std::nullopt;
  if ((id.kind == RunKind::full) != (id.run == id.chain)) return std::nullopt;
  return id;
}

}  // namespace rota::chain
