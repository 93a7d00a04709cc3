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

}  // namespace rota::rotation
