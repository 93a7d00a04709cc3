#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/time.h"
#include "disk/changes.h"

namespace rota::disk {

/// When something was recorded.
struct Recorded {
  base::Instant time{};
  std::string what;      ///< "run", "copy on disk B"
  bool believed = true;  ///< the clock of that moment was judged, as before a seal
};

/// What is known of a server beside the difference to its last copy.
struct TripwireFacts {
  /// Of the copies of the server that were sealed last, on any disk: the share of entries whose
  /// content changed, 0 to 1; newest first. What else is judged needs none of them.
  std::vector<double> changed_before;
  int copies = 0;  ///< so many were sealed in all
  base::Instant now{};
  /// Runs and seals of copies of the server, whenever they say that they were.
  std::vector<Recorded> recorded;
  /// Dates of the future that a person took note of: see rotation::known_wrong().
  std::vector<base::Instant> known_wrong;
  base::Span interval;  ///< of the set of disks
  /// What was mounted within the source at the last copy, and what is now; absolute paths. The
  /// first is nothing when that is not known.
  std::optional<std::vector<std::string>> mounts_before;
  std::vector<std::string> mounts_now;
  /// Files that nothing should ever touch and that are not as they were at the last copy.
  std::vector<std::string> canaries_changed;
  std::vector<std::string> canaries_missing;  ///< that were in no copy, and are not there now
};

/// A reason not to let a new copy take the place of an old one before a person has looked.
struct Tripwire {
  std::string kind;     ///< "fewer entries", "noise", …: the same for each of its sort
  bool holds = true;    ///< false: only worth a warning
  std::string message;  ///< a sentence: what was seen, and what is the limit
  std::vector<std::string> details;  ///< names of files, made printable
  /// How far it went: a share of what the last copy held, in thousandths; of a clock, hours. 0
  /// where the details say it all.
  std::uint64_t extent = 0;
};

/// A tripwire that a person let pass.
struct Accepted {
  std::string kind;
  std::uint64_t extent = 0;
  std::vector<std::string> details;
};

/// True when a person's word about one tripwire is good for another: the same kind, no other
/// mounts, canaries or records, and not clearly larger (by more than a quarter and kSlack). Pure.
bool covers(const Accepted& accepted, const Tripwire& tripwire);
inline constexpr std::uint64_t kSlack = 10;

/// Why a copy should be held. None: nothing is odd about it.
///
/// changes:  against the newest sealed copy; without a predecessor only an empty source is judged.
/// surveyed: they come from a stat walk, which cannot tell `touched` from `changed` and knows
///           nothing of contents: shares of changed entries are then not judged.
/// A share of changed entries alone only warns until there are three copies: what is usual is not
/// known before.
/// Pure.
std::vector<Tripwire> judge(const ChangeSummary& changes, bool surveyed,
                            const TripwireFacts& facts);

/// Of these, what concerns the contents of changed entries: the part that a stat walk leaves out.
std::vector<Tripwire> judge_contents(const ChangeSummary& changes, const TripwireFacts& facts);

/// The limits. Sources: reports of restored ransomware damage and of copies that were overwritten
/// with the contents of an unmounted directory; docs/manual.md explains each.
inline constexpr double kFewerEntries = 0.10;
inline constexpr double kMoreEntries = 0.50;
inline constexpr double kFewerBytes = 0.20;
inline constexpr double kChangedShare = 0.05;  ///< or three times the median, if that is more
inline constexpr double kNoiseShare = 0.10;    ///< of changed files that compressed well before
inline constexpr double kRenamedShare = 0.10;  ///< of all entries got one new extension
inline constexpr int kCopiesToKnow = 3;
/// Trees that are smaller than this swing widely without any harm.
inline constexpr std::uint64_t kFewEntries = 20;

}  // namespace rota::disk
