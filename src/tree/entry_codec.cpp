#include "tree/entry_codec.h"

#include <algorithm>

#include "base/error.h"

namespace rota::tree {

using base::Error;
using base::ErrorKind;

void EntryEncoder::path(base::Bytes& out, const std::string& path) {
  const auto [end, unused] =
      std::mismatch(path.begin(), path.end(), last_path_.begin(), last_path_.end());
  const auto shared = static_cast<std::size_t>(end - path.begin());
  base::ByteWriter writer(out);
  writer.varint(shared);
  writer.string(std::string_view(path).substr(shared));
  last_path_ = path;
}

void EntryEncoder::entry(base::Bytes& out, const Entry& entry, unsigned flags) {
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
  if (!entry.xattrs.empty()) {
    writer.varint(entry.xattrs.size());
    for (const Xattr& xattr : entry.xattrs) {
      writer.string(xattr.name);
      writer.string(xattr.value);
    }
  }
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
    last_.user = in.string(1024);
    last_.group = in.string(1024);
  }
  entry.uid = last_.uid;
  entry.gid = last_.gid;
  entry.user = last_.user;
  entry.group = last_.group;
  entry.mode = static_cast<std::uint32_t>(in.varint_max(07777));
  entry.mtime.seconds = in.zigzag();
  entry.mtime.nanoseconds = static_cast<std::uint32_t>(in.varint_max(999'999'999));
  entry.ctime.seconds = static_cast<std::int64_t>(static_cast<std::uint64_t>(in.zigzag()) +
                                                  static_cast<std::uint64_t>(entry.mtime.seconds));
  entry.ctime.nanoseconds = static_cast<std::uint32_t>(in.varint_max(999'999'999));
  entry.inode = last_.inode + static_cast<std::uint64_t>(in.zigzag());
  last_.inode = entry.inode;
  entry.links = in.varint();
  if ((head & kHasXattrs) != 0) {
    std::size_t room = kMaxXattrs;
    for (std::uint64_t left = in.varint_max(kMaxXattrs); left > 0; --left) {
      Xattr xattr{std::string(in.string(255)), std::string(in.string(65'536))};
      const std::size_t size = xattr.name.size() + xattr.value.size();
      if (size > room) throw Error(ErrorKind::corrupt, "an entry has too many xattrs");
      room -= size;
      entry.xattrs.push_back(std::move(xattr));
    }
  }
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
