#pragma once

#include <functional>
#include <optional>
#include <stop_token>

#include "chain/batch.h"
#include "chain/digest_thread.h"
#include "chain/packer.h"

namespace rota::chain {

/// Streams files over kSmallFile: the walk's thread reads, hashes and compares, and hands frames of
/// raw content to the packers as they fill.
///
/// Memory: DigestThread::kPieces + 2 reads of kRead, one frame, and for a file that changed the
/// signature and its hash table (Matcher); frames on their way count with the batches.
class LargeFile {
 public:
  /// send: takes each raw frame, in order.
  using Send = std::function<void(RawBuffer)>;
  LargeFile(WriterContext& context, std::stop_token stop, Send send)
      : context_(context), stop_(std::move(stop)), send_(std::move(send)) {}

  /// Fills in the item's record, pending extents counting the frames sent for it.
  void work(Item& item);

  static constexpr std::size_t kRead = 1 << 20;

 private:
  bool read(Item& item, FrameFiller& filler);
  bool store_pass(Item& item, tree::Content& content, FrameFiller& filler);
  using OnHole = std::function<void(std::uint64_t packed, std::uint64_t length)>;
  using OnData = std::function<void(std::span<const std::byte> data)>;
  std::uint64_t pass(tree::Content& content, DigestThread& digest, const OnHole& hole,
                     const OnData& data);
  bool reuse(Item& item);
  void resign(Item& item);
  std::optional<Matcher::ReadSignature> old_signature(const Item& item) const;

  WriterContext& context_;
  std::stop_token stop_;
  Send send_;
};

/// True when a file that was stored in parts is better stored whole again: reading it would cost
/// more than 1.5 times its fresh stored size, or it lies in more than 1,000 extents per MiB.
bool is_fragmented(const IndexRecord& record);

}  // namespace rota::chain
