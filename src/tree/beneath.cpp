#include "tree/beneath.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <string>
#include <thread>

namespace rota::tree {

namespace {

/// The longest path that one system call takes, with room for the NUL.
constexpr std::size_t kMaxCall = 4000;
constexpr std::chrono::milliseconds kLeasePause(20);
constexpr int kLeaseTries = 3'000;  // a minute: fs.lease-break-time is 45 s

int openat2_no_symlinks(int directory, const char* path, int flags) {
  open_how how{};
  how.flags = static_cast<unsigned>(flags | O_CLOEXEC | O_NOFOLLOW);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  for (int tries = 0;; ++tries) {
    const long fd = ::syscall(SYS_openat2, directory, path, &how, sizeof how);
    // EAGAIN: somebody holds a lease on the file (a file server does), and the kernel has just
    // asked for it back; after 45 s it takes it.
    if (fd >= 0 || errno != EAGAIN || tries == kLeaseTries) return static_cast<int>(fd);
    std::this_thread::sleep_for(kLeasePause);
  }
}

/// One component at a time, for kernels and sandboxes without openat2.
int open_by_component(int directory, std::string_view path, int flags) {
  base::Fd current;
  int at = directory;
  while (true) {
    const std::size_t slash = path.find('/');
    const std::string name(path.substr(0, slash));
    if (slash == std::string_view::npos) {
      return ::openat(at, name.c_str(), flags | O_CLOEXEC | O_NOFOLLOW);
    }
    base::Fd next(::openat(at, name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!next.valid()) return -1;
    current = std::move(next);
    at = current.get();
    path.remove_prefix(slash + 1);
  }
}

int open_short(int directory, std::string_view path, int flags) {
  if (path.empty()) path = ".";
  const std::string text(path);
  const int fd = openat2_no_symlinks(directory, text.c_str(), flags);
  if (fd >= 0 || (errno != ENOSYS && errno != EPERM)) return fd;
  // EPERM is either a sandbox that knows no openat2 or the file itself (O_NOATIME): the slow way
  // gives the true answer.
  return open_by_component(directory, path, flags);
}

}  // namespace

base::Fd open_beneath(int root, std::string_view path, int flags) {
  base::Fd current;
  int at = root;
  while (path.size() > kMaxCall) {
    const std::size_t slash = path.substr(0, kMaxCall).find_last_of('/');
    if (slash == std::string_view::npos) {
      errno = ENAMETOOLONG;
      return {};
    }
    base::Fd next(open_short(at, path.substr(0, slash), O_PATH | O_DIRECTORY));
    if (!next.valid()) return {};
    current = std::move(next);
    at = current.get();
    path.remove_prefix(slash + 1);
  }
  return base::Fd(open_short(at, path, flags));
}

base::Fd open_quietly(int directory, const char* name, int flags) {
  flags |= O_RDONLY | O_CLOEXEC | O_NOFOLLOW;
  base::Fd fd(::openat(directory, name, flags | O_NOATIME));
  if (!fd.valid() && errno == EPERM) fd = base::Fd(::openat(directory, name, flags));
  return fd;
}

}  // namespace rota::tree
