#include "tree/noise.h"

#include <algorithm>
#include <cmath>

namespace rota::tree {

namespace {
constexpr double kNoise = 7.9;
}

void NoiseMeter::add(std::span<const std::byte> data) {
  if (seen_ >= kMost) return;
  data = data.first(static_cast<std::size_t>(std::min<std::uint64_t>(data.size(), kMost - seen_)));
  seen_ += data.size();
  for (const std::byte byte : data) ++counts_[std::to_integer<std::size_t>(byte)];
}

bool NoiseMeter::is_noise() const {
  if (seen_ < kLeast) return false;
  double entropy = 0;
  const auto all = static_cast<double>(seen_);
  for (const std::uint32_t count : counts_) {
    if (count == 0) continue;
    const double share = count / all;
    entropy -= share * std::log2(share);
  }
  return entropy > kNoise;
}

}  // namespace rota::tree
