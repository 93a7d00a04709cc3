#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "base/bytes.h"
#include "chain/signature.h"
#include "chain/stretch.h"

struct rs_job;
struct rs_signature;

namespace rota::chain {

/// What a delta consists of, in the order of the new file.
class DeltaSink {
 public:
  virtual ~DeltaSink() = default;
  /// The next `length` bytes are those at `offset` of the old packed bytes.
  virtual void copy(std::uint64_t offset, std::uint64_t length) = 0;
  /// The next bytes are new.
  virtual void literal(std::span<const std::byte> data) = 0;
};

/// Parses librsync's delta stream piece by piece as it comes (the format: librsync's command table,
/// prototab.h; magic "rs\x02\x36"). Throws Error(corrupt) for anything else.
class DeltaParser {
 public:
  /// old_size: packed bytes of the old file, which copies must not exceed.
  DeltaParser(std::uint64_t old_size, DeltaSink& sink) : old_size_(old_size), sink_(sink) {}
  void feed(std::span<const std::byte> data);
  /// Throws when the stream is not complete. Then another may come.
  void finish();

 private:
  bool command(std::span<const std::byte>& data);

  std::uint64_t old_size_;
  DeltaSink& sink_;
  base::Bytes partial_;  ///< a command that is not complete yet, 17 bytes at most
  std::uint64_t literal_left_ = 0;
  bool begun_ = false;
  bool ended_ = false;
};

/// Finds the parts of a new file that an old one had, by its signature: chunks that are the same by
/// their hash, wherever they were, and within the others, by librsync, blocks that are the same.
/// One thread.
///
/// librsync gets the sums of a window of blocks, around the place that comes after what was found
/// last: nearly always that is where an edited chunk's blocks are, and a table that fits into the
/// processor's cache is searched ten times as fast. It gets all of them when that does not go well:
/// when much of the content seems to be new, or the place jumps to and fro.
///
/// Memory: 0.5 MB for a window. For all, 20 bytes a block and librsync's hash table, 12 bytes for
/// each of its 2^n places: 108 MB for the largest, 95 for 1 GiB of content.
class Matcher {
 public:
  struct Limits {
    std::uint32_t window = 16 << 10;   ///< blocks
    std::uint64_t literals = 4 << 20;  ///< many: so many bytes, and an eighth of all so far
  };
  /// old: outlives this, as does the sink.
  Matcher(const OldSignature& old, DeltaSink& sink) : Matcher(old, sink, Limits()) {}
  Matcher(const OldSignature& old, DeltaSink& sink, Limits limits);
  ~Matcher();

  /// All chunks of a stretch; marks those that the old content has.
  void compare(Stretch& stretch);

  /// A whole chunk. Returns the old chunk that is the same, if any.
  std::optional<std::uint32_t> chunk(const ChunkHash& hash, std::span<const std::byte> data);

  /// A chunk whose hash nobody knows, piece by piece; it is compared block by block.
  void update(std::span<const std::byte> data);
  void end_chunk();

 private:
  struct FreeJob {
    void operator()(rs_job* job) const;
  };
  struct FreeSums {
    void operator()(rs_signature* sums) const;
  };
  /// Translates places among the old blocks, as if each were full, to places in the old content.
  class Places final : public DeltaSink {
   public:
    Places(const OldSignature& old, DeltaSink& sink) : old_(old), sink_(sink) {}
    void copy(std::uint64_t offset, std::uint64_t length) override;
    void literal(std::span<const std::byte> data) override;
    std::uint32_t first_block = 0;  ///< of those that librsync has
    std::uint32_t next_chunk = 0;   ///< behind the one that was copied from last
    std::uint64_t literals = 0;     ///< bytes

   private:
    const OldSignature& old_;
    DeltaSink& sink_;
  };
  void choose_sums();
  void load(std::uint32_t first, std::uint32_t last);
  void iterate(std::span<const std::byte> data, bool end);

  const OldSignature& old_;
  DeltaSink& sink_;
  const Limits limits_;
  Places places_;
  DeltaParser parser_;
  base::Bytes out_;
  std::unique_ptr<rs_signature, FreeSums> sums_;  ///< null until a chunk is not found
  std::uint32_t begin_ = 0;                       ///< the blocks that they are of
  std::uint32_t end_ = 0;
  std::uint64_t loaded_ = 0;              ///< blocks, of all that were loaded
  std::uint64_t seen_ = 0;                ///< bytes of the new file
  std::unique_ptr<rs_job, FreeJob> job_;  ///< of the chunk at hand
};

}  // namespace rota::chain
