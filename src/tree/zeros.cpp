#include "tree/zeros.h"

#include <algorithm>
#include <array>
#include <span>

#include "base/signals.h"

namespace rota::tree {

void hash_zeros(base::Sha256& hasher, std::uint64_t length, const std::stop_token& stop) {
  static constexpr std::array<std::byte, 65'536> kZeros{};
  while (length > 0) {
    base::check_stop(stop);
    const auto part = std::min<std::uint64_t>(length, kZeros.size());
    hasher.update(std::span(kZeros).first(static_cast<std::size_t>(part)));
    length -= part;
  }
}

}  // namespace rota::tree
