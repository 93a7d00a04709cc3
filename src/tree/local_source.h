#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/progress.h"
#include "tree/exclude.h"
#include "tree/link_table.h"
#include "tree/metadata.h"
#include "tree/names.h"
#include "tree/source.h"

namespace rota::tree {

/// What of a tree is taken.
struct Selection {
  ExcludeRules rules;            ///< matched against full paths, the source's own in front
  bool one_file_system = false;  ///< mount points are kept as empty directories
  bool exclude_caches = false;   ///< of a directory with a CACHEDIR.TAG only that file is kept
  std::vector<std::string> exclude_if_present;  ///< the same for files of these names
};

/// A tree of the local filesystem, read in order with directory descriptors: no path is ever given
/// to the kernel whole, so its length has no limit, and no symlink is followed.
///
/// Memory: the names of the directories on the way from the root to the current entry (see
/// DirectoryNames), and at most kMaxOpen of their descriptors; those further up are opened again
/// through "..", and checked to be the same. Two paths for each of kMaxUnknown.
///
/// What an index cannot hold is left out with a warning, and the rest of the tree is taken: paths
/// over kMaxWalkedPath, names over kMaxName (some filesystems have such), xattrs beyond kMaxXattrs;
/// and files with more than kMaxHoles of holes.
class LocalSource final : public Source {
 public:
  /// root: an existing directory, which may itself be a symlink. Throws Error(not_found/io) when it
  /// cannot be read.
  LocalSource(std::string root, Selection selection, base::Warnings& warnings);
  ~LocalSource() override;

  bool next(Entry& entry) override;
  bool can_tell(const std::string& path) const override;
  bool complete(Entry& entry) override;
  std::unique_ptr<Content> open(Entry& entry) override;

  static constexpr std::size_t kMaxOpen = 64;
  /// A file with more of holes than this is left out: its zeros have to be hashed one by one, which
  /// is an hour or less for so many, and could be made to take a lifetime at no cost. What is
  /// honest has less: lastlog with the highest user number has 1.25 TB.
  static constexpr std::uint64_t kMaxHoles = std::uint64_t{2} << 40;

 private:
  struct Level {
    base::Fd fd;  ///< invalid while it is parked
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::size_t path_length = 0;
    DirectoryNames names;
    std::optional<Entry> held;      ///< a `scan` directory that nothing was taken of yet
    std::vector<std::string> only;  ///< if not empty, the only names that are taken
  };
  /// Paths of which nobody can tell: from `first` on, or from what stands behind all of it, to the
  /// end of what is within `last`.
  struct Unknown {
    std::string first;
    bool behind = false;
    std::string last;
    bool contains(std::string_view path) const;
  };
  /// So many at a time; beyond them the last one grows over what lies between.
  static constexpr std::size_t kMaxUnknown = 100;

  bool walk(Entry& entry);
  bool start(Entry& entry);
  bool visit(const char* name, Entry& entry);
  void lose(const std::string& why);
  void lose_rest();
  void lose(Unknown unknown);
  void release_held();
  bool descend(const char* name, Entry& entry, bool held);
  void emit_held(Entry& entry);
  void pop();
  void park();
  void take_xattrs(int fd, Entry& entry);
  std::string full_path(const std::string& path) const;

  std::string root_;
  Selection selection_;
  base::Warnings& warnings_;
  base::Fd root_fd_;
  NameCache owners_;
  LinkTable links_;
  std::vector<Level> levels_;
  std::deque<Entry> ready_;
  std::string path_;              ///< of what was looked at last, in the current level or below it
  std::string given_;             ///< the path that next() gave last
  std::vector<Unknown> unknown_;  ///< in order; what lies before given_ is forgotten
  std::uint64_t root_device_ = 0;
  bool started_ = false;
};

}  // namespace rota::tree
