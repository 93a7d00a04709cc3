#pragma once

#include <functional>
#include <optional>
#include <stop_token>

#include "chain/batch.h"
#include "chain/digest_thread.h"
#include "chain/packer.h"
#include "chain/stretch.h"

namespace rota::chain {

/// Streams files over kSmallFile: a thread of its own reads, cuts and hashes chunks; the walk's
/// thread compares them with the old version and hands frames of raw content to the packers as they
/// fill; a third thread hashes the whole and signs.
///
/// Memory: kStretches stretches, one frame, what DigestThread says, and for a file that changed
/// what OldSignature and Matcher say; frames on their way count with the batches.
class LargeFile {
 public:
  /// send: takes each raw frame, in order.
  using Send = std::function<void(RawBuffer)>;
  LargeFile(WriterContext& context, std::stop_token stop, Send send)
      : context_(context), stop_(std::move(stop)), send_(std::move(send)) {}

  /// Fills in the item's record, pending extents counting the frames sent for it.
  void work(Item& item);

 private:
  bool read(Item& item, const OldSignature* old, FrameFiller& filler);
  bool store_pass(Item& item, tree::Content& content, const OldSignature* old, FrameFiller& filler);
  struct Pass;
  Pass pass(tree::Content& content, std::uint64_t size, const OldSignature* old,
            const std::function<void(Stretch&)>& work);
  bool reuse(Item& item);
  void resign(Item& item);
  std::optional<OldSignature> old_signature(const Item& item) const;

  WriterContext& context_;
  std::stop_token stop_;
  Send send_;
};

/// True when a file that was stored in parts is better stored whole again: reading it would cost
/// more than 1.5 times its fresh stored size, or it lies in more than 1,000 extents per MiB.
bool is_fragmented(const IndexRecord& record);

}  // namespace rota::chain
