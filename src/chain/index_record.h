#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/bytes.h"
#include "chain/extent_table.h"
#include "tree/entry.h"
#include "tree/entry_codec.h"

namespace rota::chain {

/// One line of a run's index: an entry, or the word that a path is gone.
struct IndexRecord {
  tree::Entry entry;
  bool removed = false;
  /// The entry was read so soon after its ctime that a later change may have the same: read it
  /// again next time. (File times are as coarse as the kernel's tick.)
  bool racy = false;
  std::shared_ptr<ExtentTable> extents;  ///< of a file with content
  /// Of a file that was stored in parts: bytes to read for a restore, and for one after storing it
  /// whole. Both 0 while it is whole.
  std::uint64_t read_cost = 0;
  std::uint64_t fresh_cost = 0;
};

/// Encodes records into the raw content of one index block (docs/format.md, "Index blocks").
/// Paths, owners, inodes and places are written relative to the record before, so that a block can
/// be read from its start only.
class BlockEncoder {
 public:
  /// Where a pending extent's frame came to lie; called for pending extents only.
  using Resolve = std::function<Extent(Extent)>;

  /// Appends a record. Extents beyond kExtentsPerRecord go into continuation records; `take_block`
  /// is called between them when the block is full, so that it stays bounded: it must take() it.
  void add(const IndexRecord& record, const Resolve& resolve,
           const std::function<void()>& take_block);

  std::size_t size() const { return bytes_.size(); }
  /// To be taken before the next record.
  bool full() const;
  bool empty() const { return bytes_.empty(); }
  const std::string& first_path() const { return first_path_; }

  /// The block's raw content; the encoder starts afresh.
  base::Bytes take();

 private:
  void extents(const ExtentTable& table, std::size_t from, std::size_t to, const Resolve& resolve);

  base::Bytes bytes_;
  std::string first_path_;
  tree::EntryEncoder entries_;
  Extent place_;  ///< the extent before
};

/// Reads a block's records one after another. Throws Error(corrupt) for anything that the encoder
/// would not write.
class BlockDecoder {
 public:
  explicit BlockDecoder(base::Bytes raw);

  /// The next record with a fresh entry. False at the end of the block. When it has `more` extents
  /// (in this block or the next), continue_extents() must be called until it returns false.
  bool next(IndexRecord& record, bool& more);
  /// True, before anything was read, when the block begins with extents of a file that stands in an
  /// earlier one.
  bool begins_inside() const;
  /// Reads one continuation record into `record.extents`; false when the block is at its end.
  bool continue_extents(IndexRecord& record, bool& more);

 private:
  void extents(ExtentTable& table);

  base::Bytes raw_;
  base::ByteReader in_;
  tree::EntryDecoder entries_;
  Extent place_;
};

/// A block is closed when its raw content has reached kBlockRaw, and so much more for each byte of
/// a long first path, up to kMostRaw: that path stands in the run record too, which must not grow
/// out of its limit because somebody nests directories. One record adds at most its path, target,
/// xattrs and kExtentsPerRecord × 30 bytes, so that no block exceeds kMaxBlock.
inline constexpr std::size_t kBlockRaw = 128 << 10;
inline constexpr std::size_t kBlockPerPathByte = 32;
inline constexpr std::size_t kMostRaw = 960 << 10;
inline constexpr std::size_t kMaxBlock = 4 << 20;
inline constexpr std::size_t kExtentsPerRecord = 1024;

}  // namespace rota::chain
