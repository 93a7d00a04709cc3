#include "job/canary.h"

#include <array>
#include <map>
#include <sstream>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"

namespace rota::job {

namespace {

constexpr std::uint64_t kMostBytes = 1 << 20;

std::string file_of(const profile::Places& places, const profile::Profile& profile) {
  return places.state + "/" + profile.name + "/canaries";
}

/// Empty when it cannot be read.
std::string hash_of(const std::string& path) {
  try {
    const base::Fd fd = base::open_for_reading(path);
    base::Sha256 hasher;
    std::array<std::byte, 64 << 10> buffer;
    for (std::uint64_t at = 0;;) {
      const std::size_t n = base::read_at(fd.get(), buffer, at, path);
      hasher.update(std::span(buffer).first(n));
      at += n;
      if (n < buffer.size()) return base::to_hex(hasher.finish());
    }
  } catch (const base::Error&) {
    return "";
  }
}

std::map<std::string, std::string> remembered(const profile::Places& places,
                                              const profile::Profile& profile) {
  std::map<std::string, std::string> hashes;
  try {
    std::istringstream text(base::read_file(file_of(places, profile), kMostBytes));
    for (std::string line; std::getline(text, line);) {
      const std::size_t blank = line.find(' ');
      if (blank != std::string::npos) hashes[line.substr(blank + 1)] = line.substr(0, blank);
    }
  } catch (const base::Error& error) {
    if (error.kind() != base::ErrorKind::not_found) throw;
  }
  return hashes;
}

}  // namespace

CanaryFaults canary_faults(const profile::Places& places, const profile::Profile& profile) {
  CanaryFaults faults;
  if (profile.canaries.empty()) return faults;
  const std::map<std::string, std::string> before = remembered(places, profile);
  for (const std::string& path : profile.canaries) {
    const auto known = before.find(path);
    const bool was_there = known != before.end() && !known->second.empty();
    const std::string now = hash_of(path);
    if (was_there && now != known->second) {
      faults.changed.push_back(path);
    } else if (now.empty()) {
      faults.missing.push_back(path);
    }
  }
  return faults;
}

void remember_canaries(const profile::Places& places, const profile::Profile& profile) {
  if (profile.canaries.empty()) return;
  std::string text;
  for (const std::string& path : profile.canaries) {
    if (path.find('\n') == std::string::npos) text += hash_of(path) + " " + path + "\n";
  }
  const std::string file = file_of(places, profile);
  base::real_files().make_directories(base::parent_directory(file), 0700);
  base::write_file(file, text);
}

}  // namespace rota::job
