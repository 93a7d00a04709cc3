#include "job/mounts.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <sstream>

#include "base/atomic_file.h"
#include "base/error.h"

namespace rota::job {

namespace {

/// proc(5): blanks, tabs, line feeds and backslashes in paths are written as \ooo.
std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto digit = [&](std::size_t at) { return text[at] >= '0' && text[at] <= '7'; };
    if (text[i] == '\\' && i + 3 < text.size() && digit(i + 1) && digit(i + 2) && digit(i + 3)) {
      out +=
          static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + text[i + 3] - '0');
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

bool holds_data(const std::string& type) {
  // The last line: images of packages and containers, which come and go.
  constexpr std::array<std::string_view, 25> kNone{
      "autofs",  "binfmt_misc", "bpf",      "cgroup",     "cgroup2",    "configfs", "debugfs",
      "devpts",  "devtmpfs",    "efivarfs", "fusectl",    "hugetlbfs",  "mqueue",   "nsfs",
      "proc",    "pstore",      "ramfs",    "rpc_pipefs", "securityfs", "sysfs",    "tmpfs",
      "tracefs", "iso9660",     "overlay",  "squashfs"};
  return std::ranges::find(kNone, type) == kNone.end() && !type.starts_with("fuse.");
}

std::string file_of(const profile::Places& places, const std::string& profile, MountMemory of) {
  return places.state + "/" + profile + (of == MountMemory::copy ? "/mounts" : "/mounts-run");
}

constexpr std::uint64_t kMostBytes = 4 << 20;

}  // namespace

std::vector<std::string> data_mounts(std::string_view mountinfo, const std::string& source) {
  std::vector<std::string> mounts;
  std::istringstream lines{std::string(mountinfo)};
  for (std::string line; std::getline(lines, line);) {
    // 36 35 98:0 /root /mount/point options [optional fields] - type source options
    const std::size_t dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    std::istringstream front(line.substr(0, dash));
    std::istringstream back(line.substr(dash + 3));
    std::string field;
    std::string point;
    std::string type;
    for (int i = 0; i < 4; ++i) front >> field;
    front >> point;
    back >> type;
    point = unescape(point);
    if (!holds_data(type) || !profile::is_within(point, source) ||
        profile::is_within(point, "/run")) {
      continue;
    }
    mounts.push_back(std::move(point));
  }
  std::ranges::sort(mounts);
  mounts.erase(std::unique(mounts.begin(), mounts.end()), mounts.end());
  return mounts;
}

std::vector<std::string> data_mounts(const std::string& source) {
  return data_mounts(base::read_file("/proc/self/mountinfo", kMostBytes), source);
}

std::optional<std::vector<std::string>> remembered_mounts(const profile::Places& places,
                                                          const std::string& profile,
                                                          MountMemory of) {
  try {
    std::istringstream text(base::read_file(file_of(places, profile, of), kMostBytes));
    std::vector<std::string> mounts;
    for (std::string line; std::getline(text, line);) mounts.push_back(unescape(line));
    return mounts;
  } catch (const base::Error& error) {
    if (error.kind() == base::ErrorKind::not_found) return std::nullopt;
    throw;
  }
}

void remember_mounts(const profile::Places& places, const std::string& profile, MountMemory of,
                     const std::vector<std::string>& mounts) {
  std::string text;
  for (const std::string& path : mounts) {
    for (const char c : path) {
      if (c == '\n') {
        text += "\\012";
      } else if (c == '\\') {
        text += "\\134";
      } else {
        text += c;
      }
    }
    text += '\n';
  }
  const std::string file = file_of(places, profile, of);
  base::real_files().make_directories(base::parent_directory(file), 0700);
  base::write_file(file, text);
}

std::vector<std::string> forgotten_mounts(const std::vector<std::string>& before,
                                          const std::vector<std::string>& now) {
  std::vector<std::string> forgotten;
  for (const std::string& path : before) {
    if (std::ranges::find(now, path) != now.end()) continue;
    std::error_code trouble;
    if (std::filesystem::is_directory(path, trouble) && std::filesystem::is_empty(path, trouble) &&
        !trouble) {
      forgotten.push_back(path);
    }
  }
  return forgotten;
}

}  // namespace rota::job
