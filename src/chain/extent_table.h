#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/file.h"
#include "base/hash.h"
#include "chain/extent.h"

namespace rota::chain {

/// The extents of one file, in order, of any number in bounded memory: kInMemory rows (1.3 MB) are
/// held, beyond that they go to a temporary file without a name, of which one chunk is cached.
///
/// Offsets count *packed* bytes: the file's data without its holes.
/// Reading changes the cached chunk: one thread at a time.
class ExtentTable {
 public:
  ExtentTable() = default;

  /// Appends; joins with the last extent where both are one stretch.
  void push(const Extent& extent);

  std::size_t size() const { return count_; }
  bool empty() const { return count_ == 0; }
  std::uint64_t packed_size() const { return packed_; }

  Extent at(std::size_t index) const { return row(index).extent; }

  /// The index of the data extent that holds the packed byte `offset` (< packed_size()), and the
  /// packed offset at which that extent begins.
  struct Place {
    std::size_t index;
    std::uint64_t start;
  };
  Place find(std::uint64_t offset) const;

  void clear() { *this = ExtentTable(); }

  static constexpr std::size_t kChunk = 1024;
  static constexpr std::size_t kInMemory = 32 * kChunk;

 private:
  struct Row {
    std::uint64_t start = 0;  ///< packed offset
    Extent extent;
  };
  const Row& row(std::size_t index) const;
  void spill();

  std::vector<Row> tail_;                    ///< rows [count_ - tail_.size(), count_)
  std::vector<std::uint64_t> chunk_starts_;  ///< packed offset of the first row of spilled chunks
  base::Fd file_;
  std::size_t count_ = 0;
  std::uint64_t packed_ = 0;
  mutable std::vector<Row> cached_;
  mutable std::size_t cached_chunk_ = SIZE_MAX;
};

/// Where a file's holes lie, as one number; 0 without any. The same content may be read with and
/// without its holes; what is said of its packed bytes holds only where the same were left out.
class HoleLayout {
 public:
  /// In order. packed: packed bytes before it.
  void hole(std::uint64_t packed, std::uint64_t length);
  std::uint64_t finish();

 private:
  void add();
  base::Sha256 hasher_;
  std::uint64_t packed_ = 0;
  std::uint64_t length_ = 0;  ///< of the hole that may still go on
  bool any_ = false;
};
std::uint64_t hole_layout(const ExtentTable& extents);

}  // namespace rota::chain
