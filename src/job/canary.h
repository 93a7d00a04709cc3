#pragma once

#include <string>
#include <vector>

#include "profile/places.h"
#include "profile/profile.h"

namespace rota::job {

/// Those of the profile's canaries that are not as they were when canaries were remembered last, or
/// cannot be read; one that was not remembered yet is as it should be.
std::vector<std::string> changed_canaries(const profile::Places& places,
                                          const profile::Profile& profile);

/// Remembers them as they are now, in <state>/<profile>/canaries: a hash and a path a line.
void remember_canaries(const profile::Places& places, const profile::Profile& profile);

}  // namespace rota::job
