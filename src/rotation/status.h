#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/time.h"
#include "ledger/ledger.h"
#include "rotation/level.h"
#include "rotation/rotation.h"

/// Where status is worked out, and nowhere else: commands, screen, labels and reports print what
/// stands here. Everything in this folder is pure: rows and the time in, words out.
namespace rota::rotation {

/// A run is expected every day; two hours of slack let it be late or long.
inline constexpr std::chrono::hours kRunWarning{26};
inline constexpr std::chrono::hours kRunAlarm{3 * 24};
/// A verification is expected every month.
inline constexpr std::chrono::hours kVerifyWarning{35 * 24};

struct ProfileStatus {
  std::string profile;
  std::optional<ledger::RunRow> newest;  ///< of those not dated later than now, if there are any
  int chains = 0;
  int runs = 0;
  std::uint64_t stored = 0;  ///< bytes in the store, all runs together
  /// False when the records of some runs could not be opened here: `stored` is too small then.
  bool stored_known = true;
  /// When a run will be a full; in the past when the next one will. Nothing without a limit.
  std::optional<base::Instant> next_full_due;
  std::optional<ledger::VerifyRow> last_verification;
  Level level = Level::good;
  /// One sentence each, what is wrong and what to do, the worst first. None when good.
  std::vector<std::string> messages;
  std::vector<Level> message_levels;  ///< of each message
};

struct Status {
  std::vector<ProfileStatus> profiles;  ///< in the order given
  RotationStatus rotation;
  /// The worst of all. Alarm when there is no profile: then nothing is backed up. As long as no
  /// disk was prepared and no rotation is configured, the lack of disks does not count.
  Level level = Level::alarm;
};

/// known_wrong: as in Facts.
ProfileStatus profile_status(const ProfileRows& rows, base::Instant now,
                             std::span<const base::Instant> known_wrong = {});

Status compute(const Facts& facts, base::Instant now);

/// How many things of this level are said, of disks, drills and profiles together.
int count(const Status& status, Level level);

/// One line for a monitoring program: "ALARM: …", the worst first.
std::string headline(const Status& status);

}  // namespace rota::rotation
