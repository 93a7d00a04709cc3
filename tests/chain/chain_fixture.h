#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/progress.h"
#include "base/time.h"
#include "chain/backup.h"
#include "chain/catalog.h"
#include "chain/local_state.h"
#include "chain/piece.h"
#include "store/store.h"
#include "support/faulty_store.h"
#include "support/files.h"
#include "tree/source.h"
#include "tree/tree_writer.h"

namespace rota::test {

/// A clock that stands still until a test moves it: between runs, never during one.
class SetClock final : public base::Clock {
 public:
  explicit SetClock(base::Instant start) : now_(start) {}
  base::Instant now() override { return now_; }
  void sleep(std::chrono::milliseconds duration, const std::stop_token&) override {
    advance(std::chrono::ceil<std::chrono::seconds>(duration));
  }
  void advance(std::chrono::seconds by) { now_ += by; }
  void set(base::Instant now) { now_ = now; }

 private:
  base::Instant now_;
};

/// A store in memory: sweeps and damage need thousands of them, and no disk.
class MemoryStore final : public store::Store {
 public:
  MemoryStore() = default;
  MemoryStore(const MemoryStore& other) : objects(other.objects) {}

  void put(const std::string& name, std::span<const std::byte> data) override;
  base::Bytes get(const std::string& name, std::uint64_t limit) override;
  std::size_t read_some(const std::string& name, std::uint64_t offset,
                        std::span<std::byte> buffer) override;
  store::Page list(const std::string& prefix, const std::string& after, std::size_t limit) override;
  store::Removal remove(const std::string& name) override;
  store::HashKind hash_kind() const override { return store::HashKind::none; }
  std::string description() const override { return "memory"; }

  std::map<std::string, base::Bytes> objects;

 private:
  std::mutex mutex_;
};

/// How often each kind of call reached a store; a rule for FaultyStore that fails nothing.
struct Calls {
  std::atomic<std::uint64_t> puts{0};
  std::atomic<std::uint64_t> gets{0};
  std::atomic<std::uint64_t> reads{0};
  std::atomic<std::uint64_t> lists{0};
  std::atomic<std::uint64_t> removes{0};
  std::uint64_t all() const { return puts + gets + reads + lists + removes; }
  FaultyStore::Rule rule();
};

/// A source that passes everything on, counts, and lets a test step in between.
class WatchedSource final : public tree::Source {
 public:
  explicit WatchedSource(tree::Source& inner) : inner_(inner) {}

  bool next(tree::Entry& entry) override;
  bool can_tell(const std::string& path) const override {
    return on_can_tell ? on_can_tell(path) : inner_.can_tell(path);
  }
  bool complete(tree::Entry& entry) override;
  std::unique_ptr<tree::Content> open(tree::Entry& entry) override;

  std::atomic<std::uint64_t> opened{0};
  /// After the inner source gave an entry; false leaves it out.
  std::function<bool(tree::Entry&)> on_next;
  /// Before the inner source is asked to open; false: it cannot be opened.
  std::function<bool(tree::Entry&)> on_open;
  /// After it was opened: what takes the content's place.
  std::function<std::unique_ptr<tree::Content>(const tree::Entry&, std::unique_ptr<tree::Content>)>
      on_content;
  std::function<bool(tree::Entry&)> on_complete;
  /// In place of the inner source.
  std::function<bool(const std::string&)> on_can_tell;

 private:
  tree::Source& inner_;
};

/// Content that passes everything on; the base of those that misbehave.
class PassedContent : public tree::Content {
 public:
  explicit PassedContent(std::unique_ptr<tree::Content> inner) : inner_(std::move(inner)) {}
  std::optional<tree::Segment> next_segment() override { return inner_->next_segment(); }
  std::size_t read(std::span<std::byte> buffer) override { return inner_->read(buffer); }
  bool unchanged() override { return inner_->unchanged(); }

 private:
  std::unique_ptr<tree::Content> inner_;
};

/// One profile as a test sees it: a tree, a store, what the machine remembers, a clock that is a
/// day later at each run, and a plain copy of the tree as it was at each run.
class Backups {
 public:
  /// On a disk, with a store in a directory.
  Backups();
  /// In memory, with a store that outlives this: where what is made durable is not the point.
  explicit Backups(store::Store& store);

  const TempDir temp;
  const std::string tree;  ///< the directory that is backed up
  std::unique_ptr<store::Store> own_store;
  store::Store& store;
  std::unique_ptr<chain::LocalState> state;
  SetClock clock;
  base::Clock* used_clock = &clock;  ///< another one, if a test wants it
  chain::BackupSettings settings;
  /// Of the last backup or restore.
  std::vector<std::pair<std::string, std::string>> warnings;
  std::uint64_t damaged = 0;           ///< of the last restore
  std::vector<chain::LostRange> lost;  ///< the same

  /// From now on runs are encrypted; what reads them here has the key.
  void encrypt();
  chain::KeyRing keys;

  std::string path(const std::string& name) const { return tree + "/" + name; }
  std::string cache() const { return temp / "cache"; }

  /// A day later: backs the tree up and keeps a copy of it.
  chain::RunRecord run();
  /// The same, but a full.
  chain::RunRecord full();
  /// Backs up through other hands and keeps nothing.
  chain::RunRecord backup(store::Store& through, tree::Source& source,
                          const std::stop_token& stop = {});
  chain::RunRecord backup(store::Store& through);
  /// Backs up through a watched source, as `prepare` sets it up, and keeps a copy of the tree.
  chain::RunRecord watched(const std::function<void(WatchedSource&)>& prepare,
                           std::uint64_t* opened = nullptr);

  /// Copies the tree as what this run must give.
  void keep(const std::string& run);
  std::string kept(const std::string& run) const { return temp / ("kept-" + run); }
  /// For runs that became visible though their backup failed: the tree is still the same.
  void keep_new();

  /// Restores into a new directory, as `rota restore` on a machine that has nothing; goes on behind
  /// damage.
  void restore(const std::string& run, const std::string& target,
               const std::vector<std::string>& paths = {}, const tree::TreeWriterOptions& how = {});
  /// The same through other hands.
  void restore(store::Store& through, const std::string& run, const std::string& target,
               const std::vector<std::string>& paths = {}, const tree::TreeWriterOptions& how = {});
  /// Restores a run to disk and says what differs from its copy, warnings included; "" when
  /// nothing.
  std::string check(const std::string& run);
  /// The same without writing: every byte is read from the store and compared.
  std::string quick_check(const std::string& run);
  /// The same, compared with the tree as it is now: for a run that was not kept.
  std::string quick_check_now(const std::string& run);
  /// quick_check() of all runs in the store; a run without a copy is a difference.
  std::string quick_check_all();
  /// Names of all runs, oldest first.
  std::vector<std::string> runs();
  /// Throws away what the machine remembers and begins it anew from the directories.
  void reopen_state();

 private:
  explicit Backups(store::Store* given);
  std::string compare_with(const std::string& directory, const std::string& run);
};

/// Objects in the store that no run record names.
std::vector<std::string> orphans(store::Store& store, chain::KeyRing* keys = nullptr);

/// Volumes that a run added.
std::size_t volumes(const chain::RunRecord& record);

/// `size` bytes that do not compress, the same for the same seed.
std::string noise(std::size_t size, std::uint64_t seed);

/// Text for warnings, one a line.
std::string lines(const std::vector<std::pair<std::string, std::string>>& warnings);

}  // namespace rota::test
