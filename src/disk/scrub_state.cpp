#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"
#include "disk/copies.h"
#include "disk/scrub.h"
#include "disk/small_file.h"
#include "tree/entry.h"

namespace rota::disk {

using base::Error;
using base::ErrorKind;
using nlohmann::json;

namespace {

constexpr const char* kName = "scrub.json";
constexpr std::uint64_t kFormat = 1;
constexpr std::uint64_t kMaxFile = 16 << 20;
constexpr std::size_t kMaxGroups = 10'000;
constexpr int kMaxDepth = 8;

[[noreturn]] void fail(const std::string& problem) {
  throw Error(ErrorKind::corrupt, fmt::format("{} is not what rota wrote: {}", kName, problem));
}

std::string text_of(const json& value, const char* name) {
  const auto found = value.find(name);
  if (found == value.end() || !found->is_string()) fail(fmt::format("it has no \"{}\"", name));
  return found->get<std::string>();
}

base::Instant time_of(const json& value, const char* name) {
  const auto time = base::parse_iso(text_of(value, name));
  if (!time) fail(fmt::format("\"{}\" is no time", name));
  return *time;
}

ScrubGroup parse_group(const json& value) {
  if (!value.is_object()) fail("something else stands where a copy should");
  ScrubGroup group;
  group.copy = time_of(value, "copy");
  group.read = time_of(value, "read");
  if (value.contains("pass")) {
    group.pass = time_of(value, "pass");
    const std::string position = text_of(value, "position");
    if (position.size() % 2 != 0 || position.size() > 2 * tree::kMaxPath) fail("a path is wrong");
    group.position.resize(position.size() / 2);
    base::from_hex(position, std::as_writable_bytes(std::span(group.position)));
  }
  return group;
}

/// What is left of `older` belongs to `newer` now.
void absorb(ScrubGroup& newer, const ScrubGroup& older) {
  if (older.pass) {
    // Behind the position its own inodes were read in this pass, and the newer copy's at that time.
    newer.pass = std::min(*older.pass, newer.read);
    newer.position = older.position;
  } else {
    newer.pass.reset();
    newer.position.clear();
  }
  newer.read = std::min(newer.read, older.read);
}

}  // namespace

std::string to_json(const ScrubState& state) {
  json groups = json::array();
  for (const ScrubGroup& group : state.groups) {
    json value = {{"copy", base::iso(group.copy)}, {"read", base::iso(group.read)}};
    if (group.pass) {
      value["pass"] = base::iso(*group.pass);
      value["position"] = base::to_hex(base::as_bytes(group.position));  // it may be any bytes
    }
    groups.push_back(std::move(value));
  }
  return json{{"format", kFormat}, {"copies", std::move(groups)}}.dump(2) + "\n";
}

ScrubState parse_scrub_state(std::string_view text) {
  int depth = 0;
  for (const char c : text) {
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    if (depth > kMaxDepth) fail("it is nested too deeply");
  }
  const json value = json::parse(text, nullptr, false);
  if (!value.is_object() || value.value("format", json()) != json(kFormat)) {
    fail("it has another form");
  }
  const auto groups = value.find("copies");
  if (groups == value.end() || !groups->is_array() || groups->size() > kMaxGroups) {
    fail("it has another form");
  }
  ScrubState state;
  for (const json& group : *groups) state.groups.push_back(parse_group(group));
  std::stable_sort(state.groups.begin(), state.groups.end(),
                   [](const ScrubGroup& a, const ScrubGroup& b) { return a.copy < b.copy; });
  return state;
}

ScrubState load_scrub_state(int root, const std::string& server) {
  ScrubState state;
  const base::Fd directory = open_server(root, server);
  if (!directory.valid()) return state;
  for (const CopyInfo& copy : list_copies(directory.get(), server)) {
    if (copy.state != CopyState::sealed) continue;
    ScrubGroup group;
    group.copy = copy.time;
    group.read = copy.record ? copy.record->finished : copy.time;
    state.groups.push_back(group);
  }
  ScrubState known;
  try {
    known = parse_scrub_state(read_small_file(directory.get(), kName, kMaxFile, kName));
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::io) throw;
  }
  for (const ScrubGroup& group : known.groups) {
    const auto at =
        std::lower_bound(state.groups.begin(), state.groups.end(), group.copy,
                         [](const ScrubGroup& a, base::Instant copy) { return a.copy < copy; });
    if (at != state.groups.end() && at->copy == group.copy) *at = group;
  }
  // Only now, that each has what is known of it; oldest first, so that they pass on what they took.
  for (std::size_t i = 0; i < known.groups.size(); ++i) {
    const ScrubGroup& group = known.groups[i];
    const auto at =
        std::lower_bound(state.groups.begin(), state.groups.end(), group.copy,
                         [](const ScrubGroup& a, base::Instant copy) { return a.copy < copy; });
    if (at == state.groups.end() || at->copy == group.copy) continue;
    const bool next_is_gone = i + 1 < known.groups.size() && known.groups[i + 1].copy < at->copy;
    absorb(next_is_gone ? known.groups[i + 1] : *at, group);
  }
  return state;
}

void save_scrub_state(int root, const std::string& server, const ScrubState& state) {
  const base::Fd directory = open_server(root, server);
  if (!directory.valid()) return;
  write_small_file(directory.get(), kName, to_json(state), kName);
}

std::optional<base::Instant> oldest_read(const ScrubState& state) {
  std::optional<base::Instant> oldest;
  for (const ScrubGroup& group : state.groups) {
    if (!oldest || group.read < *oldest) oldest = group.read;
  }
  return oldest;
}

}  // namespace rota::disk
