#include "tree/local_source.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "tree/beneath.h"
#include "tree/local_content.h"

namespace rota::tree {

namespace {

constexpr unsigned kStatFlags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT;

std::uint64_t device_of(const struct statx& st) {
  return makedev(st.stx_dev_major, st.stx_dev_minor);
}

/// bford.org/cachedir: the file starts with these 43 bytes.
bool is_cache_tag(int directory) {
  static constexpr std::string_view kSignature = "Signature: 8a477f597d28d172789f06886806bc55";
  const base::Fd fd = open_quietly(directory, "CACHEDIR.TAG", O_NONBLOCK);
  std::array<char, kSignature.size()> start{};
  return fd.valid() &&
         ::read(fd.get(), start.data(), start.size()) == static_cast<ssize_t>(start.size()) &&
         std::string_view(start.data(), start.size()) == kSignature;
}

/// What this process lacks is no word about the file: what is left out for that would be missing
/// without a reason.
void check_ours(int reason, const std::string& path) {
  if (reason == EMFILE || reason == ENFILE || reason == ENOMEM) {
    base::throw_os("cannot read", path, reason);
  }
}

/// Why an index cannot hold an entry of this path, whose name stands behind `parent` bytes.
std::optional<std::string> fault_of(const std::string& path, std::size_t parent) {
  const std::size_t name = path.size() - parent - (parent > 0 ? 1 : 0);
  if (name > kMaxName) {
    return fmt::format("its name is longer than {} bytes: it was left out", kMaxName);
  }
  if (path.size() > kMaxWalkedPath) {
    return fmt::format("its path is longer than {} bytes: it was left out, with all below it",
                       base::human_count(kMaxWalkedPath));
  }
  return std::nullopt;
}

}  // namespace

LocalSource::LocalSource(std::string root, Selection selection, base::Warnings& warnings)
    : root_(std::move(root)), selection_(std::move(selection)), warnings_(warnings) {
  root_fd_ = base::Fd(::open(root_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root_fd_.valid()) base::throw_os("cannot read the source", root_, errno);
  while (root_.size() > 1 && root_.back() == '/') root_.pop_back();
}

LocalSource::~LocalSource() = default;

std::string LocalSource::full_path(const std::string& path) const {
  if (path.empty()) return root_;
  return root_ == "/" ? "/" + path : root_ + "/" + path;
}

bool LocalSource::next(Entry& entry) {
  std::erase_if(unknown_, [&](const Unknown& unknown) {
    return compare_paths(unknown.last, given_) < 0 && !is_within(given_, unknown.last);
  });
  if (!(started_ ? walk(entry) : start(entry))) return false;
  given_ = entry.path;
  return true;
}

bool LocalSource::walk(Entry& entry) {
  for (;;) {
    if (!ready_.empty()) {
      entry = std::move(ready_.front());
      ready_.pop_front();
      return true;
    }
    if (levels_.empty()) return false;
    Level& top = levels_.back();
    const char* name = top.names.next();
    if (name == nullptr) {
      if (top.names.more()) {
        const int failed = top.names.fill(top.fd.get());
        if (failed == 0) continue;
        lose_rest();
        path_.resize(top.path_length);
        warnings_.warn(full_path(path_), "cannot be read to its end: " + base::os_reason(failed));
      }
      pop();
      continue;
    }
    if (!top.only.empty()) {
      bool wanted = false;
      for (const std::string& only : top.only) wanted = wanted || only == name;
      if (!wanted) continue;
    }
    if (visit(name, entry)) return true;
  }
}

bool LocalSource::Unknown::contains(std::string_view path) const {
  const bool begun = behind ? compare_paths(path, first) > 0 && !is_within(path, first)
                            : compare_paths(path, first) >= 0;
  return begun && (compare_paths(path, last) <= 0 || is_within(path, last));
}

bool LocalSource::can_tell(const std::string& path) const {
  return std::ranges::none_of(unknown_,
                              [&](const Unknown& unknown) { return unknown.contains(path); });
}

/// What stands at path_ is left out, whatever it is, and it is said why.
void LocalSource::lose(const std::string& why) {
  const std::string full = full_path(path_);
  const bool excluded = !selection_.rules.empty() &&
                        selection_.rules.match(full, true) == Verdict::exclude &&
                        selection_.rules.match(full, false) != Verdict::include;
  if (excluded) return;
  warnings_.warn(base::shortened(full), why);
  lose(Unknown{path_, false, path_});
}

/// What the top level has behind the name that was looked at last.
void LocalSource::lose_rest() {
  const std::size_t length = levels_.back().path_length;
  const std::size_t end = path_.find('/', length == 0 ? 0 : length + 1);
  lose(Unknown{path_.substr(0, end), path_.size() > length, path_.substr(0, length)});
}

void LocalSource::lose(Unknown unknown) {
  if (unknown_.size() < kMaxUnknown) {
    unknown_.push_back(std::move(unknown));
  } else {
    unknown_.back().last = std::move(unknown.last);
  }
  // What the reader keeps of it needs the directories above it.
  release_held();
}

bool LocalSource::start(Entry& entry) {
  started_ = true;
  struct statx st {};
  if (::statx(root_fd_.get(), "", AT_EMPTY_PATH, STATX_BASIC_STATS, &st) != 0) {
    base::throw_os("cannot read the source", root_, errno);
  }
  root_device_ = device_of(st);
  entry = Entry{};
  fill_from_stat(st, owners_, entry);
  Level level;
  level.fd = base::Fd(::openat(root_fd_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  level.device = root_device_;
  level.inode = st.stx_ino;
  if (const int failed = level.fd.valid() ? level.names.fill(level.fd.get()) : errno; failed != 0) {
    base::throw_os("cannot read the source", root_, failed);
  }
  levels_.push_back(std::move(level));
  return true;
}

/// Looks at one name of the top level. True when `entry` was filled with the next one to give.
bool LocalSource::visit(const char* name, Entry& entry) {
  Level& top = levels_.back();
  path_.resize(top.path_length);
  if (!path_.empty()) path_.push_back('/');
  path_ += name;

  struct statx st {};
  if (::statx(top.fd.get(), name, static_cast<int>(kStatFlags), STATX_BASIC_STATS, &st) != 0) {
    if (errno != ENOENT) lose("cannot be looked at: " + base::os_reason(errno));
    return false;
  }
  const bool directory = S_ISDIR(st.stx_mode);
  bool held = false;
  if (!selection_.rules.empty()) {
    const Verdict verdict = selection_.rules.match(full_path(path_), directory);
    if (verdict == Verdict::exclude) return false;
    held = verdict == Verdict::scan;
    if (held && !directory) return false;
  }
  if (const auto fault = fault_of(path_, top.path_length); fault && !S_ISSOCK(st.stx_mode)) {
    lose(*fault);
    return false;
  }
  entry.path = path_;
  entry.target.clear();
  entry.xattrs.clear();
  entry.digest.reset();
  entry.unreadable = false;
  if (!fill_from_stat(st, owners_, entry)) return false;  // a socket

  if (directory) {
    if (selection_.one_file_system && device_of(st) != root_device_) {
      if (held) return false;
    } else if (!descend(name, entry, held)) {
      return false;  // held back until something below it is taken
    }
  } else if (entry.links > 1) {
    const std::string group = LinkTable::inode_group(device_of(st), st.stx_ino);
    if (auto first = links_.first_or_register(group, path_)) {
      entry.kind = EntryKind::hard_link;
      entry.target = std::move(*first);
      entry.size = 0;
    }
  }
  emit_held(entry);
  return true;
}

/// Opens a directory and makes it the top level. False when it is held back, or gone.
bool LocalSource::descend(const char* name, Entry& entry, bool held) {
  park();
  Level level;
  level.path_length = path_.size();
  level.fd = open_quietly(levels_.back().fd.get(), name, O_DIRECTORY);
  int failed = level.fd.valid() ? level.names.fill(level.fd.get()) : errno;
  struct stat st {};
  if (failed == 0 && ::fstat(level.fd.get(), &st) != 0) failed = errno;
  if (failed != 0) {
    if (failed == ENOENT) return false;  // vanished since it was listed
    check_ours(failed, full_path(path_));
    warnings_.warn(full_path(path_), "cannot be read: " + base::os_reason(failed));
    entry.unreadable = true;
    return true;
  }
  // Of what was opened: it may be another directory than the one that was looked at.
  level.device = st.st_dev;
  level.inode = st.st_ino;
  const auto present = [&](const std::string& marker) {
    return level.names.contains(marker.c_str()) ||
           (level.names.more() &&
            ::faccessat(level.fd.get(), marker.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0);
  };
  if (selection_.exclude_caches && present("CACHEDIR.TAG") && is_cache_tag(level.fd.get())) {
    level.only.emplace_back("CACHEDIR.TAG");
  }
  for (const std::string& marker : selection_.exclude_if_present) {
    if (present(marker)) level.only.push_back(marker);
  }
  if (held) level.held = entry;
  levels_.push_back(std::move(level));
  return !held;
}

/// Before an entry is given, the directories above it that waited for one.
void LocalSource::emit_held(Entry& entry) {
  release_held();
  if (ready_.empty()) return;
  ready_.push_back(std::move(entry));
  entry = std::move(ready_.front());
  ready_.pop_front();
}

void LocalSource::release_held() {
  for (Level& level : levels_) {
    if (level.held) ready_.push_back(*std::exchange(level.held, std::nullopt));
  }
}

/// Keeps the number of open descriptors bounded on the way down.
void LocalSource::park() {
  if (levels_.size() > kMaxOpen) levels_[levels_.size() - kMaxOpen].fd.reset();
}

/// Leaves the top level. Its parent, if it was parked, is opened through "..", or, where somebody
/// moved the tree meanwhile, down from the root, and must be the directory that it was; if it is
/// gone from there the rest of it is left out.
void LocalSource::pop() {
  const std::string child_path = path_.substr(0, levels_.back().path_length);
  base::Fd child = std::move(levels_.back().fd);
  levels_.pop_back();
  for (; !levels_.empty(); levels_.pop_back()) {
    Level& parent = levels_.back();
    if (parent.fd.valid()) return;
    const auto is_the_same = [&](const base::Fd& fd) {
      struct stat st {};
      return fd.valid() && ::fstat(fd.get(), &st) == 0 && st.st_ino == parent.inode &&
             st.st_dev == parent.device;
    };
    parent.fd = base::Fd(::openat(child.get(), "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (is_the_same(parent.fd)) return;
    path_.resize(parent.path_length);
    parent.fd = open_beneath(root_fd_.get(), path_, O_RDONLY | O_DIRECTORY);
    if (is_the_same(parent.fd)) return;
    child.reset();
    warnings_.warn(full_path(path_), "was moved while it was read: what it holds is not complete");
    lose(Unknown{child_path, true, path_});
  }
}

bool LocalSource::complete(Entry& entry) {
  const auto unreadable = [&] {
    if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP) return false;
    check_ours(errno, full_path(entry.path));
    warnings_.warn(full_path(entry.path), "cannot be read: " + base::os_reason(errno));
    entry.unreadable = true;
    return false;
  };
  const base::Fd fd = entry.path.empty()
                          ? base::Fd(::openat(root_fd_.get(), ".", O_PATH | O_CLOEXEC))
                          : open_beneath(root_fd_.get(), entry.path, O_PATH);
  if (!fd.valid()) return unreadable();
  take_xattrs(fd.get(), entry);
  if (entry.kind != EntryKind::symlink) return true;
  std::array<char, PATH_MAX> target;
  const ssize_t length = ::readlinkat(fd.get(), "", target.data(), target.size());
  if (length < 0) return errno == EINVAL ? false : unreadable();  // EINVAL: no symlink any more
  entry.target.assign(target.data(), static_cast<std::size_t>(length));
  return true;
}

std::unique_ptr<Content> LocalSource::open(Entry& entry) {
  const auto left_out = [&](const std::string& why) {
    warnings_.warn(full_path(entry.path), why);
    entry.unreadable = true;
    return nullptr;
  };
  const auto unreadable = [&](int reason) {
    check_ours(reason, full_path(entry.path));
    return left_out("cannot be read: " + base::os_reason(reason));
  };
  // O_NONBLOCK: what was a file a moment ago may be a fifo now, whose open would wait for ever.
  base::Fd fd = open_beneath(root_fd_.get(), entry.path, O_RDONLY | O_NONBLOCK | O_NOATIME);
  if (!fd.valid() && errno == EPERM) {
    fd = open_beneath(root_fd_.get(), entry.path, O_RDONLY | O_NONBLOCK);
  }
  if (!fd.valid()) {
    if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP) return nullptr;
    return unreadable(errno);
  }
  struct statx st {};
  if (::statx(fd.get(), "", AT_EMPTY_PATH, STATX_BASIC_STATS, &st) != 0) return unreadable(errno);
  if (!S_ISREG(st.stx_mode)) return nullptr;
  if (has_holes_over(fd.get(), st, kMaxHoles)) {
    return left_out(
        fmt::format("has holes of more than {} together, which rota does not hash: it "
                    "was left out",
                    base::human_size(kMaxHoles)));
  }
  fill_from_stat(st, owners_, entry);
  take_xattrs(fd.get(), entry);
  return std::make_unique<LocalContent>(std::move(fd), full_path(entry.path), st);
}

void LocalSource::take_xattrs(int fd, Entry& entry) {
  const int failed = read_xattrs(fd, entry.xattrs);
  if (failed == 0) return;
  const std::string why =
      failed == E2BIG ? fmt::format(
                            "not all of its extended attributes were kept: they have more than {} "
                            "together, or too many names",
                            base::human_size(kMaxXattrs))
                      : "its extended attributes cannot be read: " + base::os_reason(failed);
  warnings_.warn(full_path(entry.path), why);
}

}  // namespace rota::tree
