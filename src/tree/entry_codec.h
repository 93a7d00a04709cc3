#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "tree/entry.h"

namespace rota::tree {

/// How entries stand in stored indexes (docs/format.md, "Entries"): those of chains and those of
/// copies on disks. Paths, owners and inodes are written relative to the entry before, so that a
/// sequence can be read from its start only.
///
/// In front of an entry, behind its path, stands its *head*: the kind in the low four bits, two
/// flags of the codec's, and two that are the caller's.
inline constexpr unsigned kKindMask = 0x0f;
inline constexpr unsigned kSameOwner = 0x10;
inline constexpr unsigned kHasXattrs = 0x20;
inline constexpr unsigned kCallersFlags = 0xc0;

/// Count, names and values. encode: throws Error(io) beyond kMaxXattrs; decode: Error(corrupt).
void encode_xattrs(base::Bytes& out, const Entry& entry);
void decode_xattrs(base::ByteReader& in, Entry& entry);

class EntryEncoder {
 public:
  /// Throws Error(io) for a path with a fault.
  void path(base::Bytes& out, const std::string& path);
  /// Head and metadata, the digest of a file last (of one that is not empty).
  /// flags: the caller's. Throws Error(io) for a file without a digest, and for anything that a
  /// decoder refuses.
  void entry(base::Bytes& out, const Entry& entry, unsigned flags);

 private:
  std::string last_path_;
  Entry last_;  ///< owner and inode of the entry before
};

/// Throws Error(corrupt) for anything that the encoder would not write.
class EntryDecoder {
 public:
  /// The view lives until the next call. Not checked: see check_path().
  std::string_view path(base::ByteReader& in);
  /// What follows `head`, which the caller has read and whose kind is an EntryKind. entry: fresh.
  void entry(base::ByteReader& in, unsigned head, Entry& entry);

 private:
  std::string last_path_;
  Entry last_;
};

}  // namespace rota::tree
