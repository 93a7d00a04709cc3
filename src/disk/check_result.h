#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"

namespace rota::disk {

/// A file that could not be read, or whose bytes are not those that were written.
struct Damage {
  std::int64_t born = 0;  ///< time of the copy that wrote the inode
  std::string path;       ///< raw bytes, relative to tree/
  std::string what;       ///< "cannot be read: …", "its content is not what was written"
};

/// What reading a copy back found.
struct CheckResult {
  static constexpr std::size_t kMostDamage = 10'000;
  static constexpr std::size_t kMostDifferences = 10'000;

  std::uint64_t entries = 0;  ///< whose metadata was compared
  std::uint64_t files = 0;    ///< that were read
  std::uint64_t bytes = 0;    ///< of them
  /// The page cache had no part in it: direct I/O. False where the filesystem refuses that, and the
  /// cache was only asked to forget.
  bool direct = true;
  std::uint64_t damaged = 0;
  std::vector<Damage> damage;   ///< the first of them
  std::uint64_t differing = 0;  ///< entries whose metadata, kind or existence is another
  std::vector<std::pair<std::string, std::string>> differences;  ///< the first: path, what

  bool good() const { return damaged == 0 && differing == 0; }
};

/// True for what a damaged file of rota's own makes fail: it is not what was written, is gone, or
/// its medium cannot be read. (That a disk is gone looks the same, and is for the caller to tell.)
bool is_damage(const base::Error& error);

}  // namespace rota::disk
