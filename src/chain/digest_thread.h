#pragma once

#include <optional>
#include <stop_token>

#include "base/channel.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/pipeline.h"
#include "chain/signature.h"
#include "chain/stretch.h"

namespace rota::chain {

/// Hashes and signs a large file's content on a thread of its own, while others read it and compare
/// it with its old version.
///
/// Memory: what SignatureWriter says; the signature goes to a temporary file.
class DigestThread {
 public:
  /// old: of the chunks that are marked in stretches; null for none. done: takes each stretch back.
  /// Both outlive this. stop: ends it in the middle of a hole, which may be of any length.
  DigestThread(SignatureShape shape, const OldSignature* old, base::Channel<StretchPtr>& done,
               std::stop_token stop);
  ~DigestThread();

  void send(StretchPtr stretch) { stretches_.send(std::move(stretch)); }

  struct Result {
    base::Sha256Digest digest;       ///< of the content with its holes as zeros
    base::Fd signature;              ///< a file without a name
    std::uint64_t signed_bytes = 0;  ///< whose sums were computed, not copied
  };
  /// Waits for the end. Throws what went wrong.
  Result finish();

 private:
  void work();
  void hash(const Stretch& stretch);
  void sign(const Stretch& stretch);

  const OldSignature* old_;
  base::Channel<StretchPtr>& done_;
  base::Channel<StretchPtr> stretches_;
  std::stop_token stop_;
  base::Sha256 hasher_;
  SignatureWriter writer_;
  Result result_;
  base::Pipeline pipeline_;  ///< last: its end must come first
};

}  // namespace rota::chain
