#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/time.h"
#include "ledger/disk_rows.h"

/// What records say of the clock, and the clock of records. Pure.
namespace rota::rotation {

/// Clocks of one machine before and after a restart differ by less.
inline constexpr std::chrono::hours kClockSlack{1};

/// True when the copy is dated later than now: when it was made is not known, so that it is neither
/// the newest of anything nor pruned by a policy.
bool is_of_future(const ledger::CopyRow& copy, base::Instant now);

/// The kind of tripwire that is about the clock (ledger::AlarmRow::what).
inline constexpr const char* kClockTripwire = "clock";

/// How a record with a date of the future is named in the details of such a tripwire:
/// "20361124T030000Z run".
std::string detail_of(base::Instant time, const std::string& what);
/// The dates that were named so to a person who took note: it is known that they are wrong.
std::vector<base::Instant> known_wrong(std::span<const ledger::AlarmRow> alarms);
/// True for these dates, and up to a day behind one of them: what else was recorded by that clock,
/// and the fulls after it, whose names must follow that of a full of the future.
bool is_known_wrong(base::Instant time, std::span<const base::Instant> known);

/// A time in which nothing was recorded.
struct Silence {
  base::Instant from{};
  base::Instant to{};
};

/// The longest silence in `recorded` up to now that cannot be explained: the clock may have jumped
/// within it. Nothing: there is none, or nothing was recorded.
///
/// believed: before this nothing is looked at; the last moment at which the clock was judged.
///           Without one only the silence from the last record to now is: runs of old chains are
///           purged, so that those that are left lie far apart.
/// interval: of the set of disks. Three of them, and 60 days at least, can be explained: a swap
///           that was forgotten twice, or a machine that was off for a summer, is no clock that
///           jumped; a clock without a battery, or one set by hand, is off by years. A shorter jump
///           makes nothing older than `max_age` that was not nearly so.
std::optional<Silence> unexplained_silence(std::vector<base::Instant> recorded,
                                           std::optional<base::Instant> believed,
                                           const base::Span& interval, base::Instant now);

}  // namespace rota::rotation
