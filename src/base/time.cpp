#include "base/time.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <condition_variable>
#include <ctime>
#include <mutex>
#include <set>

#include "base/error.h"
#include "base/text.h"

namespace rota::base {

namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::year_month_day;

class RealClock final : public Clock {
 public:
  Instant now() override { return floor<seconds>(std::chrono::system_clock::now()); }

  void sleep(std::chrono::milliseconds duration, const std::stop_token& stop) override {
    std::mutex mutex;
    std::condition_variable_any stopped;
    std::unique_lock lock(mutex);
    stopped.wait_for(lock, stop, duration, [] { return false; });
  }
};

/// Of one unit in a span. Keeps every sum inside the years that std::chrono can hold (±32767).
constexpr int kMostOfAUnit = 10'000;

/// The last second of the year 9999: what four figures of a year can name.
constexpr std::int64_t kLastSecond = 253'402'300'799;

constexpr int kMinute = 60;
constexpr int kHour = 60 * kMinute;
constexpr int kDay = 24 * kHour;

/// Takes fixed forms off the front of a text. Stops at the first thing that does not fit.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  bool at_end() const { return text_.empty(); }

  bool literal(char wanted) {
    if (!text_.starts_with(wanted)) return false;
    text_.remove_prefix(1);
    return true;
  }

  /// Exactly `figures` decimal digits, a value between `low` and `high`.
  std::optional<int> number(std::size_t figures, int low, int high) {
    if (text_.size() < figures) return std::nullopt;
    int value = 0;
    for (const char c : text_.substr(0, figures)) {
      if (c < '0' || c > '9') return std::nullopt;
      value = value * 10 + (c - '0');
    }
    if (value < low || value > high) return std::nullopt;
    text_.remove_prefix(figures);
    return value;
  }

 private:
  std::string_view text_;
};

/// "2026-01-04", or "20260104" without a separator; only days that the calendar has.
std::optional<sys_days> scan_date(Scanner& in, bool dashes) {
  const auto year = in.number(4, 1, 9999);
  if (!year || (dashes && !in.literal('-'))) return std::nullopt;
  const auto month = in.number(2, 1, 12);
  if (!month || (dashes && !in.literal('-'))) return std::nullopt;
  const auto day = in.number(2, 1, 31);
  if (!day) return std::nullopt;
  const year_month_day date(std::chrono::year(*year),
                            std::chrono::month(static_cast<unsigned>(*month)),
                            std::chrono::day(static_cast<unsigned>(*day)));
  if (!date.ok()) return std::nullopt;
  return sys_days(date);
}

enum class Seconds { required, optional };

/// "03:00:15" or "03:00", or "030015" without colons. A minute means its end, as a date means the
/// end of its day: a run that a list shows as 03:00 began within that minute.
std::optional<seconds> scan_time(Scanner& in, bool colons, Seconds rule) {
  const auto hour = in.number(2, 0, 23);
  if (!hour || (colons && !in.literal(':'))) return std::nullopt;
  const auto minute = in.number(2, 0, 59);
  if (!minute) return std::nullopt;
  const seconds time = hours(*hour) + minutes(*minute);
  if (colons && !in.literal(':')) {
    return rule == Seconds::optional ? std::optional(time + seconds(59)) : std::nullopt;
  }
  const auto second = in.number(2, 0, 59);
  if (!second) return std::nullopt;
  return time + seconds(*second);
}

/// How far local time is ahead of UTC at `time`.
seconds local_offset(Instant time) {
  const std::time_t t = time.time_since_epoch().count();
  std::tm fields{};
  if (::localtime_r(&t, &fields) == nullptr) return seconds(0);
  return seconds(fields.tm_gmtoff);
}

/// The moment when clocks on the wall show `wall`. Of the two in an autumn night, the first;
/// nothing for a time that spring skips. (mktime() would decide both by what it was asked before.)
std::optional<Instant> from_local(Instant wall) {
  for (const Instant near : {wall - days(1), wall + days(1)}) {
    const seconds offset = local_offset(near);
    if (local_offset(wall - offset) == offset) return wall - offset;
  }
  return std::nullopt;
}

std::optional<Span> read_span(std::string_view text) {
  Span span;
  std::set<char> seen;  // "4D4D" is a slip of the finger, not eight days
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    const char* const end = text.data() + text.size();
    unsigned number = 0;
    const auto [rest, failed] = std::from_chars(text.data(), end, number);
    if (failed != std::errc() || rest == end || number > kMostOfAUnit) return std::nullopt;
    if (!seen.insert(*rest).second) return std::nullopt;
    const int n = static_cast<int>(number);
    switch (*rest) {
      case 's':
        span.seconds += n;
        break;
      case 'm':
        span.seconds += n * kMinute;
        break;
      case 'h':
        span.seconds += n * kHour;
        break;
      case 'D':
        span.days += n;
        break;
      case 'W':
        span.days += n * 7;
        break;
      case 'M':
        span.months += n;
        break;
      case 'Y':
        span.years += n;
        break;
      default:
        return std::nullopt;
    }
    text.remove_prefix(static_cast<std::size_t>(rest - text.data()) + 1);
  }
  return span;
}

/// Years and months first, then the day is fitted into its month, then days and seconds: so that
/// "1M1D" before 31 March is the last but one of February.
Instant shifted(Instant from, const Span& span, int direction) {
  const sys_days day = floor<days>(from);
  const seconds time_of_day = from - day;
  const year_month_day date(day);
  const std::int64_t months = std::int64_t{span.years} * 12 + span.months;
  const std::chrono::year_month month =
      date.year() / date.month() + std::chrono::months(direction * months);
  year_month_day moved = month / date.day();
  if (!moved.ok()) moved = month / std::chrono::last;
  return sys_days(moved) + days(direction * span.days) + time_of_day +
         seconds(direction * span.seconds);
}

/// What stands behind a time: "Z", "+01:00", "-08:00".
std::optional<seconds> scan_offset(Scanner& in) {
  if (in.literal('Z')) return seconds(0);
  const bool east = in.literal('+');
  if (!east && !in.literal('-')) return std::nullopt;
  const auto hour = in.number(2, 0, 23);
  if (!hour || !in.literal(':')) return std::nullopt;
  const auto minute = in.number(2, 0, 59);
  if (!minute) return std::nullopt;
  const seconds offset = hours(*hour) + minutes(*minute);
  return east ? offset : -offset;
}

std::optional<Instant> parse_date_and_time(std::string_view text) {
  Scanner in(text);
  const auto day = scan_date(in, true);
  if (!day) return std::nullopt;
  if (in.at_end()) return from_local(*day + days(1) - seconds(1));
  if (!in.literal('T')) return std::nullopt;
  const auto time = scan_time(in, true, Seconds::optional);
  if (!time) return std::nullopt;
  if (in.at_end()) return from_local(*day + *time);
  const auto offset = scan_offset(in);
  if (!offset || !in.at_end()) return std::nullopt;
  return *day + *time - *offset;
}

std::optional<Instant> parse_epoch(std::string_view digits) {
  std::uint64_t number = 0;  // unsigned: no sign is taken
  const char* const end = digits.data() + digits.size();
  const auto [rest, failed] = std::from_chars(digits.data(), end, number);
  if (failed != std::errc() || rest != end || number > kLastSecond) return std::nullopt;
  return Instant(seconds(static_cast<std::int64_t>(number)));
}

struct Fields {
  int year;
  unsigned month;
  unsigned day;
  std::int64_t hour;
  std::int64_t minute;
  std::int64_t second;
};

Fields split(Instant time) {
  const sys_days day = floor<days>(time);
  const year_month_day date(day);
  const std::int64_t second = (time - day).count();
  return {static_cast<int>(date.year()),     static_cast<unsigned>(date.month()),
          static_cast<unsigned>(date.day()), second / kHour,
          second % kHour / kMinute,          second % kMinute};
}

}  // namespace

Clock& real_clock() {
  static RealClock clock;
  return clock;
}

Span parse_span(std::string_view text) {
  const auto span = read_span(text);
  if (span) return *span;
  throw Error(ErrorKind::usage,
              fmt::format("\"{}\" is not a span of time: write a number of at most {} and a unit, "
                          "one of s (seconds), m (minutes), h (hours), D (days), W (weeks), "
                          "M (months), Y (years), for example 36h, 4D or 1Y6M",
                          printable(text), kMostOfAUnit));
}

std::string to_string(const Span& span) {
  std::string text;
  const auto add = [&](std::int64_t number, char unit) {
    if (number != 0) text += fmt::format("{}{}", number, unit);
  };
  add(span.years, 'Y');
  add(span.months, 'M');
  // No number above kMostOfAUnit, so that parse_span() takes back what it gave.
  const bool in_weeks = span.days % 7 == 0 || span.days > kMostOfAUnit;
  const int weeks = in_weeks ? std::min(span.days / 7, kMostOfAUnit) : 0;
  add(weeks, 'W');
  add(span.days - weeks * 7, 'D');
  const std::int64_t h = std::min<std::int64_t>(span.seconds / kHour, kMostOfAUnit);
  const std::int64_t m = std::min<std::int64_t>((span.seconds - h * kHour) / kMinute, kMostOfAUnit);
  add(h, 'h');
  add(m, 'm');
  add(span.seconds - h * kHour - m * kMinute, 's');
  return text.empty() ? "0s" : text;
}

Instant before(Instant from, const Span& span) { return shifted(from, span, -1); }
Instant after(Instant from, const Span& span) { return shifted(from, span, 1); }

std::optional<Instant> parse_moment(std::string_view text, Instant now) {
  if (text == "now") return now;
  if (text.starts_with('@')) return parse_epoch(text.substr(1));
  if (const auto span = read_span(text)) return before(now, *span);
  return parse_date_and_time(text);
}

std::string compact(Instant time) {
  const Fields f = split(time);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", f.year, f.month, f.day, f.hour, f.minute,
                     f.second);
}

std::optional<Instant> parse_compact(std::string_view text) {
  Scanner in(text);
  const auto day = scan_date(in, false);
  if (!day || !in.literal('T')) return std::nullopt;
  const auto time = scan_time(in, false, Seconds::required);
  if (!time || !in.literal('Z') || !in.at_end()) return std::nullopt;
  return *day + *time;
}

std::string iso(Instant time) {
  const Fields f = split(time);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", f.year, f.month, f.day, f.hour,
                     f.minute, f.second);
}

std::optional<Instant> parse_iso(std::string_view text) {
  Scanner in(text);
  const auto day = scan_date(in, true);
  if (!day || !in.literal('T')) return std::nullopt;
  const auto time = scan_time(in, true, Seconds::required);
  if (!time || !in.literal('Z') || !in.at_end()) return std::nullopt;
  return *day + *time;
}

std::string local(Instant time) {
  const Fields f = split(time + local_offset(time));
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}", f.year, f.month, f.day, f.hour, f.minute);
}

std::string relative(Instant time, Instant now) {
  struct Unit {
    std::int64_t seconds;
    std::int64_t from;  // used from this many of it on
    const char* name;
  };
  // Days up to two months and months up to two years: ages of disks are compared by these figures.
  static constexpr std::array kUnits = {
      Unit{std::int64_t{365} * kDay, 2, "year"}, Unit{std::int64_t{30} * kDay, 2, "month"},
      Unit{kDay, 1, "day"}, Unit{kHour, 1, "hour"}, Unit{kMinute, 1, "minute"}};
  const bool future = time > now;
  std::int64_t distance = (future ? time - now : now - time).count();
  if (distance < kMinute) return "just now";
  // A deadline five days ahead must not read "in 4 days" a second later.
  if (future) distance += kMinute - 1;
  for (const Unit& unit : kUnits) {
    const std::int64_t number = distance / unit.seconds;
    if (number < unit.from) continue;
    const std::string text = fmt::format("{} {}{}", number, unit.name, number == 1 ? "" : "s");
    return future ? "in " + text : text + " ago";
  }
  return "just now";
}

}  // namespace rota::base
