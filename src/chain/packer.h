#pragma once

#include <memory>
#include <stop_token>

#include "base/progress.h"
#include "base/time.h"
#include "chain/batch.h"
#include "chain/content_table.h"
#include "chain/frame.h"
#include "chain/piece.h"
#include "tree/source.h"

namespace rota::chain {

/// What the threads of one run share. All of it outlives them.
struct WriterContext {
  tree::Source& source;
  base::Clock& clock;
  base::Warnings& warnings;
  base::Progress& progress;
  int level = 3;
  std::uint32_t run = 0;  ///< this run's number in its chain
  ContentTable& contents;
  IndexObjects& index;                ///< of the runs before
  const RunRecord* parent = nullptr;  ///< null for a full
  std::stop_token stop;
};

/// The extents of known content, when the chain has it: from an entry with the same hash.
std::shared_ptr<ExtentTable> find_content(WriterContext& context, const base::Sha256Digest& digest,
                                          std::uint64_t size);

/// What becomes of a file that could not be read: of an unreadable one the chain's word stays; one
/// that vanished is gone.
void leave_out(WriterContext& context, Item& item);

/// The work of one thread: reads, hashes and compares the small files of a batch and packs what is
/// new of them into one frame.
///
/// Memory: kFrameRaw for the frame, into which files are read at once; as much again only for a
/// file that does not fit into what is left of it; twice the packed frame while it is packed; and a
/// signature of at most 170 kB.
class Packer {
 public:
  explicit Packer(WriterContext& context);
  void work(Batch& batch);

 private:
  void take(Item& item);
  bool read(Item& item);
  void sign(Item& item);
  void store(Item& item);
  bool store_changes(Item& item);
  std::uint64_t layout() const;

  WriterContext& context_;
  Compressor compressor_;
  Batch* batch_ = nullptr;  ///< whose frame is being filled
  FrameFiller filler_;
  std::span<const std::byte> content_;  ///< packed bytes of the file that is read
  RawBuffer overflow_;                  ///< they lie here when the frame has no room for them
  std::vector<tree::Segment> segments_;
};

}  // namespace rota::chain
