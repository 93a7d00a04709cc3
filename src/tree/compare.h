#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "tree/source.h"

namespace rota::tree {

enum class Change { added, removed, content, metadata };

/// One difference between two trees. `what` names the differing fields of `metadata`: "mode,
/// mtime".
struct Difference {
  Change change;
  Entry entry;  ///< as in the second tree; as in the first for `removed`
  std::string what;
};

/// read: contents are compared by digest; one that is not known is read and hashed. trust: by size
/// alone.
enum class Contents { read, trust };

/// Walks two trees in one merge pass and calls `report` for each difference, in order. ctime,
/// inode, link counts and names of owners do not count; owners do, by number. Throws
/// Error(interrupted) when a stop is requested while a content is read.
void compare(Source& first, Source& second, const std::function<void(const Difference&)>& report,
             Contents contents = Contents::read, const std::stop_token& stop = {});

/// Fills in entry.digest of a regular file by reading it. False when it vanished or cannot be read.
/// Throws Error(interrupted) when a stop is requested meanwhile.
bool compute_digest(Source& source, Entry& entry, const std::stop_token& stop = {});

}  // namespace rota::tree
