#pragma once

#include <stop_token>
#include <string>

#include "job/doctor.h"
#include "profile/places.h"

namespace rota::job {

/// Where to look on this machine.
struct Outlook {
  std::string root{};  ///< in front of /etc, /usr and so on; empty but in tests
};

/// Looks at a profile, its store and this machine, for judge(). Asks the store for the key's
/// rights, the bucket's settings, the time and the first run, and changes nothing in it; where it
/// cannot be asked for rights, they are tried, see InspectableStore.
///
/// A store that does not answer is something seen, no error. Throws Error(config) for a profile
/// that cannot be used, Error(interrupted).
Seen examine(const profile::Places& places, const std::string& name, base::Clock& clock,
             const std::stop_token& stop, const Outlook& outlook = {});

}  // namespace rota::job
