#pragma once

#include <span>
#include <string>
#include <vector>

#include "ledger/ledger.h"
#include "profile/places.h"
#include "profile/rotation.h"
#include "rotation/status.h"

namespace rota::job {

/// The sets of rotation.toml, as src/rotation takes them.
std::vector<rotation::SetPolicy> set_policies(const profile::Rotation& rotation);

/// Reads what status is worked out from, and works it out. profiles: those to tell of; with all of
/// them, exposure is told for each. Throws Error(config) for a profile or a rotation.toml that
/// cannot be used.
rotation::Status read_status(const profile::Places& places, ledger::Ledger& ledger,
                             std::span<const std::string> profiles, base::Instant now);

}  // namespace rota::job
