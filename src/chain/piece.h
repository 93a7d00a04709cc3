#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "chain/index_record.h"
#include "chain/record.h"
#include "store/store.h"

namespace rota::chain {

/// Writes the sorted blocks of one index piece and hands its objects on as they fill.
class PieceWriter {
 public:
  using PutObject = std::function<void(std::uint32_t number, base::Bytes object)>;
  /// Called with each block when its place is known.
  using OnBlock = std::function<void(const BlockRow&)>;
  PieceWriter(PutObject put, OnBlock on_block);

  void add(const IndexRecord& record, const BlockEncoder::Resolve& resolve);
  /// Closes the last block and object.
  void finish();

  std::uint64_t entries() const { return entries_; }
  std::vector<BlockRow> take_blocks() { return std::move(blocks_); }

 private:
  void flush_block();

  PutObject put_;
  OnBlock on_block_;
  Compressor compressor_;
  BlockEncoder encoder_;
  base::Bytes object_;
  std::uint32_t object_number_ = 0;
  std::uint64_t entries_ = 0;
  std::vector<BlockRow> blocks_;
};

/// Reads index objects of one chain, from a local directory of copies where there is one, else from
/// the store. A copy that turns out to be damaged is removed and the store asked. Thread safe.
///
/// Memory: the last kKept small parts that the store gave, so that a file and the directories above
/// it, which mostly stand in one block, cost one request for each piece: at most 4 MiB.
class IndexObjects {
 public:
  /// copies: a directory as `<run>/i000000`; empty for none. decrypted: `store` is a ClearStore of
  /// an encrypted chain: what it gives was authenticated, and is not what the rows' hashes are of.
  IndexObjects(store::Store& store, std::string chain, std::string copies, bool decrypted = false);

  /// Exactly `size` bytes from `position`.
  base::Bytes read(const std::string& run, std::uint32_t number, std::uint64_t position,
                   std::size_t size);
  /// A copy of this object is not what it should be. True when there was one.
  bool distrust(const std::string& run, std::uint32_t number);
  /// Copies objects of a piece that are not here yet.
  void copy(const std::string& run, const Piece& piece);
  std::string describe(const std::string& run, std::uint32_t number) const;

  static constexpr std::size_t kKept = 16;
  static constexpr std::size_t kKeptSize = 256 << 10;

 private:
  struct Part {
    std::string name;
    std::uint64_t position;
    base::Bytes bytes;
  };
  std::string copy_path(const std::string& run, std::uint32_t number) const;

  store::Store& store_;
  std::string chain_;
  std::string copies_;
  bool decrypted_;
  std::mutex mutex_;
  std::deque<Part> kept_;  ///< from the store, oldest first
};

/// Reads one piece in order, from a given path on.
class PieceCursor {
 public:
  /// piece and objects must outlive the cursor. scan: much will be read: fetch kWindow at a time
  /// instead of single blocks.
  PieceCursor(IndexObjects& objects, const std::string& run, const Piece& piece, bool scan);

  /// The next record at or behind `from`. Call once before next(), or never for the start.
  void seek(const std::string& from);
  /// Throws Error(corrupt) naming the object when it is damaged or missing.
  bool next(IndexRecord& record);

  static constexpr std::size_t kWindow = 1 << 20;

 private:
  bool read(IndexRecord& record);
  bool load_block();
  base::Bytes block_bytes(const BlockRow& row);

  IndexObjects& objects_;
  std::string run_;
  const Piece& piece_;
  bool scan_;
  std::size_t next_block_ = 0;  ///< behind the one that is read
  std::optional<BlockDecoder> decoder_;
  std::string from_;
  base::Bytes window_;
  std::uint32_t window_object_ = 0;
  std::uint64_t window_start_ = 0;
};

/// The index of a run as one sorted stream: its pieces merged, the newest word on a path counts.
class IndexView {
 public:
  /// record and objects must outlive the view. first_piece: merge the pieces from this one on.
  IndexView(IndexObjects& objects, const RunRecord& record, bool scan, std::size_t first_piece = 0);

  void seek(const std::string& from);
  /// keep_removed: also give records that say that a path is gone (to merge pieces).
  bool next(IndexRecord& record, bool keep_removed = false);

  /// The entry at exactly this path.
  static std::optional<IndexRecord> find(IndexObjects& objects, const RunRecord& record,
                                         const std::string& path);

 private:
  struct Head {
    PieceCursor cursor;
    IndexRecord record;
    bool has = false;
  };
  std::vector<Head> heads_;
  bool primed_ = false;
};

}  // namespace rota::chain
