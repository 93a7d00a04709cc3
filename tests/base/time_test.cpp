#include "base/time.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <ctime>
#include <stop_token>
#include <thread>

#include "base/kind_of.h"

using namespace rota::base;
using rota::test::kind_of;
using rota::test::message_of;
using namespace std::chrono_literals;

namespace {

/// Sets the time zone for one test. Zones are written out in POSIX form, so that no test depends on
/// the zone files of the machine.
class Zone {
 public:
  explicit Zone(const char* zone) {
    if (const char* old = std::getenv("TZ")) old_ = old;
    ::setenv("TZ", zone, 1);
    ::tzset();
  }
  Zone(const Zone&) = delete;
  Zone& operator=(const Zone&) = delete;
  ~Zone() {
    if (old_) {
      ::setenv("TZ", old_->c_str(), 1);
    } else {
      ::unsetenv("TZ");
    }
    ::tzset();
  }

 private:
  std::optional<std::string> old_;
};

constexpr const char* kBerlin = "CET-1CEST,M3.5.0,M10.5.0/3";
constexpr const char* kNewYork = "EST5EDT,M3.2.0,M11.1.0";

Instant at(std::string_view text) { return parse_iso(text).value(); }

Instant back(std::string_view from, std::string_view span) {
  return before(at(from), parse_span(span));
}

const Instant kNow = Instant(1767495600s);  // 2026-01-04T03:00:00Z

/// A moment in ISO form, "-" for none.
std::string moment(std::string_view text) {
  const auto time = parse_moment(text, kNow);
  return time ? iso(*time) : "-";
}

}  // namespace

TEST_CASE("the real clock gives the time of day", "[time]") {
  const std::time_t low = std::time(nullptr);
  const Instant now = real_clock().now();
  const std::time_t high = std::time(nullptr);
  // std::time() may run a tick of the kernel behind the precise clock.
  CHECK(now.time_since_epoch().count() >= low);
  CHECK(now.time_since_epoch().count() <= high + 1);
}

TEST_CASE("a span is numbers with units", "[time]") {
  CHECK(parse_span("4D") == Span{.days = 4});
  CHECK(parse_span("2W") == Span{.days = 14});
  CHECK(parse_span("3M") == Span{.months = 3});
  CHECK(parse_span("2Y") == Span{.years = 2});
  CHECK(parse_span("36h") == Span{.seconds = 36 * 3600});
  CHECK(parse_span("90m") == Span{.seconds = 90 * 60});
  CHECK(parse_span("30s") == Span{.seconds = 30});
  CHECK(parse_span("1Y6M") == Span{.years = 1, .months = 6});
  CHECK(parse_span("1W2D3h4m5s") == Span{.days = 9, .seconds = 3 * 3600 + 4 * 60 + 5});
  CHECK(parse_span("6M1Y") == parse_span("1Y6M"));
  CHECK(parse_span("007D") == Span{.days = 7});
  CHECK(parse_span("0s") == Span{});
  CHECK(parse_span("10000Y") == Span{.years = 10'000});
}

TEST_CASE("what is no span is refused with the list of units", "[time]") {
  for (const char* text : {"",
                           "D",
                           "4",
                           "4d",
                           "4 D",
                           " 4D",
                           "4D ",
                           "-4D",
                           "+4D",
                           "4.5D",
                           "4D5",
                           "4DD",
                           "0x4D",
                           "10001D",
                           "99999999999999999999D",
                           "4294967297D",
                           "4D4D",
                           "1s10001m",
                           "4D,2h",
                           "now",
                           "4\xc3\x9f"}) {
    CAPTURE(text);
    CHECK(kind_of([&] { parse_span(text); }) == ErrorKind::usage);
  }
  CHECK(kind_of([] { parse_span(std::string_view("4D\0", 3)); }) == ErrorKind::usage);

  const std::string message = message_of([] { parse_span("7 \x1b days"); });
  CHECK_THAT(message, Catch::Contains("\"7 \\x1b days\""));
  for (const char* unit :
       {"s (sec", "m (min", "h (hour", "D (day", "W (week", "M (month", "Y (year"})
    CHECK_THAT(message, Catch::Contains(unit));
}

TEST_CASE("a span that was written is read as the same span", "[time]") {
  CHECK(to_string(Span{}) == "0s");
  CHECK(to_string(parse_span("1Y6M")) == "1Y6M");
  CHECK(to_string(parse_span("36h")) == "36h");
  CHECK(to_string(parse_span("90m")) == "1h30m");
  CHECK(to_string(parse_span("4D")) == "4D");
  CHECK(to_string(parse_span("14D")) == "2W");
  for (const char* text : {"0D", "1s", "2W", "9D", "1Y2M3W4D5h6m7s", "10000W10000D", "10000W",
                           "10000h10000m10000s", "10000s", "9999Y11M"}) {
    CAPTURE(text, to_string(parse_span(text)));
    CHECK(parse_span(to_string(parse_span(text))) == parse_span(text));
  }
}

TEST_CASE("calendar spans move by the calendar", "[time]") {
  CHECK(iso(back("2026-03-31T12:34:56Z", "1M")) == "2026-02-28T12:34:56Z");
  CHECK(iso(back("2028-03-31T12:34:56Z", "1M")) == "2028-02-29T12:34:56Z");
  CHECK(iso(back("2028-02-29T00:00:00Z", "1Y")) == "2027-02-28T00:00:00Z");
  CHECK(iso(back("2028-02-29T00:00:00Z", "4Y")) == "2024-02-29T00:00:00Z");
  CHECK(iso(back("2026-01-15T03:00:00Z", "1M")) == "2025-12-15T03:00:00Z");
  CHECK(iso(back("2026-01-15T03:00:00Z", "13M")) == "2024-12-15T03:00:00Z");
  CHECK(iso(back("2026-01-15T03:00:00Z", "1Y6M")) == "2024-07-15T03:00:00Z");
  CHECK(iso(back("2026-03-01T03:00:00Z", "1D")) == "2026-02-28T03:00:00Z");
  CHECK(iso(back("2026-03-01T03:00:00Z", "2W")) == "2026-02-15T03:00:00Z");
  CHECK(iso(back("2026-03-01T00:00:00Z", "1s")) == "2026-02-28T23:59:59Z");
  CHECK(iso(back("2026-03-31T00:00:00Z", "1M1D")) == "2026-02-27T00:00:00Z");
  CHECK(iso(back("1970-01-01T00:00:00Z", "1Y1h")) == "1968-12-31T23:00:00Z");
}

TEST_CASE("spans also move forward", "[time]") {
  const auto forward = [](std::string_view from, std::string_view span) {
    return iso(after(at(from), parse_span(span)));
  };
  CHECK(forward("2026-01-31T06:00:00Z", "1M") == "2026-02-28T06:00:00Z");
  CHECK(forward("2026-12-31T06:00:00Z", "2M") == "2027-02-28T06:00:00Z");
  CHECK(forward("2026-11-30T06:00:00Z", "1M") == "2026-12-30T06:00:00Z");
  CHECK(forward("2026-12-31T23:59:59Z", "1s") == "2027-01-01T00:00:00Z");
  CHECK(forward("2026-01-04T03:00:00Z", "36h") == "2026-01-05T15:00:00Z");
}

TEST_CASE("the longest span goes back and forth without overflow", "[time]") {
  const Span longest = parse_span("10000Y10000M10000W10000D10000h10000m10000s");
  CHECK(before(kNow, longest) < kNow - std::chrono::years(10'000));
  CHECK(after(kNow, longest) > kNow + std::chrono::years(10'000));
}

TEST_CASE("a moment can be now, a span back from now, or seconds", "[time]") {
  CHECK(moment("now") == "2026-01-04T03:00:00Z");
  CHECK(moment("4D") == "2025-12-31T03:00:00Z");
  CHECK(moment("1Y6M") == "2024-07-04T03:00:00Z");
  CHECK(moment("0s") == "2026-01-04T03:00:00Z");
  CHECK(moment("@1767495600") == "2026-01-04T03:00:00Z");
  CHECK(moment("@0") == "1970-01-01T00:00:00Z");
  CHECK(moment("@253402300799") == "9999-12-31T23:59:59Z");
}

TEST_CASE("a bare date is the end of that day in local time", "[time]") {
  {
    const Zone zone("UTC0");
    CHECK(moment("2026-01-04") == "2026-01-04T23:59:59Z");
    CHECK(moment("2028-02-29") == "2028-02-29T23:59:59Z");
  }
  {
    const Zone zone(kBerlin);
    CHECK(moment("2026-01-04") == "2026-01-04T22:59:59Z");
    CHECK(moment("2026-07-04") == "2026-07-04T21:59:59Z");
    CHECK(moment("2026-03-28") == "2026-03-28T22:59:59Z");  // the day before summer time
    CHECK(moment("2026-03-29") == "2026-03-29T21:59:59Z");  // its first day
  }
  {
    const Zone zone(kNewYork);
    CHECK(moment("2026-01-04") == "2026-01-05T04:59:59Z");
    CHECK(moment("2026-12-31") == "2027-01-01T04:59:59Z");
  }
}

TEST_CASE("a time without a zone is local, one with a zone is not", "[time]") {
  const Zone zone(kBerlin);
  CHECK(moment("2026-01-04T03:00") == "2026-01-04T02:00:59Z");
  CHECK(moment("2026-07-04T03:00:15") == "2026-07-04T01:00:15Z");
  CHECK(moment("2026-01-04T03:00Z") == "2026-01-04T03:00:59Z");
  CHECK(moment("2026-07-04T03:00:15Z") == "2026-07-04T03:00:15Z");
  CHECK(moment("2026-07-04T03:00:15+01:00") == "2026-07-04T02:00:15Z");
  CHECK(moment("2026-07-04T03:00-08:30") == "2026-07-04T11:30:59Z");
  CHECK(moment("2026-01-01T00:30+01:00") == "2025-12-31T23:30:59Z");
}

TEST_CASE("a local time that comes twice is its first, and one that is skipped is none", "[time]") {
  {
    const Zone zone(kBerlin);
    CHECK(moment("2026-10-25T01:59:59") == "2026-10-24T23:59:59Z");
    CHECK(moment("2026-10-25T02:30") == "2026-10-25T00:30:59Z");
    CHECK(moment("2026-10-25T03:00") == "2026-10-25T02:00:59Z");
    CHECK(moment("2026-03-29T01:59:59") == "2026-03-29T00:59:59Z");
    CHECK(moment("2026-03-29T02:30") == "-");
    CHECK(moment("2026-03-29T03:00") == "2026-03-29T01:00:59Z");
  }
  {
    const Zone zone(kNewYork);
    CHECK(moment("2026-11-01T01:30") == "2026-11-01T05:30:59Z");
    CHECK(moment("2026-03-08T02:00") == "-");
    CHECK(moment("2026-03-08T03:00") == "2026-03-08T07:00:59Z");
  }
}

TEST_CASE("what is no moment is nothing", "[time]") {
  const Zone zone("UTC0");
  for (const char* text : {"",
                           "Now",
                           "now ",
                           " now",
                           "yesterday",
                           "20260104T030000Z",
                           "2026",
                           "2026-01",
                           "2026-1-4",
                           "26-01-04",
                           "2026-02-30",
                           "2026-02-29",
                           "2026-04-31",
                           "2026-13-01",
                           "2026-00-10",
                           "2026-01-00",
                           "2026-01-32",
                           "0000-01-01",
                           "12026-01-01",
                           "2026-01-04 ",
                           "2026-01-04Z",
                           "2026-01-04+01:00",
                           "2026-01-04T",
                           "2026-01-04T3:00",
                           "2026-01-04T03",
                           "2026-01-04T03:",
                           "2026-01-04T03:0",
                           "2026-01-04T24:00",
                           "2026-01-04T03:60",
                           "2026-01-04T03:00:",
                           "2026-01-04T03:00:60",
                           "2026-01-04T03:00:00.5",
                           "2026-01-04T03:00:00z",
                           "2026-01-04t03:00:00Z",
                           "2026-01-04 03:00",
                           "2026-01-04T03:00ZZ",
                           "2026-01-04T03:00+1:00",
                           "2026-01-04T03:00+0100",
                           "2026-01-04T03:00+24:00",
                           "2026-01-04T03:00+01:60",
                           "2026-01-04T03:00+",
                           "2026-01-04T-3:00",
                           "-026-01-04",
                           "@",
                           "@-1",
                           "@+1",
                           "@ 1",
                           "@1 ",
                           "@1.5",
                           "@0x10",
                           "@253402300800",
                           "@18446744073709551617",
                           "@99999999999999999999999",
                           "4d",
                           "-4D",
                           "10001D",
                           "99999999999999999999Y"}) {
    CAPTURE(text);
    CHECK(moment(text) == "-");
  }
  CHECK(moment(std::string_view("2026-01-04\0", 11)) == "-");
}

TEST_CASE("the compact form is exact in both directions", "[time]") {
  CHECK(compact(kNow) == "20260104T030000Z");
  CHECK(parse_compact("20260104T030000Z") == kNow);
  CHECK(compact(at("0987-06-05T04:03:02Z")) == "09870605T040302Z");
  CHECK(parse_compact("19691231T235959Z") == Instant(-1s));
  CHECK(compact(Instant(-1s)) == "19691231T235959Z");
  for (const char* text :
       {"", "20260104T030000", "20260104T030000Zx", " 20260104T030000Z", "20260104030000Z",
        "20260104t030000Z", "20260104T0300Z", "20260230T030000Z", "20260104T240000Z",
        "20260104T036000Z", "20260104T030060Z", "2026-01-04T03:00:00Z", "2026010 T030000Z",
        "+0260104T030000Z"}) {
    CAPTURE(text);
    CHECK(parse_compact(text) == std::nullopt);
  }
}

TEST_CASE("the ISO form is exact in both directions", "[time]") {
  CHECK(iso(kNow) == "2026-01-04T03:00:00Z");
  CHECK(parse_iso("2026-01-04T03:00:00Z") == kNow);
  CHECK(parse_iso("2028-02-29T23:59:59Z") == Instant(1835481599s));
  for (const char* text :
       {"", "2026-01-04T03:00:00", "2026-01-04T03:00Z", "2026-01-04", "2026-01-04T03:00:00+00:00",
        "2026-01-04T03:00:00Z ", "2026-02-29T03:00:00Z", "2026-01-04T03:00:60Z",
        "2026-01-04T25:00:00Z", "20260104T030000Z", "2026/01/04T03:00:00Z"}) {
    CAPTURE(text);
    CHECK(parse_iso(text) == std::nullopt);
  }
}

TEST_CASE("local time is that of the machine's zone", "[time]") {
  {
    const Zone zone("UTC0");
    CHECK(local(kNow) == "2026-01-04 03:00");
  }
  {
    const Zone zone(kBerlin);
    CHECK(local(kNow) == "2026-01-04 04:00");
    CHECK(local(at("2026-07-31T22:05:59Z")) == "2026-08-01 00:05");
  }
  {
    const Zone zone(kNewYork);
    CHECK(local(kNow) == "2026-01-03 22:00");
  }
}

TEST_CASE("the distance from now is told in one unit", "[time]") {
  const auto ago = [](std::chrono::seconds s) { return relative(kNow - s, kNow); };
  CHECK(ago(0s) == "just now");
  CHECK(ago(59s) == "just now");
  CHECK(ago(60s) == "1 minute ago");
  CHECK(ago(119s) == "1 minute ago");
  CHECK(ago(59min + 59s) == "59 minutes ago");
  CHECK(ago(1h) == "1 hour ago");
  CHECK(ago(3h + 59min) == "3 hours ago");
  CHECK(ago(23h + 59min) == "23 hours ago");
  CHECK(ago(24h) == "1 day ago");
  CHECK(ago(48h) == "2 days ago");
  CHECK(ago(24h * 59) == "59 days ago");
  CHECK(ago(24h * 60) == "2 months ago");
  CHECK(ago(24h * 729) == "24 months ago");
  CHECK(ago(24h * 730) == "2 years ago");
}

TEST_CASE("the distance to what comes is not shortened by the seconds that passed", "[time]") {
  const auto in = [](std::chrono::seconds s) { return relative(kNow + s, kNow); };
  CHECK(in(59s) == "just now");
  CHECK(in(60s) == "in 1 minute");
  CHECK(in(24h) == "in 1 day");
  CHECK(in(24h * 5) == "in 5 days");
  CHECK(in(24h * 5 - 3s) == "in 5 days");
  CHECK(in(24h * 5 - 60s) == "in 4 days");
}

TEST_CASE("a pause ends when a stop is requested", "[time]") {
  std::stop_source stop;
  const std::jthread stopper([&] { stop.request_stop(); });
  const auto start = std::chrono::steady_clock::now();
  real_clock().sleep(1h, stop.get_token());
  CHECK(std::chrono::steady_clock::now() - start < 30min);
  real_clock().sleep(1h, stop.get_token());

  const auto again = std::chrono::steady_clock::now();
  real_clock().sleep(20ms, {});
  CHECK(std::chrono::steady_clock::now() - again >= 20ms);
}
