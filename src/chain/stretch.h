#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

#include "base/hash.h"
#include "chain/chunker.h"
#include "chain/frame_filler.h"
#include "chain/signature.h"
#include "tree/source.h"

namespace rota::chain {

/// A stretch of a large file on its way from its reader to those who compare, hash and sign it.
struct Stretch {
  struct Chunk {
    std::size_t at = 0;  ///< in `bytes`
    std::size_t length = 0;
    bool ends = true;  ///< false: the next stretch goes on with it
    ChunkHash hash{};
    std::optional<std::uint32_t> old;  ///< the chunk of the old signature that is the same
  };

  RawBuffer bytes;          ///< what the last stretch left of a chunk, then what was read
  std::size_t carried = 0;  ///< bytes of the former
  std::vector<tree::Segment> segments;  ///< what was read, with its holes
  std::vector<Chunk> chunks;            ///< that end here, or go on into the next stretch
  bool hashed = false;                  ///< the chunks are cut and hashed; else all is one

  std::span<const std::byte> data(const Chunk& chunk) const {
    return bytes.data().subspan(chunk.at, chunk.length);
  }
};
using StretchPtr = std::unique_ptr<Stretch>;

/// Of one file at a time: one with its reader, one that is compared, one that is hashed, and two so
/// that none of them waits for the next. Each has StretchReader::kRead and the longest chunk: in
/// all 5.4 MB, and 16 for files of 128 GiB.
inline constexpr std::size_t kStretches = 5;

/// Reads a content in stretches, cuts each into chunks and hashes them.
class StretchReader {
 public:
  /// average: of a SignatureShape. content: outlives this.
  StretchReader(tree::Content& content, std::uint32_t average);

  /// False at the end of the content, when `stretch` is the last one; it may be empty.
  bool fill(Stretch& stretch, const std::stop_token& stop);

  static constexpr std::size_t kRead = 1 << 20;

 private:
  bool read(Stretch& stretch, const std::stop_token& stop);
  void cut(Stretch& stretch, bool last);

  tree::Content& content_;
  std::optional<Chunker> chunker_;
  std::size_t capacity_;
  bool in_segment_ = false;
  base::Bytes carry_;  ///< of a chunk that has not ended
  base::Sha256 hasher_;
};

}  // namespace rota::chain
