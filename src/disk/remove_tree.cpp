#include "disk/remove_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

#include "base/error.h"
#include "base/signals.h"
#include "base/text.h"
#include "disk/small_file.h"

namespace rota::disk {

namespace {

constexpr int kMaxDepth = 32;
constexpr std::size_t kNames = 32 << 10;  ///< bytes of names at a time, at each level

/// A directory in this one; never one of another mount: somebody may have mounted a live directory
/// in what is to be removed. An invalid Fd leaves errno set, EXDEV for a mount.
base::Fd open_in_mount(int parent, const char* name) {
  open_how how{};
  how.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  how.resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS;
  const long fd = ::syscall(SYS_openat2, parent, name, &how, sizeof how);
  if (fd >= 0 || errno != ENOSYS) return base::Fd(static_cast<int>(fd));
  base::Fd old = open_directory(parent, name);  // before Linux 5.6: tells filesystems apart only
  struct stat in {};
  struct stat of {};
  if (old.valid() && ::fstat(old.get(), &in) == 0 && ::fstat(parent, &of) == 0 &&
      in.st_dev != of.st_dev) {
    errno = EXDEV;
    return {};
  }
  return old;
}

class Remover {
 public:
  Remover(int top, const std::string& shown, base::Progress& progress, const std::stop_token& stop)
      : top_(top), shown_(shown), progress_(progress), stop_(stop) {}

  /// Removes what is in a directory, until nothing is left.
  void empty(int directory, int depth) {
    alignas(dirent64) std::vector<char> buffer(kNames);
    for (bool any = true; any;) {
      any = false;
      if (::lseek(directory, 0, SEEK_SET) < 0) fail("read", errno);
      for (;;) {
        const ssize_t length = ::getdents64(directory, buffer.data(), buffer.size());
        if (length < 0) fail("read", errno);
        if (length == 0) break;
        for (ssize_t at = 0; at < length;) {
          const auto* item = reinterpret_cast<const dirent64*>(buffer.data() + at);
          at += item->d_reclen;
          const char* name = item->d_name;
          if (std::strcmp(name, ".") == 0 || std::strcmp(name, "..") == 0) continue;
          any = true;
          base::check_stop(stop_);
          remove(directory, name, item->d_type == DT_DIR, depth);
        }
      }
    }
  }

 private:
  [[noreturn]] void fail(const char* what, int reason) const {
    base::throw_os(fmt::format("cannot {}", what), base::printable(shown_), reason);
  }

  void remove(int directory, const char* name, bool is_directory, int depth) {
    if (!is_directory && ::unlinkat(directory, name, 0) == 0) {
      ++progress_.files;
      return;
    }
    if (!is_directory && errno != EISDIR && errno != EPERM) {
      if (errno == ENOENT) return;
      fail("remove", errno);
    }
    if (depth >= kMaxDepth) {
      move_up(directory, name);
      return;
    }
    base::Fd child = open_in_mount(directory, name);
    if (!child.valid() && errno == EACCES && ::fchmodat(directory, name, 0700, 0) == 0) {
      child = open_in_mount(directory, name);  // without root's rights, modes count
    }
    if (!child.valid() && errno == EXDEV) {
      throw base::Error(base::ErrorKind::refused,
                        fmt::format("cannot remove {}: something is mounted in it, as {}; unmount "
                                    "that first",
                                    base::printable(shown_), base::printable(name)));
    }
    if (!child.valid()) fail("remove", errno);
    if (::geteuid() != 0) ::fchmod(child.get(), 0700);
    empty(child.get(), depth + 1);
    if (::unlinkat(directory, name, AT_REMOVEDIR) != 0 && errno != ENOENT) fail("remove", errno);
  }

  /// Names at the top are "tree", "index" and the like; these sort them out one by one.
  void move_up(int directory, const char* name) {
    for (;;) {
      const std::string above = fmt::format("deep-{}", moved_++);
      if (::renameat2(directory, name, top_, above.c_str(), RENAME_NOREPLACE) == 0) return;
      if (errno != EEXIST) fail("remove", errno);
    }
  }

  int top_;
  const std::string& shown_;
  base::Progress& progress_;
  const std::stop_token& stop_;
  std::uint64_t moved_ = 0;
};

}  // namespace

void remove_tree(int parent, const std::string& name, const std::string& shown,
                 base::Progress& progress, const std::stop_token& stop) {
  const base::Fd top = open_directory(parent, name);
  if (!top.valid()) base::throw_os("cannot remove", base::printable(shown), errno);
  Remover(top.get(), shown, progress, stop).empty(top.get(), 0);
  if (::unlinkat(parent, name.c_str(), AT_REMOVEDIR) != 0) {
    base::throw_os("cannot remove", base::printable(shown), errno);
  }
}

}  // namespace rota::disk
