#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "chain/extent_table.h"
#include "chain/frame.h"

namespace rota::chain {

/// Raw content on its way into frames: owned, and not initialised when it is made, so that only
/// pages that are really used count as memory.
struct RawBuffer {
  std::unique_ptr<std::byte[]> bytes;
  std::size_t capacity = 0;
  std::size_t size = 0;

  static RawBuffer of(std::size_t capacity) {
    return {std::unique_ptr<std::byte[]>(new std::byte[capacity]), capacity, 0};
  }
  std::span<const std::byte> data() const { return {bytes.get(), size}; }
};

/// Cuts a stream of content into frames of at most `limit` raw bytes and says, in extents, where
/// each part went. The extents are *pending*: their frame is its number among those of this filler.
class FrameFiller {
 public:
  /// full: takes each filled frame, in order, and gives back an empty buffer of the same capacity.
  using Full = std::function<RawBuffer(RawBuffer)>;
  FrameFiller(std::size_t limit, Full full) : limit_(limit), full_(std::move(full)) {}

  /// Adds content and its extents. `data` may lie in what reserve() gave.
  void append(std::span<const std::byte> data, ExtentTable& extents);
  /// Room for `size` bytes behind what the current frame holds, to read content into before it is
  /// known what of it will be appended. Empty when the frame has not so much left.
  std::span<std::byte> reserve(std::size_t size);
  /// Hands on what is left in the last frame.
  void flush();
  /// Counts frames from 0 again. After flush().
  void restart() { frame_ = 0; }

 private:
  std::size_t limit_;
  Full full_;
  RawBuffer buffer_;
  std::uint32_t frame_ = 0;
};

}  // namespace rota::chain
