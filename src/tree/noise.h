#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace rota::tree {

/// Tells content that looks like noise (encrypted, or already compressed) from other content, by
/// the entropy of its first bytes: more than 7.9 bits a byte. (Text has 4 to 5, programs about 6;
/// noise of 4 KiB is measured as 7.95.)
class NoiseMeter {
 public:
  static constexpr std::uint64_t kMost = 64 << 10;  ///< bytes that are looked at
  static constexpr std::uint64_t kLeast = 4 << 10;  ///< less tells nothing

  void add(std::span<const std::byte> data);
  /// False for less than kLeast bytes.
  bool is_noise() const;

 private:
  std::uint64_t seen_ = 0;
  std::array<std::uint32_t, 256> counts_{};
};

}  // namespace rota::tree
