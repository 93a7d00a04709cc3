#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"
#include "base/text.h"
#include "tree/beneath.h"
#include "tree/new_name.h"
#include "tree/tree_writer_directory.h"
#include "tree/unchanged.h"

namespace rota::tree {

using base::Error;
using base::ErrorKind;

namespace {

/// Nothing else can be written either, whatever it is.
bool is_hopeless(int reason) {
  return reason == ENOSPC || reason == EDQUOT || reason == EROFS || reason == EIO ||
         reason == EMFILE || reason == ENFILE || reason == ENOMEM;
}

int create_node(int parent, const char* name, const Entry& entry) {
  mode_t type = S_IFIFO;
  if (entry.kind == EntryKind::char_device) type = S_IFCHR;
  if (entry.kind == EntryKind::block_device) type = S_IFBLK;
  return ::mknodat(parent, name, type | 0600, ::makedev(entry.device_major, entry.device_minor));
}

}  // namespace

/// Makes what is no directory and no file. False, and reported, when it cannot be.
///
/// create: makes it in `parent` under the name it is given; returns -1 and sets errno on failure.
/// what: it, for the warning.
bool TreeWriter::place(int parent, const Entry& entry, const std::string& what,
                       const std::function<int(const char* name)>& create) {
  NewName name(parent, name_of(entry), options_.merge);
  if (create(name.here()) == 0) {
    name.is_made();
    if (name.commit()) return true;
  }
  report_failure(entry, what, errno);
  return false;
}

void TreeWriter::report_failure(const Entry& entry, const std::string& what, int reason) {
  if (is_hopeless(reason)) {
    base::throw_os("cannot create", base::printable(shown(entry)), reason);
  }
  warnings_.warn(shown(entry),
                 fmt::format("this {} could not be made: {}{}", what, base::os_reason(reason),
                             reason == EPERM && ::geteuid() != 0 ? " (it needs root)" : ""));
}

bool TreeWriter::make_special(Source& source, Job& job) {
  Entry& entry = job.entry();
  const base::Instant read_at = now();
  if (!source.complete(entry)) return entry.unreadable && link_unreadable(job);  // or it vanished
  job.placed.racy = is_racy(entry, read_at);
  if (link_same(job, std::nullopt)) return true;
  const int parent = job.parent_fd->get();
  const auto create = [&](const char* name) {
    if (entry.kind == EntryKind::symlink) return ::symlinkat(entry.target.c_str(), parent, name);
    return create_node(parent, name, entry);
  };
  if (!place(parent, entry, std::string(kind_name(entry.kind)), create)) return false;
  const base::Fd fd(::openat(parent, name_of(entry).c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.valid()) base::throw_os("cannot open", base::printable(shown(entry)), errno);
  if (inherits_acl(entry)) remove_other_xattrs(fd.get(), entry.xattrs);
  set_metadata(fd.get(), entry);
  if (entry.links > 1) made_first(entry);
  return true;
}

void TreeWriter::made_first(const Entry& entry) {
  if (options_.merge) made_first_.first_or_register(entry.path, entry.path);
}

bool TreeWriter::make_link(const Entry& entry) {
  check_path(entry.target);
  // What stood there before the restore is another file, though it has the name.
  if (options_.merge && made_first_.first_or_register(entry.target, entry.path) != entry.target) {
    warnings_.warn(shown(entry),
                   fmt::format("was not restored: {}, which is the same file, was not",
                               base::printable(entry.target)));
    return false;
  }
  const base::Fd first = open_beneath(target_fd_.get(), entry.target, O_PATH);
  const int parent = stack_.back()->fd->get();
  const auto create = [&](const char* name) {
    if (!first.valid()) return -1;
    // The magic link means the inode itself, even where it is a symlink.
    const std::string link = fmt::format("/proc/self/fd/{}", first.get());
    return ::linkat(AT_FDCWD, link.c_str(), parent, name, AT_SYMLINK_FOLLOW);
  };
  return place(parent, entry, fmt::format("hard link to {}", base::printable(entry.target)),
               create);
}

/// True when it is in its place.
bool TreeWriter::write_file(Source& source, Job& job, std::span<std::byte> buffer) {
  bool made = false;
  try {
    made = link_unchanged(job);
    if (!made && !job.entry().is_file()) {
      made = make_special(source, job);
    } else if (!made) {
      // A file that changes while it is read is read again once.
      Attempt attempt = try_file(source, job, buffer, false);
      if (attempt == Attempt::changed) attempt = try_file(source, job, buffer, true);
      made = attempt == Attempt::made;
    }
  } catch (const ContentError& error) {
    ++damaged_;
    warnings_.warn(shown(job.entry()), fmt::format("was left out: {}", error.what()));
    made = link_unreadable(job);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::corrupt) throw;
    ++damaged_;
    warnings_.warn(shown(job.entry()), fmt::format("was not restored: {}", error.what()));
  }
  ++progress_.files;
  return made;
}

/// One attempt. `changed` when the content changed meanwhile, or cannot be shared after all, and
/// nothing of it was left; in the `last` attempt it is kept, with a warning.
TreeWriter::Attempt TreeWriter::try_file(Source& source, Job& job, std::span<std::byte> buffer,
                                         bool last) {
  Entry& entry = job.entry();
  const base::Instant read_at = now();
  const std::unique_ptr<Content> content = source.open(entry);
  if (!content) {  // vanished or reported
    return entry.unreadable && link_unreadable(job) ? Attempt::made : Attempt::left_out;
  }
  job.placed.racy = is_racy(entry, read_at);
  if (entry.digest && link_same(job, entry.digest)) return Attempt::made;
  const int parent = job.parent_fd->get();
  NewName name(parent, name_of(entry), options_.merge);
  const base::Fd fd(
      ::openat(parent, name.here(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd.valid()) {
    report_failure(entry, "file", errno);
    return Attempt::left_out;
  }
  name.is_made();
  WriteNeeds needs;
  needs.digest = options_.observer != nullptr;
  const base::Fd earlier = last ? base::Fd() : clone_earlier(fd.get(), job);
  needs.clone_of = earlier.get();
  const Written written =
      write_content(fd.get(), *content, entry, shown(entry), buffer, progress_, stop_, needs);
  if (!content->unchanged()) {
    if (!last) return Attempt::changed;
    warnings_.warn(shown(entry), "changed while it was read; the copy may be of no use");
    job.placed.racy = true;
  }
  if (options_.observer != nullptr) {
    if (is_same(job, written.digest)) {
      name.remove();
      return link_same(job, written.digest) ? Attempt::made : Attempt::changed;
    }
    if (!earlier.valid()) share_content(fd.get(), job, *written.digest);
    entry.size = written.size;
    job.placed.noise = written.noise;
  }
  if (inherits_acl(entry)) remove_other_xattrs(fd.get(), entry.xattrs);
  set_metadata(fd.get(), entry);
  if (!name.commit()) {
    report_failure(entry, "file", errno);
    return Attempt::left_out;
  }
  if (options_.observer != nullptr) entry.digest = written.digest;
  return Attempt::made;
}

}  // namespace rota::tree
