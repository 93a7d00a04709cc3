#pragma once

#include <vector>

#include "chain/key.h"
#include "profile/profile.h"

namespace rota::job {

/// For whom the profile's backups are encrypted; none: they are not. Throws Error(config), naming
/// the profile, for a text that is no recipient, for one that is named twice and for too many.
std::vector<chain::Recipient> recipients_of(const profile::Profile& profile);

}  // namespace rota::job
