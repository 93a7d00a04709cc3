#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "base/channel.h"
#include "base/progress.h"
#include "base/time.h"
#include "chain/batch.h"
#include "chain/clear_store.h"
#include "chain/encryption.h"
#include "chain/local_state.h"
#include "chain/packer.h"
#include "chain/record.h"
#include "chain/resume_log.h"
#include "chain/sequencer.h"
#include "store/store.h"
#include "tree/sink.h"

namespace rota::chain {

/// What a run is to be: decided before it is written (see backup.h).
struct RunPlan {
  std::string run;
  std::string chain;
  RunKind kind = RunKind::full;
  base::Instant time{};
  std::optional<RunRecord> parent;
  std::optional<base::Sha256Digest> parent_sha256;
  std::string source;
  std::string host;
  std::string program;
  int level = 3;      ///< of zstd
  std::string facts;  ///< what a rebuild needs to know of the machine; empty: nothing is kept
  /// Of an encrypted run: its key and who can open it. The parent's recipients are the same.
  std::optional<RunKey> key;
  Lock lock;
  /// Until when the store keeps what is put; nothing: no lock.
  std::optional<store::ObjectLock> object_lock;
  /// Of a run that is resumed: what is in the store already.
  std::optional<Resumed> resumed;
};

/// Writes one run of a chain: takes a tree and stores what the chain does not have of it.
///
/// The walk (calling thread) merges the tree with the index of the run before, gathers what changed
/// into batches and streams large files; packers (kPackers threads) read, hash, compare and
/// compress; the sequencer (one thread) puts frames into volumes and entries into the index, in
/// order; the uploader puts objects. When all have ended well, the run record makes the run
/// visible.
///
/// Memory, when nothing can be compressed: a frame for each packer, 4 × 4 MiB, and zstd, 4 × 1.3;
/// packed frames that are made or wait for their turn, at most kSlots × 4 = 20 MiB, and their
/// copies while they are made; a volume that is filled and those that are put, (1 +
/// Store::connections()) × 16–20 MiB; an index object, 4 MiB; entries on their way, kSlots ×
/// kBatchItems × 0.7 kB = 2 MB, and where they have large xattrs kSlots × (4 + 1) MiB of these (see
/// XattrSpill); SQLite 4 MB; the program 12: about 110 MiB with one connection,
/// 145 with three. Ordinary data, packed to a third, needs about 85. While a large file is read,
/// its frames take the place of the packers' own.
class RunWriter final : public tree::Sink {
 public:
  /// keys: to read the index of an encrypted chain where it has no copy here; null for none. Throws
  /// Error(config) when they are needed and do not open it.
  RunWriter(store::Store& store, LocalState& state, RunPlan plan, KeyRing* keys, base::Clock& clock,
            base::Warnings& warnings, base::Progress& progress, std::stop_token stop);
  ~RunWriter() override;

  /// Stores the tree and commits the run. Whatever is thrown, the run is then not visible, unless
  /// the error says so; its objects are named by the journal.
  void consume(tree::Source& source) override;

  /// After consume(): the run as it was committed.
  const RunRecord& record() const { return record_; }

  static constexpr unsigned kPackers = 4;
  static constexpr unsigned kSlots = 5;
  /// From this size on an unchanged file is read once more when its signature was lost; a smaller
  /// one is simply stored whole when it changes.
  static constexpr std::uint64_t kMinResigned = 256 << 10;

 private:
  using BatchPtr = std::unique_ptr<Batch>;

  void walk(tree::Source& source);
  void meet(tree::Entry& entry, std::optional<IndexRecord> before);
  bool resume(const tree::Entry& entry);
  bool lacks_signature(const IndexRecord& record);
  void recall_contents();
  void keep(const IndexRecord& before);
  void gone(IndexRecord before);
  void add(Item item);
  void flush();
  BatchPtr new_batch();
  void send(BatchPtr batch);
  void stream(Item item);
  void pack();
  void sequence();
  std::unique_ptr<IndexView> absorb(std::uint32_t& span);
  void put_facts(Uploader& uploader);
  void commit();
  void afterwards(const std::function<void()>& note);

  store::Store& store_;
  LocalState& state_;
  RunPlan plan_;
  base::Clock& clock_;
  base::Warnings& warnings_;
  base::Progress& progress_;
  std::stop_token stop_;
  RunRecord record_;
  ClearStore clear_;
  IndexObjects index_;
  ContentTable contents_;

  std::optional<ResumedEntries> resumed_;
  IndexRecord resumed_head_;
  bool has_resumed_ = false;
  std::unique_ptr<WriterContext> context_;
  std::unique_ptr<Sequencer> sequencer_;
  BatchPtr batch_;
  std::uint64_t batch_bytes_ = 0;
  std::uint64_t next_sequence_ = 0;
  std::uint64_t kept_files_ = 0;  ///< entries that are as the chain has them
  std::uint64_t kept_bytes_ = 0;
  bool resign_ = false;     ///< signatures were lost: those of unchanged files are made again
  std::string unreadable_;  ///< the directory whose names could not be read
  bool has_unreadable_ = false;
  std::atomic<unsigned> packers_left_{kPackers};
  base::Channel<int> slots_{kSlots};
  base::Channel<BatchPtr> to_pack_{kSlots};
  base::Channel<BatchPtr> packed_{kSlots};
};

}  // namespace rota::chain
