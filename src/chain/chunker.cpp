#include "chain/chunker.h"

#include <algorithm>
#include <array>

namespace rota::chain {

namespace {

/// One constant for each value of a byte: the first 256 numbers that SplitMix64 gives from 0
/// (Steele et al., "Fast Splittable Pseudorandom Number Generators", 2014). Another table would
/// only cost that no chunk of an older signature is found again.
constexpr std::array<std::uint64_t, 256> make_gear() {
  std::array<std::uint64_t, 256> gear{};
  std::uint64_t state = 0;
  for (std::uint64_t& number : gear) {
    state += 0x9e3779b97f4a7c15;
    std::uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    number = z ^ (z >> 31);
  }
  return gear;
}
constexpr auto kGear = make_gear();

}  // namespace

Chunker::Chunker(std::uint32_t average)
    : min_(min(average)),
      max_(max(average)),
      // Behind the least length each byte ends the chunk with this chance, so that the mean is
      // `average`.
      threshold_(UINT64_MAX / (average - min(average))) {}

std::size_t Chunker::feed(std::span<const std::byte> data, bool& ends) {
  const std::size_t end = std::min<std::size_t>(data.size(), max_ - length_);
  std::size_t at = length_ < min_ ? std::min<std::size_t>(end, min_ - length_) : 0;
  std::uint64_t hash = hash_;
  ends = false;
  while (at < end && !ends) {
    hash = (hash << 1) + kGear[std::to_integer<std::size_t>(data[at++])];
    ends = hash < threshold_;
  }
  length_ += static_cast<std::uint32_t>(at);
  ends = ends || length_ == max_;
  hash_ = ends ? 0 : hash;
  if (ends) length_ = 0;
  return at;
}

}  // namespace rota::chain
