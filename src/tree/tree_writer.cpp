#include "tree/tree_writer.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/pipeline.h"
#include "base/signals.h"
#include "base/text.h"
#include "tree/beneath.h"
#include "tree/content_writer.h"
#include "tree/new_name.h"

namespace rota::tree {

using base::Error;
using base::ErrorKind;

/// A directory that is being filled. Its metadata is set when nobody works in it any more: `users`
/// counts the walk itself and every file that a worker still has to write.
struct TreeWriter::Directory {
  Entry entry;
  std::shared_ptr<base::Fd> fd;  ///< reset while it is parked
  dev_t device = 0;
  ino_t inode = 0;
  std::atomic<int> users{1};
  bool apply = true;
};

namespace {

/// Descriptors of directories that are kept open on the way down; see LocalSource::kMaxOpen.
constexpr std::size_t kMaxOpen = 64;
constexpr const char* kDefaultAcl = "system.posix_acl_default";

std::string name_of(const Entry& entry) { return std::string(base_name(entry.path)); }

/// Nothing else can be written either, whatever it is.
bool is_hopeless(int reason) {
  return reason == ENOSPC || reason == EDQUOT || reason == EROFS || reason == EIO ||
         reason == EMFILE || reason == ENFILE || reason == ENOMEM;
}

bool is_empty(int directory) {
  DIR* dir = ::fdopendir(::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (dir == nullptr) return false;
  int names = 0;
  while (::readdir(dir) != nullptr) ++names;
  ::closedir(dir);
  return names <= 2;
}

int create_node(int parent, const char* name, const Entry& entry) {
  mode_t type = S_IFIFO;
  if (entry.kind == EntryKind::char_device) type = S_IFCHR;
  if (entry.kind == EntryKind::block_device) type = S_IFBLK;
  return ::mknodat(parent, name, type | 0600, ::makedev(entry.device_major, entry.device_minor));
}

}  // namespace

TreeWriter::TreeWriter(std::string target, TreeWriterOptions options, base::Warnings& warnings,
                       base::Progress& progress, std::stop_token stop)
    : target_(std::move(target)),
      options_(options),
      warnings_(warnings),
      progress_(progress),
      stop_(std::move(stop)) {
  open_target();
}

TreeWriter::~TreeWriter() = default;

std::string TreeWriter::shown(const Entry& entry) const { return target_ + "/" + entry.path; }

void TreeWriter::open_target() {
  base::real_files().make_directories(target_, 0700);
  target_fd_ = base::Fd(::open(target_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!target_fd_.valid()) base::throw_os("cannot open the target", target_, errno);
  if (!options_.merge && !is_empty(target_fd_.get())) {
    throw Error(ErrorKind::refused,
                fmt::format("{} is not empty; restore into an empty or new directory, or add "
                            "--overwrite to replace what has the same name",
                            target_));
  }
  if (::access(target_.c_str(), W_OK) != 0) base::throw_os("cannot write into", target_, errno);
  root_has_default_acl_ =
      !options_.touch_root && ::fgetxattr(target_fd_.get(), kDefaultAcl, nullptr, 0) > 0;
}

void TreeWriter::consume(Source& source) {
  base::Pipeline pipeline;
  pipeline.on_failure([this] { batches_.abandon(); });
  for (unsigned i = 0; i < kWorkers; ++i) pipeline.add([this, &source] { work(source); });
  pipeline.run([&] {
    Entry entry;
    while (source.next(entry)) {
      base::check_stop(stop_);
      take(source, entry);
    }
    flush();
    batches_.close();
  });
  pipeline.join();
  // Only now: no worker is left, so that every directory's last user is this walk.
  while (!stack_.empty()) pop();
  shortfall_.report(target_, warnings_);
  if (::syncfs(target_fd_.get()) != 0) base::throw_os("cannot make durable", target_, errno);
}

void TreeWriter::take(Source& source, Entry& entry) {
  check_path(entry.path);
  leave_until(entry.path);
  if (!entry.path.empty() && compare_paths(last_, entry.path) >= 0) {
    throw Error(ErrorKind::corrupt, fmt::format("{} stands twice in the index, or out of order",
                                                base::printable(entry.path)));
  }
  if (options_.make_lost_directories) make_lost_directories(entry.path);
  check_parent(entry.path);
  if (entry.path.empty() != stack_.empty() || (entry.path.empty() && !entry.is_directory())) {
    throw Error(ErrorKind::corrupt, "the first entry of the tree is not its root directory");
  }
  last_ = entry.path;
  switch (entry.kind) {
    case EntryKind::directory:
      source.complete(entry);
      make_directory(entry);
      break;
    case EntryKind::file:
      // Other names of this inode come later in the order and need it to be there.
      if (entry.links > 1) {
        Job job{stack_.back(), stack_.back()->fd, std::move(entry)};
        ++job.parent->users;
        std::vector<std::byte> buffer(kBuffer);
        if (write_file(source, job, buffer)) made_first(job.entry);
        done(job.parent);
      } else {
        queue(std::move(entry));
      }
      return;
    case EntryKind::hard_link:
      make_link(entry);
      break;
    case EntryKind::symlink:
    case EntryKind::char_device:
    case EntryKind::block_device:
    case EntryKind::fifo:
      if (source.complete(entry)) make_special(entry);  // else it vanished
      break;
  }
  ++progress_.files;
}

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

void TreeWriter::check_parent(const std::string& path) const {
  if (stack_.empty() && !path.empty()) {
    throw Error(ErrorKind::corrupt,
                fmt::format("{} comes before the root of its tree", base::printable(path)));
  }
  if (path.empty()) return;
  const std::string_view parent = stack_.back()->entry.path;
  const std::string_view rest =
      std::string_view(path).substr(parent.empty() ? 0 : parent.size() + 1);
  if (rest.find('/') != std::string_view::npos) {
    throw Error(ErrorKind::corrupt, fmt::format("the directory of {} is missing from its index",
                                                base::printable(path)));
  }
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
    if (stack_.size() > kMaxOpen) stack_[stack_.size() - kMaxOpen]->fd.reset();
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

void TreeWriter::make_special(const Entry& entry) {
  const int parent = stack_.back()->fd->get();
  const auto create = [&](const char* name) {
    if (entry.kind == EntryKind::symlink) return ::symlinkat(entry.target.c_str(), parent, name);
    return create_node(parent, name, entry);
  };
  if (!place(parent, entry, std::string(kind_name(entry.kind)), create)) return;
  const base::Fd fd(::openat(parent, name_of(entry).c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.valid()) base::throw_os("cannot open", base::printable(shown(entry)), errno);
  if (inherits_acl(entry)) remove_other_xattrs(fd.get(), entry.xattrs);
  set_metadata(fd.get(), entry);
  if (entry.links > 1) made_first(entry);
}

void TreeWriter::made_first(const Entry& entry) {
  if (options_.merge) made_first_.first_or_register(entry.path, entry.path);
}

void TreeWriter::make_link(const Entry& entry) {
  check_path(entry.target);
  // What stood there before the restore is another file, though it has the name.
  if (options_.merge && made_first_.first_or_register(entry.target, entry.path) != entry.target) {
    warnings_.warn(shown(entry),
                   fmt::format("was not restored: {}, which is the same file, was not",
                               base::printable(entry.target)));
    return;
  }
  const base::Fd first = open_beneath(target_fd_.get(), entry.target, O_PATH);
  const int parent = stack_.back()->fd->get();
  const auto create = [&](const char* name) {
    if (!first.valid()) return -1;
    // The magic link means the inode itself, even where it is a symlink.
    const std::string link = fmt::format("/proc/self/fd/{}", first.get());
    return ::linkat(AT_FDCWD, link.c_str(), parent, name, AT_SYMLINK_FOLLOW);
  };
  place(parent, entry, fmt::format("hard link to {}", base::printable(entry.target)), create);
}

void TreeWriter::queue(Entry entry) {
  batch_bytes_ += entry.size;
  if (batch_.empty() || batch_.back().parent != stack_.back()) ++batch_directories_;
  ++stack_.back()->users;
  batch_.push_back({stack_.back(), stack_.back()->fd, std::move(entry)});
  if (batch_.size() >= kBatchFiles || batch_bytes_ >= kBatchBytes ||
      batch_directories_ >= kBatchDirectories) {
    flush();
  }
}

void TreeWriter::flush() {
  if (!batch_.empty() && !batches_.send(std::exchange(batch_, {}))) {
    // A worker failed: the pipeline has its error, this one only ends the walk.
    throw Error(ErrorKind::interrupted, "stopped");
  }
  batch_bytes_ = 0;
  batch_directories_ = 0;
}

void TreeWriter::work(Source& source) {
  std::vector<std::byte> buffer(kBuffer);
  while (auto batch = batches_.receive()) {
    for (Job& job : *batch) {
      base::check_stop(stop_);
      write_file(source, job, buffer);
      done(job.parent);
    }
  }
}

/// True when it is in its place.
bool TreeWriter::write_file(Source& source, Job& job, std::span<std::byte> buffer) {
  bool made = false;
  try {
    // A file that changes while it is read is read again once.
    Attempt attempt = try_file(source, job, buffer, false);
    if (attempt == Attempt::changed) attempt = try_file(source, job, buffer, true);
    made = attempt == Attempt::made;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::corrupt) throw;
    ++damaged_;
    warnings_.warn(shown(job.entry), fmt::format("was not restored: {}", error.what()));
  }
  ++progress_.files;
  return made;
}

/// One attempt. `changed` when the content changed meanwhile and nothing of it was left; in the
/// `last` attempt it is kept, with a warning.
TreeWriter::Attempt TreeWriter::try_file(Source& source, Job& job, std::span<std::byte> buffer,
                                         bool last) {
  Entry& entry = job.entry;
  const std::unique_ptr<Content> content = source.open(entry);
  if (!content) return Attempt::left_out;  // vanished or reported
  const int parent = job.parent_fd->get();
  NewName name(parent, name_of(entry), options_.merge);
  const base::Fd fd(
      ::openat(parent, name.here(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd.valid()) {
    report_failure(entry, "file", errno);
    return Attempt::left_out;
  }
  name.is_made();
  write_content(fd.get(), *content, entry, shown(entry), buffer, progress_, stop_);
  if (!content->unchanged()) {
    if (!last) return Attempt::changed;
    warnings_.warn(shown(entry), "changed while it was read; the copy may be of no use");
  }
  if (inherits_acl(entry)) remove_other_xattrs(fd.get(), entry.xattrs);
  set_metadata(fd.get(), entry);
  if (name.commit()) return Attempt::made;
  report_failure(entry, "file", errno);
  return Attempt::left_out;
}

}  // namespace rota::tree
