#include "chain/frame_filler.h"

#include <algorithm>
#include <cstring>

namespace rota::chain {

void FrameFiller::append(std::span<const std::byte> data, ExtentTable& extents) {
  while (!data.empty()) {
    if (!buffer_.bytes) buffer_ = RawBuffer::of(limit_);
    const std::size_t part = std::min(data.size(), limit_ - buffer_.size);
    // Moved, not copied: data from reserve() lies at or behind the place where it goes.
    std::memmove(buffer_.bytes.get() + buffer_.size, data.data(), part);
    Extent extent;
    extent.run = Extent::kPending;
    extent.frame = frame_;
    extent.offset = static_cast<std::uint32_t>(buffer_.size);
    extent.length = part;
    extents.push(extent);
    buffer_.size += part;
    data = data.subspan(part);
    if (buffer_.size == limit_) flush();
  }
}

std::span<std::byte> FrameFiller::reserve(std::size_t size) {
  if (!buffer_.bytes) buffer_ = RawBuffer::of(limit_);
  if (size > limit_ - buffer_.size) return {};
  return {buffer_.bytes.get() + buffer_.size, size};
}

void FrameFiller::flush() {
  if (buffer_.size == 0) return;
  buffer_ = full_(std::move(buffer_));
  buffer_.size = 0;
  ++frame_;
}

}  // namespace rota::chain
