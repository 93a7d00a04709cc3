#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"
#include "base/text.h"
#include "tree/beneath.h"
#include "tree/tree_writer_directory.h"

namespace rota::tree {

using base::Error;
using base::ErrorKind;

/// Makes the directories above `path` that should have come before it.
void TreeWriter::make_lost_directories(const std::string& path) {
  while (!path.empty()) {
    Entry directory;
    directory.kind = EntryKind::directory;
    if (!stack_.empty()) {
      const std::string& above = stack_.back()->entry.path;
      const std::size_t slash = path.find('/', above.empty() ? 0 : above.size() + 1);
      if (slash == std::string::npos) return;
      directory.path = path.substr(0, slash);
      if (directory.path == last_) return;  // it came, and is no directory
    }
    ++damaged_;
    warnings_.warn(shown(directory),
                   "the index is damaged and cannot tell of this directory; it was made with mode "
                   "0700 for what lies in it");
    make_directory(directory, true);
    last_ = directory.path;
  }
}

void TreeWriter::leave_until(const std::string& path) {
  while (!stack_.empty() && !is_within(path, stack_.back()->entry.path)) pop();
}

/// Ends the walk's own use of the innermost directory.
void TreeWriter::pop() {
  const std::shared_ptr<Directory> child = std::move(stack_.back());
  stack_.pop_back();
  if (!stack_.empty() && !stack_.back()->fd) {
    Directory& parent = *stack_.back();
    base::Fd fd(::openat(child->fd->get(), "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    struct stat st {};
    if (!fd.valid() || ::fstat(fd.get(), &st) != 0 || st.st_dev != parent.device ||
        st.st_ino != parent.inode) {
      throw Error(ErrorKind::io, fmt::format("{} was moved while it was written",
                                             base::printable(shown(parent.entry))));
    }
    parent.fd = std::make_shared<base::Fd>(std::move(fd));
  }
  done(child);
}

/// The last user sets the directory's metadata.
void TreeWriter::done(const std::shared_ptr<Directory>& directory) {
  if (--directory->users > 0 || !directory->apply) return;
  set_metadata(directory->fd->get(), directory->entry);
}

void TreeWriter::set_metadata(int fd, const Entry& entry) {
  MetadataShortfall shortfall;
  apply_metadata(fd, entry, options_.owners_by_name, names_, shortfall);
  const std::lock_guard lock(shortfall_mutex_);
  shortfall_.add(shortfall);
}

void TreeWriter::make_directory(const Entry& entry, bool lost) {
  auto directory = std::make_shared<Directory>();
  directory->entry = entry;
  directory->earlier.resize(options_.predecessors.size());
  bool found = false;
  if (entry.path.empty()) {
    directory->apply = options_.touch_root && !lost;
    directory->fd = std::make_shared<base::Fd>(::fcntl(target_fd_.get(), F_DUPFD_CLOEXEC, 0));
    found = options_.touch_root;
  } else {
    directory->apply = !lost;
    const std::string name = name_of(entry);
    const int parent = stack_.back()->fd->get();
    directory->fd = std::make_shared<base::Fd>(open_directory(parent, name.c_str(), found));
    if (stack_.size() > kMaxOpenDirectories) {
      Directory& parked = *stack_[stack_.size() - kMaxOpenDirectories];
      parked.fd.reset();
      parked.earlier.assign(parked.earlier.size(), nullptr);
    }
  }
  struct stat st {};
  if (!directory->fd->valid() || ::fstat(directory->fd->get(), &st) != 0) {
    base::throw_os("cannot make the directory", base::printable(shown(entry)), errno);
  }
  directory->device = st.st_dev;
  directory->inode = st.st_ino;
  if ((found && !lost) || inherits_acl(entry)) {
    // Now: what is made in it would inherit the default ACL.
    ::fremovexattr(directory->fd->get(), kDefaultAcl);
    remove_other_xattrs(directory->fd->get(), entry.xattrs);
  }
  stack_.push_back(std::move(directory));
}

/// An invalid Fd leaves errno set. In merge mode a directory that is there is taken (`found`);
/// anything else of that name, a symlink to a directory too, gives way.
base::Fd TreeWriter::open_directory(int parent, const char* name, bool& found) {
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  if (::mkdirat(parent, name, 0700) != 0) {
    if (!options_.merge || errno != EEXIST) return {};
    base::Fd there(::openat(parent, name, kFlags));
    found = there.valid();
    if (found || (errno != ENOTDIR && errno != ELOOP)) return there;
    if (::unlinkat(parent, name, 0) != 0 || ::mkdirat(parent, name, 0700) != 0) return {};
  }
  return base::Fd(::openat(parent, name, kFlags));
}

/// A root that keeps its own metadata keeps its default ACL, which is not meant for what comes.
bool TreeWriter::inherits_acl(const Entry& entry) const {
  return root_has_default_acl_ && !entry.path.empty() && entry.path.find('/') == std::string::npos;
}

/// The innermost directory as the predecessor has it; an invalid descriptor where it has none.
std::shared_ptr<base::Fd> TreeWriter::earlier_directory(std::size_t predecessor) {
  Directory& directory = *stack_.back();
  std::shared_ptr<base::Fd>& fd = directory.earlier.at(predecessor);
  if (fd) return fd;
  const int flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  Directory* parent = stack_.size() > 1 ? stack_[stack_.size() - 2].get() : nullptr;
  if (parent != nullptr && parent->earlier.at(predecessor)) {
    const base::Fd& above = *parent->earlier.at(predecessor);
    fd = std::make_shared<base::Fd>(
        above.valid() ? ::openat(above.get(), name_of(directory.entry).c_str(), flags) : -1);
  } else {
    fd = std::make_shared<base::Fd>(open_beneath(options_.predecessors[predecessor]->root(),
                                                 directory.entry.path, O_PATH | O_DIRECTORY));
  }
  return fd;
}

}  // namespace rota::tree
