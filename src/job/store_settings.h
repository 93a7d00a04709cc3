#pragma once

#include <stop_token>
#include <string>

#include "profile/profile.h"
#include "store/open.h"

namespace rota::job {

/// What opens the store of a profile. Reads its credentials; throws as read_credentials() does.
store::StoreSettings store_settings(const profile::Profile& profile, const std::stop_token& stop);

/// The same for a store that no profile names. credentials: as profile::read_credentials() takes
/// it; empty: none.
store::StoreSettings store_settings(const std::string& target, const std::string& credentials,
                                    const std::stop_token& stop);

}  // namespace rota::job
