#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/file.h"
#include "base/hash.h"
#include "tree/entry.h"
#include "tree/entry_codec.h"

struct ZSTD_CCtx_s;

namespace rota::disk {

/// One line of a copy's index.
struct CopyEntry {
  tree::Entry entry;  ///< as in the source: its ctime and inode too; the digest of every file
  bool racy = false;
  bool noise = false;
  /// It shares its inode with the copy of this time (seconds since 1970), which wrote it. 0: this
  /// copy wrote it.
  std::int64_t born = 0;
};

/// Writes an index (docs/format.md, "Index of a copy"): a stream of zstd frames with what rota
/// needs to know of them in skippable frames between, so that `zstd -d` unpacks it.
///
/// Memory: one block, kBlockRaw bytes and its compressed form.
class CopyIndexWriter {
 public:
  /// file: empty, open for writing. shown: for messages.
  CopyIndexWriter(base::Fd file, std::string shown);
  ~CopyIndexWriter();

  void add(const CopyEntry& entry);
  /// Notes that everything up to here is durable, and makes the note so. The caller has synced what
  /// the entries speak of.
  void mark();
  /// Ends the index and makes it durable. Returns the hash of the whole file.
  base::Sha256Digest finish();
  std::uint64_t entries() const { return entries_; }

  /// A block ends with the entry that reaches this size. One entry adds at most 3.2 MiB (two paths,
  /// xattrs), so that no block exceeds kMaxBlock.
  static constexpr std::size_t kBlockRaw = 256 << 10;
  static constexpr std::size_t kMaxBlock = 4 << 20;

 private:
  struct Free {
    void operator()(ZSTD_CCtx_s* context) const;
  };
  void flush();
  void put(const base::Bytes& data);

  base::Fd file_;
  std::string shown_;
  base::Sha256 hasher_;
  base::Bytes block_;
  tree::EntryEncoder encoder_;
  std::unique_ptr<ZSTD_CCtx_s, Free> context_;
  std::uint64_t entries_ = 0;
};

/// Reads an index from bytes that nobody vouches for: throws Error(corrupt) for anything that the
/// writer would not write, order and paths included, or Error(config) for a newer format.
class CopyIndexReader {
 public:
  enum class Extent {
    whole,  ///< it must have its end
    marked  ///< of an attempt that was interrupted: what stands before the last mark
  };
  CopyIndexReader(base::Fd file, Extent extent, std::string shown);
  CopyIndexReader(CopyIndexReader&&) noexcept = default;

  /// False at the end.
  bool next(CopyEntry& entry);

 private:
  /// What stands in a skippable frame.
  struct Frame {
    char type = 0;
    std::uint64_t number = 0;    ///< 'm', 'e': entries before it
    std::uint32_t packed = 0;    ///< 'b'
    std::uint32_t unpacked = 0;  ///< 'b'
  };
  std::optional<Frame> read_frame();
  bool fill();
  void unpack(const Frame& frame);
  void find_last_mark();
  base::Bytes read(std::uint64_t size);
  [[noreturn]] void damaged(const std::string& how) const;

  base::Fd file_;
  std::string shown_;
  std::uint64_t at_ = 0;   ///< of the next frame
  std::uint64_t end_ = 0;  ///< where reading stops
  bool whole_ = true;
  bool ended_ = false;
  base::Bytes block_;
  std::size_t taken_ = 0;  ///< of the block
  tree::EntryDecoder decoder_;
  std::string last_;
  std::uint64_t entries_ = 0;
};

}  // namespace rota::disk
