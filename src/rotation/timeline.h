#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/time.h"
#include "ledger/disk_rows.h"

namespace rota::rotation {

/// What a disk did for a while, as a picture of a year can show it.
enum class Phase {
  unknown,  ///< before it was prepared, or nothing is known of it
  on_site,
  travelling,
  off_site,
  copying,
  exposed,  ///< at a port although nothing is copied: within an intruder's reach
  gone      ///< lost or retired
};

/// "on site", "travelling", …
const char* word(Phase phase);

struct Stretch {
  base::Instant from{};
  base::Instant to{};
  Phase phase = Phase::unknown;
  friend bool operator==(const Stretch&, const Stretch&) = default;
};

/// A disk at a port counts as copying for so long around its copies: it has to be plugged in before
/// and unplugged afterwards.
inline constexpr std::chrono::hours kAtPort{24};

/// The phases of one disk from `from` to `now`, without gaps, neighbours unlike each other.
///
/// claims, observations: of any disks, with the last ones before `from` (Disks::claims_since() and
/// observations_since()); those of other disks are passed over. What is said to have been is taken
/// at its time, not at the time when it was recorded.
std::vector<Stretch> timeline(const ledger::DiskState& state,
                              std::span<const ledger::ClaimRow> claims,
                              std::span<const ledger::ObservationRow> observations,
                              base::Instant from, base::Instant now);

}  // namespace rota::rotation
