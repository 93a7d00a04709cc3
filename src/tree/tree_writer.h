#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "base/channel.h"
#include "base/file.h"
#include "base/progress.h"
#include "tree/link_table.h"
#include "tree/metadata.h"
#include "tree/sink.h"

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
/// Memory: kWorkers × (one batch of kBatchFiles entries + kBuffer) and as many batches waiting.
class TreeWriter final : public Sink {
 public:
  /// target: made if it is absent. Throws Error(refused) when it holds anything and `merge` is off.
  TreeWriter(std::string target, TreeWriterOptions options, base::Warnings& warnings,
             base::Progress& progress, std::stop_token stop);
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
  /// Each keeps a descriptor open: with the batches of all workers and as many waiting, and those
  /// on the way down, at most 137 together.
  static constexpr std::size_t kBatchDirectories = 8;
  static constexpr std::size_t kBuffer = 256 << 10;

 private:
  struct Directory;
  struct Job {
    std::shared_ptr<Directory> parent;
    std::shared_ptr<base::Fd> parent_fd;  ///< kept open though the directory may be parked
    Entry entry;
  };
  using Batch = std::vector<Job>;

  void open_target();
  void take(Source& source, Entry& entry);
  void leave_until(const std::string& path);
  void check_parent(const std::string& path) const;
  void pop();
  void done(const std::shared_ptr<Directory>& directory);
  void make_directory(const Entry& entry, bool lost = false);
  void make_lost_directories(const std::string& path);
  base::Fd open_directory(int parent, const char* name, bool& found);
  bool inherits_acl(const Entry& entry) const;
  void make_special(const Entry& entry);
  void make_link(const Entry& entry);
  void set_metadata(int fd, const Entry& entry);
  bool place(int parent, const Entry& entry, const std::string& what,
             const std::function<int(const char* name)>& create);
  void report_failure(const Entry& entry, const std::string& what, int reason);
  void queue(Entry entry);
  void flush();
  void work(Source& source);
  enum class Attempt { made, left_out, changed };
  bool write_file(Source& source, Job& job, std::span<std::byte> buffer);
  Attempt try_file(Source& source, Job& job, std::span<std::byte> buffer, bool last);
  void made_first(const Entry& entry);
  std::string shown(const Entry& entry) const;

  std::string target_;
  TreeWriterOptions options_;
  base::Warnings& warnings_;
  base::Progress& progress_;
  std::stop_token stop_;
  base::Fd target_fd_;
  NameCache names_;
  std::vector<std::shared_ptr<Directory>> stack_;
  Batch batch_;
  std::uint64_t batch_bytes_ = 0;
  std::size_t batch_directories_ = 0;
  std::string last_;  ///< the path of the entry before
  bool root_has_default_acl_ = false;
  LinkTable made_first_;  ///< when merging: files that were made and have other names
  base::Channel<Batch> batches_{kWorkers};
  std::mutex shortfall_mutex_;
  MetadataShortfall shortfall_;
  std::atomic<std::uint64_t> damaged_{0};
};

}  // namespace rota::tree
