#pragma once

#include <sys/types.h>

#include "base/process.h"

namespace rota::base {

/// How a program is started; what Child and ProcessRunner share.
struct SpawnStreams {
  int input = -1;   ///< -1: /dev/null
  int output = -1;  ///< of both kinds; -1: this process's own
  bool own_group = false;
  bool own_session = false;  ///< with a group of its own in it; no terminal
};

/// Starts command.argv, looked up on PATH. The child starts with no signal blocked, whatever this
/// process waits for, and with SIGPIPE as usual: what this process ignores would stay ignored
/// behind exec(). Throws Error(io).
pid_t spawn(const Command& command, const SpawnStreams& streams);

/// What waitpid() gave as an exit status; 128 + signal when it was killed.
int exit_status(int raw);

}  // namespace rota::base
