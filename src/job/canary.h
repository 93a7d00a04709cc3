#pragma once

#include <string>
#include <vector>

#include "profile/places.h"
#include "profile/profile.h"

namespace rota::job {

struct CanaryFaults {
  std::vector<std::string> changed;  ///< since canaries were remembered last, or not readable since
  std::vector<std::string> missing;  ///< not readable, and not remembered as anything else
};

/// What is wrong with the profile's canaries. One that was not remembered yet and can be read is as
/// it should be.
CanaryFaults canary_faults(const profile::Places& places, const profile::Profile& profile);

/// Remembers them as they are now, in <state>/<profile>/canaries: a hash and a path a line.
void remember_canaries(const profile::Places& places, const profile::Profile& profile);

}  // namespace rota::job
