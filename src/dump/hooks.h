#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/process.h"

namespace rota::dump {

/// Runs a profile's script and waits for its end.
///
/// path:  of the script, absolute; empty does nothing.
/// when:  "pre" or "post".
/// extra: further settings for its environment.
/// The script sees ROTA_PROFILE (profile_name) and ROTA_HOOK (when).
/// Throws Error(interrupted) when Ctrl-C ended it, Error(io) when it cannot be started, and when it
/// ends with a status other than 0: then with the status and the end of its output. The message is
/// one sentence without a full stop; what follows from it ("nothing was backed up") is for the
/// caller to say.
void run_hook(base::ProcessRunner& processes, const std::string& path,
              const std::string& profile_name, const std::string& when,
              const std::vector<std::pair<std::string, std::string>>& extra = {});

}  // namespace rota::dump
