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

namespace {

/// The low four bits of the first byte: the entry's kind, or one of these.
constexpr unsigned kRemoved = 0;
constexpr unsigned kContinuation = 15;
constexpr unsigned kKindMask = 0x0f;
constexpr unsigned kSameOwner = 0x10;
constexpr unsigned kXattrs = 0x20;
constexpr unsigned kRacy = 0x40;
constexpr unsigned kMoreExtents = 0x80;

/// How an extent is written; the low two bits in front of its length.
enum ExtentForm : unsigned { kFollows = 0, kSameFrame = 1, kOtherFrame = 2, kHoleForm = 3 };

}  // namespace

void BlockEncoder::path(const std::string& path) {
  const auto [end, unused] =
      std::mismatch(path.begin(), path.end(), last_path_.begin(), last_path_.end());
  const auto shared = static_cast<std::size_t>(end - path.begin());
  base::ByteWriter out(bytes_);
  out.varint(shared);
  out.string(std::string_view(path).substr(shared));
  last_path_ = path;
}

void BlockEncoder::add(const IndexRecord& record, const Resolve& resolve,
                       const std::function<void()>& full) {
  const Entry& entry = record.entry;
  if (empty()) first_path_ = entry.path;
  const std::size_t count = record.extents ? record.extents->size() : 0;
  std::size_t done = std::min(count, kExtentsPerRecord);

  path(entry.path);
  base::ByteWriter out(bytes_);
  if (record.removed) {
    out.u8(kRemoved);
    return;
  }
  const bool same_owner = entry.uid == last_.uid && entry.gid == last_.gid &&
                          entry.user == last_.user && entry.group == last_.group;
  out.u8(static_cast<std::uint8_t>(static_cast<unsigned>(entry.kind) |
                                   (same_owner ? kSameOwner : 0) |
                                   (entry.xattrs.empty() ? 0 : kXattrs) |
                                   (record.racy ? kRacy : 0) | (done < count ? kMoreExtents : 0)));
  if (!same_owner) {
    out.varint(entry.uid);
    out.varint(entry.gid);
    out.string(entry.user);
    out.string(entry.group);
  }
  metadata(record);
  if (entry.is_file() && entry.size > 0) extents(*record.extents, 0, done, resolve);
  last_.uid = entry.uid;
  last_.gid = entry.gid;
  last_.user = entry.user;
  last_.group = entry.group;
  last_.inode = entry.inode;

  while (done < count) {
    if (size() >= kBlockRaw) {
      full();
      first_path_ = entry.path;
    }
    const std::size_t until = std::min(count, done + kExtentsPerRecord);
    path(entry.path);
    base::ByteWriter(bytes_).u8(
        static_cast<std::uint8_t>(kContinuation | (until < count ? kMoreExtents : 0)));
    extents(*record.extents, done, until, resolve);
    done = until;
  }
}

void BlockEncoder::metadata(const IndexRecord& record) {
  const Entry& entry = record.entry;
  base::ByteWriter out(bytes_);
  out.varint(entry.mode);
  out.zigzag(entry.mtime.seconds);
  out.varint(entry.mtime.nanoseconds);
  out.zigzag(static_cast<std::int64_t>(static_cast<std::uint64_t>(entry.ctime.seconds) -
                                       static_cast<std::uint64_t>(entry.mtime.seconds)));
  out.varint(entry.ctime.nanoseconds);
  out.zigzag(static_cast<std::int64_t>(entry.inode - last_.inode));
  out.varint(entry.links);
  if (!entry.xattrs.empty()) {
    out.varint(entry.xattrs.size());
    for (const tree::Xattr& xattr : entry.xattrs) {
      out.string(xattr.name);
      out.string(xattr.value);
    }
  }
  switch (entry.kind) {
    case EntryKind::file:
      out.varint(entry.size);
      if (entry.size == 0) return;
      if (!entry.digest) throw Error(ErrorKind::io, "a file came to the index without its hash");
      out.raw(*entry.digest);
      out.varint(record.read_cost);
      out.varint(record.fresh_cost);
      return;
    case EntryKind::symlink:
    case EntryKind::hard_link:
      out.string(entry.target);
      return;
    case EntryKind::char_device:
    case EntryKind::block_device:
      out.varint(entry.device_major);
      out.varint(entry.device_minor);
      return;
    case EntryKind::directory:
    case EntryKind::fifo:
      return;
  }
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

std::string_view BlockDecoder::path() {
  const std::size_t shared = static_cast<std::size_t>(in_.varint_max(last_path_.size()));
  const std::string_view suffix = in_.string(tree::kMaxPath);
  last_path_.resize(shared);
  last_path_ += suffix;
  return last_path_;
}

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
    record.entry.path = path();
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
    record.entry.kind = static_cast<EntryKind>(kind);
    record.racy = (flags & kRacy) != 0;
    more = (flags & kMoreExtents) != 0;
    metadata(record, flags);
    return true;
  }
}

void BlockDecoder::metadata(IndexRecord& record, unsigned flags) {
  Entry& entry = record.entry;
  if ((flags & kSameOwner) == 0) {
    last_.uid = in_.varint32();
    last_.gid = in_.varint32();
    last_.user = in_.string(1024);
    last_.group = in_.string(1024);
  }
  entry.uid = last_.uid;
  entry.gid = last_.gid;
  entry.user = last_.user;
  entry.group = last_.group;
  entry.mode = static_cast<std::uint32_t>(in_.varint_max(07777));
  entry.mtime.seconds = in_.zigzag();
  entry.mtime.nanoseconds = static_cast<std::uint32_t>(in_.varint_max(999'999'999));
  entry.ctime.seconds = static_cast<std::int64_t>(static_cast<std::uint64_t>(in_.zigzag()) +
                                                  static_cast<std::uint64_t>(entry.mtime.seconds));
  entry.ctime.nanoseconds = static_cast<std::uint32_t>(in_.varint_max(999'999'999));
  entry.inode = last_.inode + static_cast<std::uint64_t>(in_.zigzag());
  last_.inode = entry.inode;
  entry.links = in_.varint();
  if ((flags & kXattrs) != 0) {
    std::size_t room = tree::kMaxXattrs;
    for (std::uint64_t left = in_.varint_max(tree::kMaxXattrs); left > 0; --left) {
      tree::Xattr xattr{std::string(in_.string(255)), std::string(in_.string(65'536))};
      const std::size_t size = xattr.name.size() + xattr.value.size();
      if (size > room) throw Error(ErrorKind::corrupt, "an entry has too many xattrs");
      room -= size;
      entry.xattrs.push_back(std::move(xattr));
    }
  }
  switch (entry.kind) {
    case EntryKind::file:
      entry.size = in_.varint();
      if (entry.size == 0) {
        entry.digest = base::sha256({});
        return;
      }
      entry.digest.emplace();
      std::ranges::copy(in_.raw(entry.digest->size()), entry.digest->begin());
      record.read_cost = in_.varint();
      record.fresh_cost = in_.varint();
      record.extents = std::make_shared<ExtentTable>();
      extents(*record.extents);
      return;
    case EntryKind::symlink:
      entry.target = in_.string(tree::kMaxPath);
      return;
    case EntryKind::hard_link:
      entry.target = in_.string(tree::kMaxPath);
      tree::check_path(entry.target);
      return;
    case EntryKind::char_device:
    case EntryKind::block_device:
      entry.device_major = in_.varint32();
      entry.device_minor = in_.varint32();
      return;
    case EntryKind::directory:
    case EntryKind::fifo:
      return;
  }
}

bool BlockDecoder::continue_extents(IndexRecord& record, bool& more) {
  if (in_.at_end()) return false;
  if (path() != record.entry.path) {
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
