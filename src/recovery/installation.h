#pragma once

#include <string>
#include <vector>

#include "base/time.h"
#include "ledger/disks.h"
#include "profile/places.h"
#include "profile/profile.h"
#include "profile/rotation.h"
#include "rotation/status.h"

namespace rota::recovery {

/// Everything that this machine knows of its backups, read at one moment: what labels and the
/// recovery plan are made from.
struct Installation {
  std::string host;
  base::Instant now{};
  std::string config;  ///< where rotation.toml and the profiles lie
  std::vector<profile::Profile> profiles;
  profile::Rotation rotation;
  std::vector<ledger::DiskState> disks;  ///< sorted by name
  rotation::Status status;
};

/// Reads it. The ports are not looked at: paper says what was recorded. Throws Error(config) for a
/// profile or a rotation.toml that cannot be used.
Installation read_installation(const profile::Places& places, ledger::Ledger& ledger,
                               base::Instant now);

/// The same from the ledger of this machine.
Installation read_installation(const profile::Places& places, base::Instant now);

}  // namespace rota::recovery
