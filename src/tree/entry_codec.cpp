#include "tree/entry_codec.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"

namespace rota::tree {

using base::Error;
using base::ErrorKind;

namespace {

constexpr std::uint32_t kMaxMode = 07777;
constexpr std::uint32_t kMaxNanoseconds = 999'999'999;

/// What cannot be read again must not be written: whoever gives such an entry has let it through.
void check_limit(bool kept, const char* what, const Entry& entry) {
  if (kept) return;
  throw Error(ErrorKind::io, fmt::format("{} cannot stand in the index: {}",
                                         base::printable(base::shortened(entry.path)), what));
}

void check_storable(const Entry& entry) {
  check_limit(entry.mode <= kMaxMode, "its mode is none", entry);
  check_limit(entry.mtime.nanoseconds <= kMaxNanoseconds, "its time of change is none", entry);
  check_limit(entry.ctime.nanoseconds <= kMaxNanoseconds, "its ctime is none", entry);
  check_limit(entry.user.size() <= kMaxOwnerName && entry.group.size() <= kMaxOwnerName,
              "its owner's name is too long", entry);
  if (entry.kind == EntryKind::hard_link) {
    check_limit(!fault_of_path(entry.target), "it is a link to such a name", entry);
  }
  check_limit(entry.target.size() <= kMaxPath, "its target is too long", entry);
}

}  // namespace

void encode_xattrs(base::Bytes& out, const Entry& entry) {
  base::ByteWriter writer(out);
  std::size_t room = kMaxXattrs;
  writer.varint(entry.xattrs.size());
  for (const Xattr& xattr : entry.xattrs) {
    const std::size_t size = xattr.name.size() + xattr.value.size();
    check_limit(
        xattr.name.size() <= kMaxXattrName && xattr.value.size() <= kMaxXattrValue && size <= room,
        "it has too many xattrs", entry);
    room -= size;
    writer.string(xattr.name);
    writer.string(xattr.value);
  }
}

void decode_xattrs(base::ByteReader& in, Entry& entry) {
  std::size_t room = kMaxXattrs;
  for (std::uint64_t left = in.varint_max(kMaxXattrs); left > 0; --left) {
    Xattr xattr{std::string(in.string(kMaxXattrName)), std::string(in.string(kMaxXattrValue))};
    const std::size_t size = xattr.name.size() + xattr.value.size();
    if (size > room) throw Error(ErrorKind::corrupt, "an entry has too many xattrs");
    room -= size;
    if (!is_shown_twice(xattr.name)) entry.xattrs.push_back(std::move(xattr));
  }
}

void EntryEncoder::path(base::Bytes& out, const std::string& path) {
  if (const auto fault = fault_of_path(path)) {
    throw Error(ErrorKind::io, fmt::format("the path {} cannot stand in the index: it {}",
                                           base::printable(base::shortened(path)), *fault));
  }
  const auto [end, unused] =
      std::mismatch(path.begin(), path.end(), last_path_.begin(), last_path_.end());
  const auto shared = static_cast<std::size_t>(end - path.begin());
  base::ByteWriter writer(out);
  writer.varint(shared);
  writer.string(std::string_view(path).substr(shared));
  last_path_ = path;
}

void EntryEncoder::entry(base::Bytes& out, const Entry& entry, unsigned flags) {
  check_storable(entry);
  base::ByteWriter writer(out);
  const bool same_owner = entry.uid == last_.uid && entry.gid == last_.gid &&
                          entry.user == last_.user && entry.group == last_.group;
  writer.u8(static_cast<std::uint8_t>(static_cast<unsigned>(entry.kind) |
                                      (same_owner ? kSameOwner : 0) |
                                      (entry.xattrs.empty() ? 0 : kHasXattrs) | flags));
  if (!same_owner) {
    writer.varint(last_.uid = entry.uid);
    writer.varint(last_.gid = entry.gid);
    writer.string(last_.user = entry.user);
    writer.string(last_.group = entry.group);
  }
  writer.varint(entry.mode);
  writer.zigzag(entry.mtime.seconds);
  writer.varint(entry.mtime.nanoseconds);
  writer.zigzag(static_cast<std::int64_t>(static_cast<std::uint64_t>(entry.ctime.seconds) -
                                          static_cast<std::uint64_t>(entry.mtime.seconds)));
  writer.varint(entry.ctime.nanoseconds);
  writer.zigzag(static_cast<std::int64_t>(entry.inode - last_.inode));
  last_.inode = entry.inode;
  writer.varint(entry.links);
  if (!entry.xattrs.empty()) encode_xattrs(out, entry);
  switch (entry.kind) {
    case EntryKind::file:
      writer.varint(entry.size);
      if (entry.size == 0) return;
      if (!entry.digest) throw Error(ErrorKind::io, "a file came to the index without its hash");
      writer.raw(*entry.digest);
      return;
    case EntryKind::symlink:
    case EntryKind::hard_link:
      writer.string(entry.target);
      return;
    case EntryKind::char_device:
    case EntryKind::block_device:
      writer.varint(entry.device_major);
      writer.varint(entry.device_minor);
      return;
    case EntryKind::directory:
    case EntryKind::fifo:
      return;
  }
}

std::string_view EntryDecoder::path(base::ByteReader& in) {
  const std::size_t shared = static_cast<std::size_t>(in.varint_max(last_path_.size()));
  const std::string_view suffix = in.string(kMaxPath);
  last_path_.resize(shared);
  last_path_ += suffix;
  return last_path_;
}

void EntryDecoder::entry(base::ByteReader& in, unsigned head, Entry& entry) {
  const unsigned kind = head & kKindMask;
  if (kind == 0 || kind > static_cast<unsigned>(EntryKind::hard_link)) {
    throw Error(ErrorKind::corrupt, "an entry of unknown kind stands in the index");
  }
  entry.kind = static_cast<EntryKind>(kind);
  if ((head & kSameOwner) == 0) {
    last_.uid = in.varint32();
    last_.gid = in.varint32();
    last_.user = in.string(kMaxOwnerName);
    last_.group = in.string(kMaxOwnerName);
  }
  entry.uid = last_.uid;
  entry.gid = last_.gid;
  entry.user = last_.user;
  entry.group = last_.group;
  entry.mode = static_cast<std::uint32_t>(in.varint_max(kMaxMode));
  entry.mtime.seconds = in.zigzag();
  entry.mtime.nanoseconds = static_cast<std::uint32_t>(in.varint_max(kMaxNanoseconds));
  entry.ctime.seconds = static_cast<std::int64_t>(static_cast<std::uint64_t>(in.zigzag()) +
                                                  static_cast<std::uint64_t>(entry.mtime.seconds));
  entry.ctime.nanoseconds = static_cast<std::uint32_t>(in.varint_max(kMaxNanoseconds));
  entry.inode = last_.inode + static_cast<std::uint64_t>(in.zigzag());
  last_.inode = entry.inode;
  entry.links = in.varint();
  if ((head & kHasXattrs) != 0) decode_xattrs(in, entry);
  switch (entry.kind) {
    case EntryKind::file:
      entry.size = in.varint();
      if (entry.size == 0) {
        entry.digest = base::sha256({});
        return;
      }
      entry.digest.emplace();
      std::ranges::copy(in.raw(entry.digest->size()), entry.digest->begin());
      return;
    case EntryKind::symlink:
      entry.target = in.string(kMaxPath);
      return;
    case EntryKind::hard_link:
      entry.target = in.string(kMaxPath);
      check_path(entry.target);
      return;
    case EntryKind::char_device:
    case EntryKind::block_device:
      entry.device_major = in.varint32();
      entry.device_minor = in.varint32();
      return;
    case EntryKind::directory:
    case EntryKind::fifo:
      return;
  }
}

}  // namespace rota::tree
