#pragma once

#include <memory>
#include <vector>

#include "base/channel.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/pipeline.h"
#include "chain/signature.h"

namespace rota::chain {

/// Hashes and signs a large file's content on a thread of its own, while the reader compares it
/// with its old version, which is slower.
///
/// Memory: kPieces pieces of what the reader reads at once; the signature goes to a temporary file.
class DigestThread {
 public:
  using Piece = std::shared_ptr<const std::vector<std::byte>>;

  /// size: about how many packed bytes will come.
  explicit DigestThread(std::uint64_t size);
  ~DigestThread();

  void data(Piece piece) { pieces_.send({std::move(piece), 0}); }
  void hole(std::uint64_t length) { pieces_.send({nullptr, length}); }

  struct Result {
    base::Sha256Digest digest;  ///< of the content with its holes as zeros
    base::Fd signature;         ///< a file without a name
  };
  /// Waits for the end. Throws what went wrong.
  Result finish();

  static constexpr std::size_t kPieces = 4;

 private:
  struct Item {
    Piece data;
    std::uint64_t hole;
  };
  void work();

  base::Channel<Item> pieces_{kPieces};
  SignatureBuilder builder_;
  Result result_;
  base::Pipeline pipeline_;  ///< last: its end must come first
};

/// The zeros of a hole, for a hash.
void hash_zeros(base::Sha256& hasher, std::uint64_t length);

}  // namespace rota::chain
