#include "chain/extent_builder.h"

#include <algorithm>

#include "base/error.h"

namespace rota::chain {

/// Puts the holes that come now, and says how many of `length` bytes come before the next.
std::uint64_t ExtentBuilder::until_hole(std::uint64_t length) {
  while (!holes_.empty() && holes_.front().packed == packed_) {
    Extent extent;
    extent.run = Extent::kHole;
    extent.length = holes_.front().length;
    extents_.push(extent);
    holes_.pop_front();
  }
  return holes_.empty() ? length : std::min(length, holes_.front().packed - packed_);
}

void ExtentBuilder::copy(std::uint64_t offset, std::uint64_t length) {
  if (old_ == nullptr || offset > old_->packed_size() || length > old_->packed_size() - offset) {
    throw base::Error(base::ErrorKind::corrupt,
                      "a file's extents do not cover what its signature describes");
  }
  auto place = length > 0 ? old_->find(offset) : ExtentTable::Place{0, 0};
  while (length > 0) {
    Extent extent = old_->at(place.index);
    if (extent.hole()) {
      ++place.index;
      continue;
    }
    const std::uint64_t skip = offset - place.start;
    std::uint64_t part = until_hole(std::min(length, extent.length - skip));
    place.start += extent.length;
    extent.offset += static_cast<std::uint32_t>(skip);
    extent.length = part;
    extents_.push(extent);
    packed_ += part;
    offset += part;
    length -= part;
    if (offset < place.start) {
      place.start -= old_->at(place.index).length;  // a hole of the new file cut it: the rest of it
    } else {
      ++place.index;
    }
  }
}

void ExtentBuilder::literal(std::span<const std::byte> data) {
  literal_bytes_ += data.size();
  while (!data.empty()) {
    const std::size_t part = static_cast<std::size_t>(until_hole(data.size()));
    filler_.append(data.first(part), extents_);
    packed_ += part;
    data = data.subspan(part);
  }
}

void ExtentBuilder::finish() { until_hole(0); }

}  // namespace rota::chain
