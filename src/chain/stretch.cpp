#include "chain/stretch.h"

#include <algorithm>

#include "base/signals.h"
#include "tree/content_error.h"

namespace rota::chain {

StretchReader::StretchReader(tree::Content& content, std::uint32_t average)
    : content_(content), capacity_(kRead) {
  if (average == 0) return;
  chunker_.emplace(average);
  capacity_ += Chunker::max(average);
}

bool StretchReader::fill(Stretch& stretch, const std::stop_token& stop) {
  if (stretch.bytes.capacity < capacity_) stretch.bytes = RawBuffer::of(capacity_);
  std::ranges::copy(carry_, stretch.bytes.bytes.get());
  stretch.carried = stretch.bytes.size = carry_.size();
  carry_.clear();
  stretch.segments.clear();
  stretch.chunks.clear();
  stretch.hashed = chunker_.has_value();
  const bool more = read(stretch, stop);
  cut(stretch, !more);
  return more;
}

/// kRead bytes, however small the segments are, so that a stretch is worth its way.
bool StretchReader::read(Stretch& stretch, const std::stop_token& stop) {
  RawBuffer& bytes = stretch.bytes;
  const std::size_t end = bytes.size + kRead;
  while (bytes.size < end) {
    base::check_stop(stop);
    if (!in_segment_) {
      const auto segment = tree::from_content([&] { return content_.next_segment(); });
      if (!segment) return false;
      in_segment_ = !segment->hole;
      if (segment->hole) stretch.segments.push_back(*segment);
      continue;
    }
    const std::size_t n = tree::from_content([&] {
      return content_.read({bytes.bytes.get() + bytes.size, end - bytes.size});
    });
    if (n == 0) {
      in_segment_ = false;
      continue;
    }
    if (stretch.segments.empty() || stretch.segments.back().hole) {
      stretch.segments.push_back({false, 0});
    }
    stretch.segments.back().length += n;
    bytes.size += n;
  }
  return true;
}

void StretchReader::cut(Stretch& stretch, bool last) {
  const auto data = stretch.bytes.data();
  if (!chunker_) {
    stretch.chunks.push_back({0, data.size(), last, {}, {}});
    return;
  }
  std::size_t at = 0;                  // where the chunk at hand begins
  std::size_t seen = stretch.carried;  // by the chunker
  const auto end_chunk = [&] {
    const auto chunk = data.subspan(at, seen - at);
    stretch.chunks.push_back({at, chunk.size(), true, chunk_hash(hasher_, chunk), {}});
    at = seen;
  };
  while (seen < data.size()) {
    bool ends = false;
    seen += chunker_->feed(data.subspan(seen), ends);
    if (ends) end_chunk();
  }
  if (last && at < seen) end_chunk();
  carry_.assign(data.begin() + static_cast<std::ptrdiff_t>(at), data.end());
}

}  // namespace rota::chain
