#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tree/entry.h"

namespace rota::tree {

/// What an earlier tree has at a path.
struct Known {
  Entry entry;         ///< as it was in the source then, with xattrs and digest
  bool racy = false;   ///< may have changed although it looks the same
  bool noise = false;  ///< its content looked like noise (see NoiseMeter)
  /// It may be looked at, but nothing is to be shared with it (it is known to be damaged).
  bool distrusted = false;
  std::int64_t tag = 0;  ///< the owner's; handed on with what is linked
};

/// An earlier tree of the same layout on the same filesystem, from which a TreeWriter links what
/// has not changed. Used by the thread of the walk only, but for root().
class Predecessor {
 public:
  virtual ~Predecessor() = default;
  /// The descriptor of its root directory.
  virtual int root() const = 0;
  /// What it has at `path`; null for nothing. Paths come in ascending order; the answer lives until
  /// the next call.
  virtual const Known* find(const std::string& path) = 0;
};

/// What a predecessor had at the path of an entry that was made.
struct Before {
  EntryKind kind = EntryKind::file;
  std::uint64_t size = 0;
  bool noise = false;
  bool same_content = false;   ///< of files: the same digest
  bool same_metadata = false;  ///< mode, owner, mtime, target, device and xattrs
};

/// One entry as a TreeWriter really made it.
struct Placed {
  Entry entry;  ///< with the digest of every regular file
  bool racy = false;
  bool noise = false;
  /// It shares its inode with the predecessor of this number; -1 when it has a new one.
  int linked_from = -1;
  std::int64_t tag = 0;          ///< Known::tag of what it was linked from
  std::optional<Before> before;  ///< in the first predecessor
};

/// Hears of each entry that a TreeWriter made, in the tree's order, though files are finished out
/// of it, and each only when it is written. Directories come before what is in them, so that their
/// own metadata is set later. Called by one thread at a time.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void placed(Placed&& entry) = 0;
};

}  // namespace rota::tree
