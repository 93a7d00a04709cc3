#pragma once

#include <sys/types.h>

#include <atomic>
#include <memory>
#include <vector>

#include "tree/tree_writer.h"

namespace rota::tree {

/// A directory that is being filled. Its metadata is set when nobody works in it any more: `users`
/// counts the walk itself and every file that a worker still has to write.
struct TreeWriter::Directory {
  Entry entry;
  std::shared_ptr<base::Fd> fd;  ///< reset while it is parked
  /// The same directory of each predecessor, opened when it is needed; an invalid one where there
  /// is none.
  std::vector<std::shared_ptr<base::Fd>> earlier;
  dev_t device = 0;
  ino_t inode = 0;
  std::atomic<int> users{1};
  bool apply = true;
};

/// Descriptors of directories that are kept open on the way down; see LocalSource::kMaxOpen.
inline constexpr std::size_t kMaxOpenDirectories = 64;
inline constexpr const char* kDefaultAcl = "system.posix_acl_default";

inline std::string name_of(const Entry& entry) { return std::string(base_name(entry.path)); }

}  // namespace rota::tree
