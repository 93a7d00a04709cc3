#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "ledger/ledger.h"
#include "profile/places.h"
#include "profile/profile.h"
#include "profile/rotation.h"
#include "rotation/facts.h"

/// The one reader of what status is worked out from, for commands, mails, labels and the screen.
namespace rota::status {

/// The sets of rotation.toml, as src/rotation takes them.
std::vector<rotation::SetPolicy> set_policies(const profile::Rotation& rotation);

/// Throws Error when a profile that can be read cannot be used. Stores and keys are no business of
/// this folder, nor of the screen's: who knows them brings this.
using ProfileCheck = std::function<void(const profile::Profile&)>;

/// The facts about the profiles `told`, or all if it is empty; of the others only the names are
/// read. Nobody has looked at ports yet: `connected` is nothing. A profile that cannot be used is
/// among `unusable`. Throws Error(config) for a rotation.toml that cannot be used, and Error for a
/// profile of `told` that there is not.
rotation::Facts read_facts(const profile::Places& places, ledger::Ledger& ledger,
                           std::span<const std::string> told = {},
                           const ProfileCheck& check = nullptr);

}  // namespace rota::status
