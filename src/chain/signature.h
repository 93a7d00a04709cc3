#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/hash.h"

struct rs_job;

namespace rota::chain {

/// Files with fewer packed bytes are stored whole when they change: a signature would cost more
/// than it saves.
inline constexpr std::uint64_t kMinSigned = 2048;
/// A signature's size at most: blocks grow beyond 512 bytes with the file to keep it.
inline constexpr std::uint64_t kMaxSignature = 64 << 20;
/// A signature's blocks at most: beyond 0.7 x 2^22 of them librsync's hash table doubles.
inline constexpr std::uint64_t kMaxBlocks = 2'900'000;
/// A signature's chunks at most: they grow with the file.
inline constexpr std::uint64_t kMaxChunks = 1 << 18;

/// How a content's packed bytes are described.
struct SignatureShape {
  std::uint32_t block = 0;    ///< bytes of a block
  std::uint32_t average = 0;  ///< bytes of a chunk; 0: all content is one chunk, without a hash

  /// For content that is read as one. size: about how many bytes will come, as below.
  static SignatureShape whole(std::uint64_t size);
  /// For content that is cut by a Chunker. Beyond kMaxChunks of the largest it is one chunk, too.
  static SignatureShape cut(std::uint64_t size);
  friend bool operator==(const SignatureShape&, const SignatureShape&) = default;
};

/// The first 16 bytes of a chunk's SHA-256: nobody can make two contents of one hash.
using ChunkHash = std::array<std::byte, 16>;
ChunkHash chunk_hash(base::Sha256& hasher, std::span<const std::byte> data);

/// Bytes of a signature, wherever they lie: from `at` on, as many as fit into `out`, which must lie
/// within the size, or Error(corrupt). Can be called from several threads.
struct SignatureBytes {
  std::uint64_t size = 0;
  std::function<void(std::uint64_t at, std::span<std::byte> out)> read;
};
/// Of what is in memory, and stays there.
SignatureBytes signature_bytes(std::span<const std::byte> signature);

/// A signature that an earlier run wrote: which chunks there are, and the sums of their blocks.
///
/// Memory: 36 bytes a chunk, 9.4 MB for the largest.
class OldSignature {
 public:
  /// Nothing when it is of another layout (of an older rota). Throws Error(corrupt) when it does
  /// not hang together.
  static std::optional<OldSignature> open(SignatureBytes bytes);

  struct Chunk {
    ChunkHash hash{};
    std::uint64_t offset = 0;  ///< in the packed bytes
    std::uint32_t first = 0;   ///< number of its first block
  };
  const SignatureShape& shape() const { return shape_; }
  std::uint64_t packed_size() const { return chunks_.back().offset; }
  std::uint32_t chunks() const { return static_cast<std::uint32_t>(chunks_.size() - 1); }
  const Chunk& chunk(std::uint32_t index) const { return chunks_[index]; }
  std::uint64_t length(std::uint32_t index) const {
    return chunks_[index + 1].offset - chunks_[index].offset;
  }
  std::uint32_t blocks() const { return chunks_.back().first; }

  /// A chunk with this content: number `expected`, or one behind it, before all others.
  std::optional<std::uint32_t> find(const ChunkHash& hash, std::uint64_t length,
                                    std::uint32_t expected) const;
  std::uint32_t chunk_of_block(std::uint32_t block) const;
  /// The sums of the blocks [first, first + out.size() / kBlockSum), as librsync writes them.
  void read_sums(std::uint32_t first, std::span<std::byte> out) const;

  static constexpr std::size_t kBlockSum = 20;

 private:
  OldSignature() = default;

  SignatureBytes bytes_;
  SignatureShape shape_;
  std::vector<Chunk> chunks_;  ///< and one behind the last
  std::vector<std::uint32_t> by_hash_;
};

/// Writes a signature. In front a header; then the sums of all blocks as librsync makes them, in
/// order: 4 bytes of a RabinKarp rolling sum, 16 of BLAKE2 (the body of `rdiff signature -R
/// rabinkarp -S 16` of each chunk alone, whose last block may be short); at the end, 24 bytes a
/// chunk, its length and hash, and their number.
///
/// Memory: the chunks' 24 bytes, 6.3 MB for the largest, and what is not taken yet.
class SignatureWriter {
 public:
  explicit SignatureWriter(SignatureShape shape);

  /// More bytes of the chunk at hand.
  void update(std::span<const std::byte> data);
  void end_chunk(const ChunkHash& hash);
  /// Chunks that the old content has, too, number `first` and those behind it: their sums are
  /// copied. Where the blocks are equally long only.
  void copy(const OldSignature& old, std::uint32_t first, std::uint32_t count);

  const SignatureShape& shape() const { return shape_; }
  /// Bytes whose sums were computed, not copied.
  std::uint64_t signed_bytes() const { return signed_; }
  /// What was made so far and not taken yet, so that nobody need hold it whole.
  base::Bytes take() { return std::exchange(out_, {}); }
  /// The rest.
  base::Bytes finish();

 private:
  struct FreeJob {
    void operator()(rs_job* job) const;
  };
  void iterate(std::span<const std::byte> data, bool end);
  void add_row(std::uint64_t length, const ChunkHash& hash);

  SignatureShape shape_;
  std::unique_ptr<rs_job, FreeJob> job_;  ///< of the chunk at hand; null before its first byte
  std::size_t header_left_ = 0;           ///< of the job's own header, which is left out
  std::uint64_t length_ = 0;              ///< of the chunk at hand so far
  std::uint64_t signed_ = 0;
  base::Bytes out_;
  base::Bytes rows_;
  base::Bytes room_;
};

/// Of content that is in memory, as one chunk.
base::Bytes sign_whole(std::span<const std::byte> content);

}  // namespace rota::chain
