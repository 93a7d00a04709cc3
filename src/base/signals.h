#pragma once

#include <stop_token>
#include <thread>

#include "base/file.h"

namespace rota::base {

/// Turns SIGINT, SIGTERM and a hang-up (unless nohup ignores it) into a stop request.
///
/// Construct it first thing in main, before any other thread: it blocks both signals for all
/// threads and waits for them on one of its own. Ctrl-C once more ends the process at once, and
/// what is on disk is safe; other signals only ask again: a job that several ask to end still tells
/// so.
class SignalStop {
 public:
  SignalStop();
  ~SignalStop();
  std::stop_token token() const { return source_.get_token(); }

 private:
  std::stop_source source_;
  Fd ended_;  ///< an eventfd that wakes the waiter when this object goes
  std::jthread waiter_;
};

/// Throws Error(interrupted) when a stop was requested.
void check_stop(const std::stop_token& stop);

}  // namespace rota::base
