#include "tui/watch.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "base/error.h"

namespace rota::tui {

namespace {

constexpr unsigned kWritten = IN_MODIFY | IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_MOVED_FROM;

}  // namespace

Watch::Watch(const profile::Places& places)
    : places_(places), fd_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
  if (!fd_.valid()) base::throw_os("cannot watch", "files", errno);
  look_again();
}

int Watch::add(const std::string& path, unsigned events) {
  return ::inotify_add_watch(fd_.get(), path.c_str(), events | IN_ONLYDIR);
}

void Watch::look_again() {
  if (run_ < 0) run_ = add(places_.run, kWritten);
  // The first job since the machine was started makes it.
  if (run_ < 0 && above_ < 0) above_ = add(base::parent_directory(places_.run), IN_CREATE);
  if (run_ >= 0 && above_ >= 0) {
    ::inotify_rm_watch(fd_.get(), above_);
    above_ = -1;
  }
  if (state_ < 0) state_ = add(places_.state, kWritten);
  if (config_ < 0) config_ = add(places_.config, IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE);
}

Changes Watch::read() {
  Changes changes;
  alignas(inotify_event) std::array<char, 16U << 10> buffer{};
  for (;;) {
    const ssize_t got = ::read(fd_.get(), buffer.data(), buffer.size());
    if (got <= 0) return changes;
    const char* end = buffer.data() + got;
    const char* at = buffer.data();
    while (at < end) {
      inotify_event event{};
      std::memcpy(&event, at, sizeof event);
      const std::string_view name = event.len > 0 ? at + sizeof event : "";
      at += sizeof event + event.len;
      if ((event.mask & IN_Q_OVERFLOW) != 0) return {true, true};
      if ((event.mask & IN_IGNORED) != 0) {
        for (int* watch : {&run_, &above_, &state_, &config_}) {
          if (*watch == event.wd) *watch = -1;
        }
        look_again();
        continue;
      }
      if (event.wd == above_) {
        look_again();
        changes.jobs = changes.jobs || run_ >= 0;
      }
      changes.jobs = changes.jobs || event.wd == run_;
      // The index of the log is only touched by who reads, as the screen does itself.
      const bool ledger = name == "ledger.db" || name == "ledger.db-wal";
      changes.ledger = changes.ledger || (event.wd == state_ && ledger) || event.wd == config_;
    }
  }
}

}  // namespace rota::tui
