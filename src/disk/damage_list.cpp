#include "disk/damage_list.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "disk/checksum_file.h"
#include "disk/small_file.h"

namespace rota::disk {

namespace {
constexpr const char* kName = "damaged";
constexpr std::uint64_t kMaxFile = 64 << 20;
}  // namespace

DamageList DamageList::load(int server) {
  DamageList list;
  std::string text;
  try {
    text = read_small_file(server, kName, kMaxFile, kName);
  } catch (const base::Error& error) {
    if (error.kind() == base::ErrorKind::not_found) return list;
    throw;
  }
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = std::string_view(text).substr(at, end - at);
    at = end + 1;
    std::int64_t born = 0;
    const auto [rest, failed] = std::from_chars(line.data(), line.data() + line.size(), born);
    if (failed != std::errc() || born < 0) continue;
    const auto used = static_cast<std::size_t>(rest - line.data());
    if (used == line.size()) {
      list.add_all(born);
    } else if (line[used] == ' ') {
      list.add(born, unescape_name(line.substr(used + 1)));
    }
  }
  return list;
}

void DamageList::save(int server) const {
  std::string text;
  for (const std::int64_t born : all_) text += fmt::format("{}\n", born);
  for (const auto& [born, path] : files_) text += fmt::format("{} {}\n", born, escape_name(path));
  write_small_file(server, kName, text, kName);
}

void DamageList::add(std::int64_t born, const std::string& path) {
  if (all_.count(born) > 0) return;
  files_.emplace(born, path);
  if (files_.size() <= kMost) return;
  for (const auto& [copy, unused] : files_) all_.insert(copy);
  files_.clear();
}

void DamageList::add(const CheckResult& result) {
  const bool all_damage = result.damaged == result.damage.size();
  for (const Damage& damage : result.damage) {
    all_damage ? add(damage.born, damage.path) : add_all(damage.born);
  }
  // Which copy wrote an entry that is not as the index says, the comparison does not tell.
  if (result.differing > result.differences.size()) add_all(0);
  for (const auto& [path, unused] : result.differences) add(0, path);
}

void DamageList::add_all(std::int64_t born) {
  all_.insert(born);
  std::erase_if(files_, [&](const auto& file) { return file.first == born; });
}

bool DamageList::forget(std::int64_t born) {
  const std::size_t all = all_.erase(born);
  return std::erase_if(files_, [&](const auto& file) { return file.first == born; }) + all > 0;
}

bool DamageList::contains(std::int64_t born, const std::string& path) const {
  return all_.count(born) > 0 || all_.count(0) > 0 || files_.count({born, path}) > 0 ||
         files_.count({0, path}) > 0;
}

}  // namespace rota::disk
