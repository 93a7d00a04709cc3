#pragma once

#include "profile/profile.h"

namespace rota::job {

/// Throws what a backup of the profile would end with before it asks anything of a server: a target
/// or recipient that is none, a key or access key that is not there or cannot be read.
///
/// A credential that only systemd brings, to a unit that is not this process, is taken on trust.
void check_usable(const profile::Profile& profile);

}  // namespace rota::job
