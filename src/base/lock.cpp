#include "base/lock.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"
#include "base/signals.h"

namespace rota::base {

namespace {

/// Not flock's own waiting: a stop must end it.
constexpr std::chrono::milliseconds kPause(500);

}  // namespace

bool LockFile::take(const std::string& path) {
  if (::flock(fd_.get(), LOCK_EX | LOCK_NB) == 0) return true;
  if (errno != EWOULDBLOCK) throw_os("cannot lock", path, errno);
  return false;
}

LockFile::LockFile(const std::string& path, const std::string& what, const LockWait* wait) {
  fd_ = Fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd_.valid()) throw_os("cannot open the lock file", path, errno);
  bool taken = take(path);
  if (!taken && wait != nullptr && wait->begins) wait->begins();
  for (std::chrono::milliseconds waited(0); !taken && wait != nullptr && waited < wait->most;
       waited += kPause) {
    wait->clock.sleep(kPause, wait->stop);
    check_stop(wait->stop);
    taken = take(path);
  }
  if (!taken) {
    char holder[32] = {};
    const ssize_t n = ::pread(fd_.get(), holder, sizeof holder - 1, 0);
    std::string who = n > 0 ? fmt::format(" (process {})", std::string(holder)) : std::string();
    throw Error(
        ErrorKind::locked,
        fmt::format("another rota{} is working on {}; try again when it is done", who, what));
  }
  // A courtesy to who meets the lock. It is held without, too, where there is no room for it.
  const std::string pid = std::to_string(::getpid());
  [[maybe_unused]] const bool named =
      ::ftruncate(fd_.get(), 0) == 0 && ::pwrite(fd_.get(), pid.data(), pid.size(), 0) > 0;
}

}  // namespace rota::base
