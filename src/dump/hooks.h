#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "base/process.h"

namespace rota::dump {

/// A request to stop, as a hook is told of it: SIGTERM to it and what it started, and SIGKILL to
/// what is left five seconds later.
struct HookStop {
  std::stop_token token{};
  std::chrono::seconds after{0};  ///< so long behind the request
};

/// Runs a profile's script and waits for its end.
///
/// path:  of the script, absolute; empty does nothing.
/// when:  "pre" or "post".
/// extra: further settings for its environment.
/// The script sees ROTA_PROFILE (profile_name) and ROTA_HOOK (when). One that ends with status 0
/// when it is asked to stop has done its work.
/// Throws Error(interrupted) when the stop ended it, Error(io) when it cannot be started, and when
/// it ends with a status other than 0: then with the status and the end of its output. The message
/// is one sentence without a full stop; what follows from it ("nothing was backed up") is for the
/// caller to say.
void run_hook(base::ProcessRunner& processes, const std::string& path,
              const std::string& profile_name, const std::string& when,
              const std::vector<std::pair<std::string, std::string>>& extra = {},
              const HookStop& stop = {});

}  // namespace rota::dump
