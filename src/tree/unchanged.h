#pragma once

#include "base/time.h"
#include "tree/entry.h"

namespace rota::tree {

/// True when a stat walk says that `now` is what it was as `then`: the one rule by which rota takes
/// something for unchanged (docs/architecture.md, "What changed"). Kind, size, mode, owner, mtime,
/// ctime, inode and number of links decide; of a hard link its target alone.
///
/// then: an entry that was not racy when it was read, of the same path.
bool is_unchanged(const Entry& now, const Entry& then);

/// True when the entry was read so soon after its ctime that a later change may leave the same:
/// within 2 s, because file times are as coarse as a tick and FAT's as 2 s. A ctime in the future
/// is racy too.
bool is_racy(const Entry& entry, base::Instant read_at);

}  // namespace rota::tree
