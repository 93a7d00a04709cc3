#include "chain/index_record.h"

#include <algorithm>

#include "base/error.h"
#include "chain/frame.h"
#include "store/store.h"

namespace rota::chain {

using base::Error;
using base::ErrorKind;
using tree::Entry;
using tree::EntryKind;
using tree::kKindMask;

namespace {

/// The low four bits of the first byte: the entry's kind, or one of these.
constexpr unsigned kRemoved = 0;
constexpr unsigned kContinuation = 15;
constexpr unsigned kRacy = 0x40;
constexpr unsigned kMoreExtents = 0x80;

/// How an extent is written; the low two bits in front of its length.
enum ExtentForm : unsigned { kFollows = 0, kSameFrame = 1, kOtherFrame = 2, kHoleForm = 3 };

}  // namespace

void BlockEncoder::add(const IndexRecord& record, const Resolve& resolve,
                       const std::function<void()>& take_block) {
  const Entry& entry = record.entry;
  if (empty()) first_path_ = entry.path;
  const std::size_t count = record.extents ? record.extents->size() : 0;
  std::size_t done = std::min(count, kExtentsPerRecord);

  entries_.path(bytes_, entry.path);
  if (record.removed) {
    base::ByteWriter(bytes_).u8(kRemoved);
    return;
  }
  entries_.entry(bytes_, entry, (record.racy ? kRacy : 0) | (done < count ? kMoreExtents : 0));
  if (entry.is_file() && entry.size > 0) {
    base::ByteWriter out(bytes_);
    out.varint(record.read_cost);
    out.varint(record.fresh_cost);
    extents(*record.extents, 0, done, resolve);
  }

  while (done < count) {
    if (full()) {
      take_block();
      first_path_ = entry.path;
    }
    const std::size_t until = std::min(count, done + kExtentsPerRecord);
    entries_.path(bytes_, entry.path);
    base::ByteWriter(bytes_).u8(
        static_cast<std::uint8_t>(kContinuation | (until < count ? kMoreExtents : 0)));
    extents(*record.extents, done, until, resolve);
    done = until;
  }
}

bool BlockEncoder::full() const {
  // Names of ordinary length make no difference that would be worth another size of block.
  const std::size_t more = first_path_.size() < 1024 ? 0 : kBlockPerPathByte * first_path_.size();
  return size() >= std::min(kBlockRaw + more, kMostRaw);
}

void BlockEncoder::extents(const ExtentTable& table, std::size_t from, std::size_t to,
                           const Resolve& resolve) {
  base::ByteWriter out(bytes_);
  out.varint(to - from);
  for (std::size_t i = from; i < to; ++i) {
    Extent extent = table.at(i);
    if (extent.pending()) extent = resolve(extent);
    if (extent.hole()) {
      out.varint(extent.length << 2 | kHoleForm);
      continue;
    }
    const bool same = extent.same_frame(place_) && extent.frame_size == place_.frame_size;
    const bool follows = same && extent.offset == place_.offset + place_.length;
    out.varint(extent.length << 2 | (follows ? kFollows : same ? kSameFrame : kOtherFrame));
    if (!same) {
      out.varint(extent.run);
      out.varint(extent.volume);
      out.varint(extent.frame);
      out.varint(extent.frame_size);
    }
    if (!follows) out.varint(extent.offset);
    place_ = extent;
  }
}

base::Bytes BlockEncoder::take() {
  base::Bytes bytes = std::move(bytes_);
  *this = BlockEncoder();
  return bytes;
}

BlockDecoder::BlockDecoder(base::Bytes raw) : raw_(std::move(raw)), in_(raw_) {}

bool BlockDecoder::begins_inside() const {
  base::ByteReader ahead = in_;
  ahead.varint();
  ahead.string(tree::kMaxPath);
  return (ahead.u8() & kKindMask) == kContinuation;
}

bool BlockDecoder::next(IndexRecord& record, bool& more) {
  more = false;
  for (;;) {
    if (in_.at_end()) return false;
    record = IndexRecord();
    record.entry.path = entries_.path(in_);
    const unsigned flags = in_.u8();
    const unsigned kind = flags & kKindMask;
    if (kind == kContinuation) {
      // The block begins inside a long file that the reader did not ask for.
      ExtentTable skipped;
      extents(skipped);
      continue;
    }
    tree::check_path(record.entry.path);
    if (kind == kRemoved) {
      record.removed = true;
      return true;
    }
    if (kind > static_cast<unsigned>(EntryKind::hard_link)) {
      throw Error(ErrorKind::corrupt, "an entry of unknown kind stands in the index");
    }
    record.racy = (flags & kRacy) != 0;
    more = (flags & kMoreExtents) != 0;
    entries_.entry(in_, flags, record.entry);
    if (record.entry.is_file() && record.entry.size > 0) {
      record.read_cost = in_.varint();
      record.fresh_cost = in_.varint();
      record.extents = std::make_shared<ExtentTable>();
      extents(*record.extents);
    }
    return true;
  }
}

bool BlockDecoder::continue_extents(IndexRecord& record, bool& more) {
  if (in_.at_end()) return false;
  if (entries_.path(in_) != record.entry.path) {
    throw Error(ErrorKind::corrupt, "the extents of a file break off in the index");
  }
  const unsigned flags = in_.u8();
  if ((flags & kKindMask) != kContinuation || !record.extents) {
    throw Error(ErrorKind::corrupt, "the extents of a file break off in the index");
  }
  more = (flags & kMoreExtents) != 0;
  extents(*record.extents);
  return true;
}

void BlockDecoder::extents(ExtentTable& table) {
  for (std::uint64_t left = in_.varint_max(kExtentsPerRecord); left > 0; --left) {
    const std::uint64_t head = in_.varint();
    const std::uint64_t length = head >> 2;
    if (length == 0) throw Error(ErrorKind::corrupt, "an extent is empty");
    const auto form = static_cast<ExtentForm>(head & 3);
    if (form == kHoleForm) {
      Extent hole;
      hole.run = Extent::kHole;
      hole.length = length;
      table.push(hole);
      continue;
    }
    Extent extent = place_;
    if (form == kOtherFrame) {
      extent.run = static_cast<std::uint32_t>(in_.varint_max(Extent::kPending - 1));
      extent.volume = in_.varint32();
      extent.frame = in_.varint32();
      extent.frame_size = static_cast<std::uint32_t>(in_.varint_max(store::kMaxObject));
    }
    const std::uint64_t offset =
        form == kFollows ? place_.offset + place_.length : in_.varint_max(kFrameRaw);
    if (offset > kFrameRaw || length > kFrameRaw - offset) {
      throw Error(ErrorKind::corrupt, "an extent reaches out of its frame");
    }
    extent.offset = static_cast<std::uint32_t>(offset);
    extent.length = length;
    table.push(extent);
    place_ = extent;
  }
}

}  // namespace rota::chain
