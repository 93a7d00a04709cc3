#include "base/lock.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"

namespace rota::base {

LockFile::LockFile(const std::string& path, const std::string& what) {
  fd_ = Fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd_.valid()) throw_os("cannot open the lock file", path, errno);
  if (::flock(fd_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) throw_os("cannot lock", path, errno);
    char holder[32] = {};
    const ssize_t n = ::pread(fd_.get(), holder, sizeof holder - 1, 0);
    std::string who = n > 0 ? fmt::format(" (process {})", std::string(holder)) : std::string();
    throw Error(
        ErrorKind::locked,
        fmt::format("another rota{} is working on {}; try again when it is done", who, what));
  }
  const std::string pid = std::to_string(::getpid());
  if (::ftruncate(fd_.get(), 0) != 0 || ::pwrite(fd_.get(), pid.data(), pid.size(), 0) < 0) {
    throw_os("cannot write", path, errno);
  }
}

}  // namespace rota::base
