#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "base/progress.h"
#include "tree/source.h"

namespace rota::recovery {

/// What differs between what should have been restored and what was.
struct Differences {
  std::uint64_t count = 0;
  std::vector<std::string> first;  ///< kShownDifferences at most, "etc/fstab: mode, mtime"
};

inline constexpr std::size_t kShownDifferences = 5;

/// Reads a restored tree back, every byte of it, and compares it by tree::compare() with the Source
/// that it came from. progress: counts what is read back. Throws Error(interrupted).
Differences compare_restored(tree::Source& origin, const std::string& restored,
                             base::Warnings& warnings, base::Progress& progress,
                             const std::stop_token& stop);

}  // namespace rota::recovery
