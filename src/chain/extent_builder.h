#pragma once

#include <cstdint>
#include <deque>
#include <span>

#include "chain/delta.h"
#include "chain/extent_table.h"
#include "chain/frame_filler.h"

namespace rota::chain {

/// Composes a new file's extents from what arrives in order: parts that the old version had, whose
/// extents are looked up and cut to size, and new bytes, which go into frames. So the index says
/// directly where every byte lies, and a restore applies no deltas.
class ExtentBuilder final : public DeltaSink {
 public:
  /// old: extents of the old version; null when there is none, then nothing may be copied.
  ExtentBuilder(const ExtentTable* old, FrameFiller& filler, ExtentTable& extents)
      : old_(old), filler_(filler), extents_(extents) {}

  /// A hole of `length` before the new file's packed byte `packed`. Announced when the reader meets
  /// it, which is before a matcher gives the bytes around it.
  void hole(std::uint64_t packed, std::uint64_t length) { holes_.push_back({packed, length}); }

  void copy(std::uint64_t offset, std::uint64_t length) override;
  void literal(std::span<const std::byte> data) override;
  /// The holes at the end.
  void finish();

  std::uint64_t literal_bytes() const { return literal_bytes_; }

 private:
  struct Hole {
    std::uint64_t packed;
    std::uint64_t length;
  };
  std::uint64_t until_hole(std::uint64_t length);

  const ExtentTable* old_;
  FrameFiller& filler_;
  ExtentTable& extents_;
  std::deque<Hole> holes_;  ///< ahead of packed_: those of what the matcher still holds back
  std::uint64_t packed_ = 0;
  std::uint64_t literal_bytes_ = 0;
};

}  // namespace rota::chain
