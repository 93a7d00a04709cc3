#include "base/signals.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>

#include "base/error.h"

namespace rota::base {

SignalStop::SignalStop() {
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is an error of write(), not the end of us
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  // Under nohup it stays ignored: blocked, it would be queued and taken for a request.
  struct sigaction hangup {};
  sigaction(SIGHUP, nullptr, &hangup);
  if (hangup.sa_handler != SIG_IGN) sigaddset(&set, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  ended_ = Fd(::eventfd(0, EFD_CLOEXEC));
  waiter_ = std::jthread([this, set] {
    const Fd signals(::signalfd(-1, &set, SFD_CLOEXEC));
    pollfd both[2] = {{signals.get(), POLLIN, 0}, {ended_.get(), POLLIN, 0}};
    for (;;) {
      if (::poll(both, 2, -1) < 0) continue;
      if (both[1].revents != 0) return;
      signalfd_siginfo info{};
      if (::read(signals.get(), &info, sizeof info) != sizeof info) continue;
      const bool impatient = source_.stop_requested() && info.ssi_signo == SIGINT;
      if (impatient) _exit(exit_code(ErrorKind::interrupted));
      source_.request_stop();
    }
  });
}

SignalStop::~SignalStop() {
  const std::uint64_t one = 1;
  // An eventfd with room takes eight bytes at once; there is nothing to do if it does not.
  [[maybe_unused]] const ssize_t written = ::write(ended_.get(), &one, sizeof one);
}

void check_stop(const std::stop_token& stop) {
  if (stop.stop_requested()) {
    throw Error(ErrorKind::interrupted,
                "stopped as asked; what was complete before is untouched, start it again to go on");
  }
}

}  // namespace rota::base
