#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "base/channel.h"
#include "base/file.h"
#include "base/progress.h"
#include "base/time.h"
#include "tree/content_writer.h"
#include "tree/link_table.h"
#include "tree/metadata.h"
#include "tree/predecessor.h"
#include "tree/sink.h"
#include "tree/xattr_spill.h"

namespace rota::tree {

struct TreeWriterOptions {
  /// Take a directory that is not empty: what it holds stays, names that arrive replace their
  /// predecessors one by one, each by a rename. Directories are never replaced by other things.
  bool merge = false;
  bool owners_by_name = false;  ///< owners by name where it is known here, else by number
  /// A directory that the source cannot tell of, though something lies in it, is made all the same,
  /// with mode 0700, reported, and counted in damaged(). Else it is an Error(corrupt).
  bool make_lost_directories = false;
  bool touch_root = true;  ///< give the target itself the root entry's metadata
  /// Earlier trees on the target's filesystem, the one to prefer first: what did not change since,
  /// directories apart, becomes a hard link to it. Not with `merge`.
  std::vector<Predecessor*> predecessors = {};
  /// Hears of what was made; then every file is hashed. Needs `clock`.
  Observer* observer = nullptr;
  base::Clock* clock = nullptr;
};

/// Writes a tree into a directory: the one tree writer of rota (restores, copies on disks).
///
/// Nothing is written outside the target: every name is created relative to the descriptor of a
/// directory that this object made or opened itself, with O_NOFOLLOW and O_EXCL. Directories get
/// their mode and times when all that is in them is done. Files are written by kWorkers threads.
///
/// A file whose content is not what its digest says, or cannot be read back from the store, is not
/// left behind: it is reported and counted in damaged(). One that changes while it is read is read
/// again once, then kept and reported. A name that cannot be made is reported, the rest goes on.
///
/// With predecessors, two names share an inode in the target exactly if they do in the source. An
/// entry that a stat walk takes for unchanged (is_unchanged) is linked, a group of hard links with
/// its first name. A file that was read and found to have the same content and metadata is linked
/// too, if it had one name then and has one now: the old inode may have others in the earlier tree,
/// which are separate files now. Else it gets an inode of its own, which shares the content where
/// the filesystem can (reflinks); so does a large file, of which only the blocks that differ are
/// written. At the filesystem's limit of links a file is written anew. A file that cannot be read
/// is linked with its older state, which is better than none; next time it is looked at again.
///
/// Memory: kWorkers × (one batch of kBatchFiles entries + 2 × kBuffer) and as many batches waiting;
/// with an observer up to kSlots batches: 32 × 64 × about 1 KiB = 2 MiB. Where entries have large
/// xattrs, a batch has at most kBatchBytes of them before it is worked on: 8 × 4 MiB, and
/// XattrSpill::kInMemory afterwards: 32 × 1 MiB.
class TreeWriter final : public Sink {
 public:
  /// target: made if it is absent. Throws Error(refused) when it holds anything and `merge` is off.
  TreeWriter(const std::string& target, TreeWriterOptions options, base::Warnings& warnings,
             base::Progress& progress, std::stop_token stop);
  /// target: a directory, open for reading; shown: its name in messages.
  TreeWriter(base::Fd target, std::string shown, TreeWriterOptions options,
             base::Warnings& warnings, base::Progress& progress, std::stop_token stop);
  ~TreeWriter() override;

  /// Writes the source's entries to the end and makes them durable. Throws for what stops the whole
  /// (disk full, store unavailable, stop requested); what was written until then stays.
  void consume(Source& source) override;

  /// Files that were left out because what the store holds of them is damaged, and directories of
  /// which nothing was known.
  std::uint64_t damaged() const { return damaged_; }

  static constexpr unsigned kWorkers = 4;
  static constexpr std::size_t kBatchFiles = 64;
  static constexpr std::uint64_t kBatchBytes = 4 << 20;
  /// Each keeps a descriptor open, and one for each predecessor that is linked from: with the
  /// batches of all workers and as many waiting, and those on the way down, at most 137 together
  /// without, 411 with two predecessors.
  static constexpr std::size_t kBatchDirectories = 8;
  static constexpr std::size_t kBuffer = 256 << 10;
  /// Batches that were begun and have not come to the observer.
  static constexpr unsigned kSlots = 32;
  /// A changed file from this size on is written as a clone of its earlier state.
  static constexpr std::uint64_t kCloneSize = 256 << 10;

 private:
  struct Directory;
  /// An earlier state that an entry may share something with.
  struct Candidate {
    Known known;
    int number = 0;  ///< of the predecessor
    std::shared_ptr<base::Fd> directory;
    bool unchanged = false;
    bool linkable = true;  ///< until it turns out that it has too many names, or is gone
  };
  struct Job {
    std::shared_ptr<Directory> parent;    ///< none: it was made already
    std::shared_ptr<base::Fd> parent_fd;  ///< kept open though the directory may be parked
    Placed placed;
    std::unique_ptr<Candidate> candidate;
    std::unique_ptr<Known> before;  ///< in the first predecessor, when it changed since
    bool made = false;
    Entry& entry() { return placed.entry; }
  };
  struct Batch {
    std::uint64_t sequence = 0;
    std::vector<Job> jobs;
    XattrSpill xattrs;  ///< of jobs that are done, for the observer
  };

  // tree_writer.cpp: the walk, and the order of things
  void check_target() const;
  void take(Source& source, Entry& entry);
  void check_parent(const std::string& path) const;
  void take_entry(Source& source, Entry& entry);
  static std::size_t held_bytes(const Job& job);
  void queue(Job job);
  void report(Job job);
  std::vector<Job>& jobs();
  void flush();
  void work(Source& source);
  void observe();
  std::string shown(const Entry& entry) const;
  base::Instant now() const { return options_.clock ? options_.clock->now() : base::Instant{}; }

  // tree_writer_directories.cpp
  void leave_until(const std::string& path);
  void pop();
  void done(const std::shared_ptr<Directory>& directory);
  void make_directory(const Entry& entry, bool lost = false);
  void make_lost_directories(const std::string& path);
  base::Fd open_directory(int parent, const char* name, bool& found);
  std::shared_ptr<base::Fd> earlier_directory(std::size_t predecessor);
  bool inherits_acl(const Entry& entry) const;
  void set_metadata(int fd, const Entry& entry);

  // tree_writer_entries.cpp: what is no directory
  bool make_special(Source& source, Job& job);
  bool make_link(const Entry& entry);
  void made_first(const Entry& entry);
  bool place(int parent, const Entry& entry, const std::string& what,
             const std::function<int(const char* name)>& create);
  void report_failure(const Entry& entry, const std::string& what, int reason);
  enum class Attempt { made, left_out, changed };
  bool write_file(Source& source, Job& job, std::span<std::byte> buffer);
  Attempt try_file(Source& source, Job& job, std::span<std::byte> buffer, bool last);

  // tree_writer_links.cpp: what is shared with predecessors
  void consult(Job& job);
  bool link_unchanged(Job& job);
  static void compare_before(const Known& known, Placed& placed);
  static bool is_same(const Job& job, const std::optional<base::Sha256Digest>& digest);
  bool link_same(Job& job, const std::optional<base::Sha256Digest>& digest);
  bool link_unreadable(Job& job);
  bool link_to(Job& job);
  base::Fd open_earlier(const Job& job) const;
  base::Fd clone_earlier(int fd, const Job& job);
  void share_content(int fd, const Job& job, const base::Sha256Digest& digest);

  std::string target_;
  TreeWriterOptions options_;
  base::Warnings& warnings_;
  base::Progress& progress_;
  std::stop_token stop_;
  base::Fd target_fd_;
  NameCache names_;
  std::vector<std::shared_ptr<Directory>> stack_;
  std::optional<Batch> batch_;
  std::uint64_t batch_bytes_ = 0;
  std::size_t batch_directories_ = 0;
  std::uint64_t next_sequence_ = 0;
  std::string last_;  ///< the path of the entry before
  bool root_has_default_acl_ = false;
  LinkTable made_first_;  ///< when merging: files that were made and have other names
  base::Channel<Batch> batches_{kWorkers};
  base::Channel<Batch> finished_{kSlots};  ///< on their way to the observer
  base::Channel<int> slots_{kSlots};
  std::atomic<unsigned> workers_left_{kWorkers};
  std::mutex shortfall_mutex_;
  MetadataShortfall shortfall_;
  std::atomic<std::uint64_t> damaged_{0};
  std::atomic<bool> can_clone_{true};  ///< until the filesystem says that it cannot
};

}  // namespace rota::tree
