#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace rota::base {

/// A point in time, UTC, whole seconds: what runs, copies and reports use. (File times have
/// nanoseconds and a type of their own in tree/entry.h.)
using Instant = std::chrono::sys_seconds;

/// The seam to the clock. Nothing else in rota asks for the time of day, or waits for it to pass.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() = 0;
  /// Returns when so much time has passed, or at once when a stop is requested. May be called from
  /// several threads at once.
  virtual void sleep(std::chrono::milliseconds duration, const std::stop_token& stop) = 0;
};

Clock& real_clock();

/// A span as people and duplicity write it: a number and a unit, several may follow each other:
/// "4D", "2W", "3M", "2Y", "36h", "90m", "30s", "1Y6M". D W M Y are calendar units, h m s clock
/// units; m is minutes, M months. duplicity(1), TIME FORMATS.
struct Span {
  int years = 0;
  int months = 0;
  int days = 0;
  std::int64_t seconds = 0;
  friend bool operator==(const Span&, const Span&) = default;
};

/// Throws Error(usage) naming the text when it is not a span.
Span parse_span(std::string_view text);
std::string to_string(const Span& span);

/// `from` moved by `span` in the calendar of UTC; a day that the month does not have becomes its
/// last (31 March − 1M = 28 February).
Instant before(Instant from, const Span& span);
Instant after(Instant from, const Span& span);

/// A moment as people type it: "now"; a span, which counts back from `now` ("4D"); a date
/// "2026-01-04" (its end in local time: the state at the close of that day); "2026-01-04T03:00"
/// (the end of that minute), "2026-01-04T03:00:15", with "Z" or "+01:00" behind it, else local
/// time; "@1767495600". Nothing when the text has none of these forms (it may then be a run's
/// name).
std::optional<Instant> parse_moment(std::string_view text, Instant now);

/// "20260104T030000Z", as in names of runs and copies.
std::string compact(Instant time);
/// The reverse; nothing when the text has another form or names no real time.
std::optional<Instant> parse_compact(std::string_view text);

/// "2026-01-04T03:00:00Z", for JSON and records.
std::string iso(Instant time);
std::optional<Instant> parse_iso(std::string_view text);

/// "2026-01-04 03:00", in the machine's time zone, for people.
std::string local(Instant time);

/// "3 hours ago", "2 days ago", "in 5 days", "just now".
std::string relative(Instant time, Instant now);

}  // namespace rota::base
