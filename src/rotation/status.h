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

/// Where status is worked out, and nowhere else: commands, screen, labels and reports print what
/// stands here. Everything in this folder is pure: rows and the time in, words out.
namespace rota::rotation {

/// A run is expected every day; two hours of slack let it be late or long.
inline constexpr std::chrono::hours kRunWarning{26};
inline constexpr std::chrono::hours kRunAlarm{3 * 24};
/// A verification is expected every month.
inline constexpr std::chrono::hours kVerifyWarning{35 * 24};

/// What a profile says about its chains; a span of nothing is no limit.
struct Policy {
  base::Span max_full_age;  ///< a chain older than this gets no more increments
  base::Span max_age;       ///< chains wholly older are purged
  int max_fulls_with_incrs = 0;
};

/// What the ledger knows about one profile, and the profile's policy.
struct ProfileRows {
  std::string profile;
  std::vector<ledger::RunRow> runs;  ///< oldest first
  /// Ledger::last_verifications(): the last of each kind, in the order of recording.
  std::vector<ledger::VerifyRow> verifications;
  Policy policy;
};

struct ProfileStatus {
  std::string profile;
  std::optional<ledger::RunRow> newest;
  int chains = 0;
  int runs = 0;
  std::uint64_t stored = 0;  ///< bytes in the store, all runs together
  /// When a run will be a full; in the past when the next one will. Nothing without a limit.
  std::optional<base::Instant> next_full_due;
  std::optional<ledger::VerifyRow> last_verification;
  Level level = Level::good;
  /// One sentence each, what is wrong and what to do, the worst first. None when good.
  std::vector<std::string> messages;
  std::vector<Level> message_levels;  ///< of each message
};

/// A copy on a rotation disk.
struct OffsiteCopy {
  std::string disk;               ///< its label: "ROTA-B"
  base::Instant snapshot_time{};  ///< the moment that the copy shows, not when it was made
  bool verified = false;          ///< read back from the medium and found right
  bool offsite = false;           ///< unplugged and taken off site
};

/// How far back a loss of everything online would throw us.
struct Exposure {
  bool any_offsite_copy = false;  ///< a verified one; the next three are set only then
  std::optional<base::Instant> falls_back_to;
  std::optional<std::chrono::seconds> age;  ///< now − falls_back_to; never negative
  std::string disk;
  std::string sentence;  ///< "If everything online vanished now, you would go back to …"
};

struct Status {
  std::vector<ProfileStatus> profiles;  ///< in the order given
  Exposure exposure;
  /// The worst of the profiles; alarm when there is none: then nothing is backed up. Exposure does
  /// not count as long as a rotation is not configured.
  Level level = Level::alarm;
};

ProfileStatus profile_status(const ProfileRows& rows, base::Instant now);

/// The newest copy that is both verified and off site decides; copies in any order.
Exposure exposure(std::span<const OffsiteCopy> copies, base::Instant now);

Status compute(std::span<const ProfileRows> profiles, std::span<const OffsiteCopy> copies,
               base::Instant now);

}  // namespace rota::rotation
