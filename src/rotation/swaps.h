#pragma once

#include <string>
#include <vector>

#include "rotation/rotation.h"

namespace rota::rotation {

/// A disk's turn that is to come.
struct Swap {
  std::string set;
  std::string disk;
  base::Instant due{};
  bool overdue = false;  ///< should have been before now; only the first of a disk can be
  /// The same for the same turn of the same disk, however its date moves, until it was kept.
  std::string key;
};

/// Every turn until `until`, if all are kept, the soonest first. Pure.
std::vector<Swap> coming_swaps(const RotationStatus& status, base::Instant now,
                               base::Instant until);

/// A drill that is to come.
struct ComingDrill {
  std::string server;
  base::Instant due{};
  bool overdue = false;  ///< should have been before now; only the first of a server can be
  std::string key;       ///< as Swap::key
};

/// Every drill until `until`, if all are made when they are due, the soonest first. Pure.
std::vector<ComingDrill> coming_drills(const RotationStatus& status, base::Instant now,
                                       base::Instant until);

}  // namespace rota::rotation
