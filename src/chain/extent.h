#pragma once

#include <cstdint>

namespace rota::chain {

/// Where a piece of a file's content lies: `length` bytes from `offset` in the unpacked content of
/// a frame; or a hole. Runs are numbered within their chain: the full is 0.
struct Extent {
  static constexpr std::uint32_t kHole = 0xffffffff;
  /// A frame of the run that is being written, whose place is not known yet: `frame` is then its
  /// number among the frames of its file or batch.
  static constexpr std::uint32_t kPending = 0xfffffffe;

  std::uint32_t run = 0;
  std::uint32_t volume = 0;
  std::uint32_t frame = 0;       ///< first byte of the frame in its volume
  std::uint32_t frame_size = 0;  ///< bytes of the frame in the store
  std::uint32_t offset = 0;
  std::uint64_t length = 0;

  bool hole() const { return run == kHole; }
  bool pending() const { return run == kPending; }
  bool same_frame(const Extent& other) const {
    return run == other.run && volume == other.volume && frame == other.frame;
  }
  friend bool operator==(const Extent&, const Extent&) = default;
};

}  // namespace rota::chain
