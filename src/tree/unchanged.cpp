#include "tree/unchanged.h"

namespace rota::tree {

namespace {
constexpr std::int64_t kRacySeconds = 2;
}

bool is_unchanged(const Entry& now, const Entry& then) {
  if (now.kind != then.kind) return false;
  if (now.kind == EntryKind::hard_link) return now.target == then.target;
  return now.ctime == then.ctime && now.mtime == then.mtime && now.inode == then.inode &&
         now.size == then.size && now.mode == then.mode && now.uid == then.uid &&
         now.gid == then.gid && now.links == then.links && !now.unreadable;
}

bool is_racy(const Entry& entry, base::Instant read_at) {
  return entry.ctime.seconds + kRacySeconds >= read_at.time_since_epoch().count();
}

}  // namespace rota::tree
