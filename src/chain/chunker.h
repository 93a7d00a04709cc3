#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace rota::chain {

/// Cuts content into chunks where the content itself says so, so that an edit changes the chunks
/// around it and no others: behind every place where a hash of the last 64 bytes is small.
///
/// Source: Xia et al., "FastCDC", USENIX ATC 2016: the gear hash, and that a chunk's first `min`
/// bytes need not be looked at.
class Chunker {
 public:
  /// average: bytes of a chunk, a multiple of 4. The least is a quarter of it, the most four times.
  explicit Chunker(std::uint32_t average);

  /// How many bytes at the front of `data` belong to the chunk at hand. ends: whether it ends
  /// behind them; if not, they are all of `data`, and more may come.
  std::size_t feed(std::span<const std::byte> data, bool& ends);

  static constexpr std::uint32_t min(std::uint32_t average) { return average / 4; }
  static constexpr std::uint32_t max(std::uint32_t average) { return average * 4; }

 private:
  std::uint32_t min_;
  std::uint32_t max_;
  std::uint64_t threshold_;
  std::uint64_t hash_ = 0;
  std::uint32_t length_ = 0;  ///< of the chunk at hand so far
};

}  // namespace rota::chain
