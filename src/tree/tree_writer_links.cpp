#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"
#include "base/text.h"
#include "tree/tree_writer_directory.h"
#include "tree/unchanged.h"

namespace rota::tree {

namespace {

/// All that is restored of it, but content and name.
bool same_metadata(const Entry& a, const Entry& b) {
  return a.kind == b.kind && a.mode == b.mode && a.uid == b.uid && a.gid == b.gid &&
         a.mtime == b.mtime && a.target == b.target && a.device_major == b.device_major &&
         a.device_minor == b.device_minor && a.xattrs == b.xattrs;
}

}  // namespace

/// What the predecessors have at the entry's path, and what of it may be shared.
void TreeWriter::consult(Job& job) {
  const Entry& entry = job.entry();
  for (std::size_t i = 0; i < options_.predecessors.size(); ++i) {
    const Known* known = options_.predecessors[i]->find(entry.path);
    if (known == nullptr) continue;
    bool unchanged = !known->racy && is_unchanged(entry, known->entry);
    // What a source knows of the content outweighs what its times say.
    if (entry.digest && known->entry.digest != entry.digest) unchanged = false;
    if (i == 0) {
      job.placed.before =
          Before{known->entry.kind, known->entry.size, known->noise, unchanged, unchanged};
      if (!unchanged) job.before = std::make_unique<Known>(*known);
    }
    if (known->distrusted || entry.kind == EntryKind::hard_link) continue;
    if (!unchanged && (job.candidate || entry.kind != known->entry.kind)) continue;
    if (job.candidate && job.candidate->unchanged) continue;
    std::shared_ptr<base::Fd> directory = earlier_directory(i);
    if (!directory->valid()) continue;
    job.candidate.reset(
        new Candidate{*known, static_cast<int>(i), std::move(directory), unchanged, true});
  }
}

/// How an entry that was made differs from what the first predecessor had.
void TreeWriter::compare_before(const Known& known, Placed& placed) {
  const Entry& now = placed.entry;
  Before& before = *placed.before;
  before.same_content = now.kind == known.entry.kind &&
                        (!now.is_file() || now.digest == known.entry.digest) &&
                        now.target == known.entry.target;
  before.same_metadata =
      now.kind == EntryKind::hard_link ? before.same_content : same_metadata(now, known.entry);
}

bool TreeWriter::link_unchanged(Job& job) {
  if (!job.candidate || !job.candidate->unchanged || !link_to(job)) return false;
  // The source was not asked for these: they are as they were.
  Known& known = job.candidate->known;
  job.entry().xattrs = std::move(known.entry.xattrs);
  job.entry().digest = known.entry.digest;
  job.entry().target = std::move(known.entry.target);
  return true;
}

/// True when an entry that was read may share the inode of its earlier state; digest: of a file's
/// content.
bool TreeWriter::is_same(const Job& job, const std::optional<base::Sha256Digest>& digest) {
  if (!job.candidate || !job.candidate->linkable) return false;
  const Entry& then = job.candidate->known.entry;
  return job.placed.entry.links == 1 && then.links == 1 && then.digest == digest &&
         same_metadata(job.placed.entry, then);
}

bool TreeWriter::link_same(Job& job, const std::optional<base::Sha256Digest>& digest) {
  if (!is_same(job, digest) || !link_to(job)) return false;
  job.entry().size = job.candidate->known.entry.size;
  job.entry().digest = digest;
  return true;
}

/// In place of a file that cannot be read: its older state.
bool TreeWriter::link_unreadable(Job& job) {
  if (!job.candidate || !job.candidate->linkable) return false;
  Known& known = job.candidate->known;
  if (job.entry().links != 1 || known.entry.links != 1 || !link_to(job)) return false;
  warnings_.warn(shown(job.entry()), "its state of the copy before was kept");
  job.placed.entry = std::move(known.entry);
  job.placed.racy = true;
  return true;
}

/// Links the candidate's inode. False when that cannot be, but something else can be written.
bool TreeWriter::link_to(Job& job) {
  const std::string name = name_of(job.entry());
  Candidate& candidate = *job.candidate;
  if (::linkat(candidate.directory->get(), name.c_str(), job.parent_fd->get(), name.c_str(), 0) !=
      0) {
    if (errno == ENOSPC || errno == EDQUOT || errno == EROFS) {
      base::throw_os("cannot create", base::printable(shown(job.entry())), errno);
    }
    candidate.linkable = false;
    return false;
  }
  job.placed.linked_from = candidate.number;
  job.placed.tag = candidate.known.tag;
  job.placed.noise = candidate.known.noise;
  return true;
}

/// The file that the candidate is in the earlier tree.
base::Fd TreeWriter::open_earlier(const Job& job) const {
  base::Fd fd(::openat(job.candidate->directory->get(), name_of(job.placed.entry).c_str(),
                       O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat st {};
  if (fd.valid() && (::fstat(fd.get(), &st) != 0 || !S_ISREG(st.st_mode))) fd.reset();
  return fd;
}

/// Makes the new file a clone of its earlier state. Invalid when it is none, and still empty.
base::Fd TreeWriter::clone_earlier(int fd, const Job& job) {
  if (!job.candidate || !can_clone_ || job.placed.entry.size < kCloneSize ||
      job.candidate->known.entry.size < kCloneSize) {
    return {};
  }
  base::Fd earlier = open_earlier(job);
  if (!earlier.valid()) return {};
  if (clone_file(fd, earlier.get())) return earlier;
  if (errno == EOPNOTSUPP || errno == ENOTTY || errno == EXDEV || errno == EINVAL) {
    can_clone_ = false;
  }
  return {};
}

/// Of a small file that has the content of before, and other metadata.
void TreeWriter::share_content(int fd, const Job& job, const base::Sha256Digest& digest) {
  if (!job.candidate || !can_clone_ || job.candidate->known.entry.digest != digest ||
      job.placed.entry.size == 0) {
    return;
  }
  const base::Fd earlier = open_earlier(job);
  struct stat now {};
  struct stat then {};
  if (!earlier.valid() || ::fstat(fd, &now) != 0 || ::fstat(earlier.get(), &then) != 0 ||
      now.st_size != then.st_size) {
    return;
  }
  if (!clone_file(fd, earlier.get())) can_clone_ = false;
}

}  // namespace rota::tree
