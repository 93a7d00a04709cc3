#pragma once

#include <string>

#include "profile/places.h"

namespace rota::profile {

/// What a person says when a profile is made; the rest has defaults.
struct NewProfile {
  std::string name;
  std::string source = "/";
  std::string target;
  std::string credentials;  ///< empty: none
};

/// Makes <config>/<name> (0700) with a commented exclude list and a commented profile.toml (0600).
///
/// profile.toml is written last: it is what makes the profile visible, so that a call that was
/// interrupted can be made again.
/// Throws Error(usage) for a name, path or target that cannot be used, Error(refused) when the
/// profile exists already or its directory holds another exclude list; never overwrites either.
void create_profile(const Places& places, const NewProfile& wanted);

}  // namespace rota::profile
