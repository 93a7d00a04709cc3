#pragma once

#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>

#include "base/bytes.h"

namespace rota::test {

/// Random choices that a seed repeats: tests print it with CAPTURE(seed).
class Chance {
 public:
  explicit Chance(std::uint64_t seed) : engine_(seed) {}

  /// 0..n-1; n >= 1.
  std::uint64_t below(std::uint64_t n) {
    return std::uniform_int_distribution<std::uint64_t>(0, n - 1)(engine_);
  }
  /// low..high, both included.
  std::uint64_t between(std::uint64_t low, std::uint64_t high) {
    return std::uniform_int_distribution<std::uint64_t>(low, high)(engine_);
  }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  /// A number of any magnitude up to 64 bits, small ones as likely as large ones.
  std::uint64_t number() { return engine_() >> below(64); }
  /// Bytes that do not compress.
  base::Bytes bytes(std::size_t size) {
    base::Bytes out(size);
    for (std::byte& byte : out) byte = static_cast<std::byte>(engine_());
    return out;
  }

 private:
  std::mt19937_64 engine_;
};

/// The first seed of a random test, from $ROTA_TEST_SEED or 1: set it to try others.
inline std::uint64_t first_seed() {
  const char* text = std::getenv("ROTA_TEST_SEED");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : 1;
}

}  // namespace rota::test
