#include "chain/extent_table.h"

#include <algorithm>
#include <span>

#include "base/bytes.h"
#include "base/error.h"

namespace rota::chain {

void ExtentTable::push(const Extent& extent) {
  if (extent.length == 0) return;
  if (!tail_.empty()) {
    Extent& last = tail_.back().extent;
    const bool joins = extent.hole()
                           ? last.hole()
                           : last.same_frame(extent) && last.offset + last.length == extent.offset;
    if (joins) {
      last.length += extent.length;
      if (!extent.hole()) packed_ += extent.length;
      return;
    }
  }
  // One row stays, so that the next can still join it.
  if (tail_.size() >= kInMemory + 1) spill();
  tail_.push_back({packed_, extent});
  ++count_;
  if (!extent.hole()) packed_ += extent.length;
}

void ExtentTable::spill() {
  if (!file_.valid()) file_ = base::open_temporary();
  const auto rows = std::span<const Row>(tail_).first(kInMemory);
  base::real_files().write_all(file_.get(), std::as_bytes(rows), "a temporary file");
  for (std::size_t i = 0; i < rows.size(); i += kChunk) chunk_starts_.push_back(rows[i].start);
  tail_.erase(tail_.begin(), tail_.begin() + static_cast<std::ptrdiff_t>(rows.size()));
}

const ExtentTable::Row& ExtentTable::row(std::size_t index) const {
  const std::size_t spilled = count_ - tail_.size();
  if (index >= spilled) return tail_[index - spilled];
  const std::size_t chunk = index / kChunk;
  if (chunk != cached_chunk_) {
    cached_.resize(kChunk);
    const auto bytes = std::as_writable_bytes(std::span(cached_));
    if (base::read_at(file_.get(), bytes, chunk * bytes.size(), "a temporary file") !=
        bytes.size()) {
      throw base::Error(base::ErrorKind::io, "a temporary file was cut short");
    }
    cached_chunk_ = chunk;
  }
  return cached_[index % kChunk];
}

ExtentTable::Place ExtentTable::find(std::uint64_t offset) const {
  const std::size_t spilled = count_ - tail_.size();
  std::size_t low = spilled;
  std::size_t high = count_;
  if (tail_.empty() || offset < tail_.front().start) {
    const auto after = std::upper_bound(chunk_starts_.begin(), chunk_starts_.end(), offset);
    const auto chunk = static_cast<std::size_t>(after - chunk_starts_.begin()) - 1;
    low = chunk * kChunk;
    high = low + kChunk;
  }
  // The last row that starts at or before `offset` is a data row: a hole starts at the same packed
  // offset as the data behind it.
  while (high - low > 1) {
    const std::size_t middle = low + (high - low) / 2;
    (row(middle).start <= offset ? low : high) = middle;
  }
  return {low, row(low).start};
}

void HoleLayout::hole(std::uint64_t packed, std::uint64_t length) {
  if (packed != packed_) add();
  packed_ = packed;
  length_ += length;
}

void HoleLayout::add() {
  if (length_ == 0) return;
  base::Bytes numbers;
  base::ByteWriter out(numbers);
  out.u64(packed_);
  out.u64(std::exchange(length_, 0));
  hasher_.update(numbers);
  any_ = true;
}

std::uint64_t HoleLayout::finish() {
  add();
  if (!any_) return 0;
  const base::Sha256Digest digest = hasher_.finish();
  return base::ByteReader(digest).u64();
}

std::uint64_t hole_layout(const ExtentTable& extents) {
  HoleLayout layout;
  std::uint64_t packed = 0;
  for (std::size_t i = 0; i < extents.size(); ++i) {
    const Extent extent = extents.at(i);
    if (extent.hole()) {
      layout.hole(packed, extent.length);
    } else {
      packed += extent.length;
    }
  }
  return layout.finish();
}

}  // namespace rota::chain
