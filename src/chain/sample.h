#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/file.h"

namespace rota::chain {

/// A part of a store's objects, so that each day a few are read and after some days all were: those
/// the hash of whose name lies in a window that moves on round by round. New objects come in
/// between and none is left out by that, as it would be with a place in a list.
struct Sample {
  std::uint32_t position = 0;  ///< where the window begins
  std::uint64_t width = 0;     ///< of 2^32; it goes on from the end at the start
  bool contains(std::string_view name) const;
};

/// The sample that follows the one that keep_sample() was told of; the first where nothing was kept
/// or it cannot be read.
///
/// state: the profile's directory. share: of all objects, > 0 and <= 1. Samples of the same share
/// that follow each other leave no gap and cover everything after 1 / share of them, rounded up.
Sample next_sample(const std::string& state, double share);

/// To be called when a sample was read to its end.
void keep_sample(const std::string& state, const Sample& done,
                 base::FileOps& files = base::real_files());

}  // namespace rota::chain
