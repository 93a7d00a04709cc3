#include "job/calendar.h"

#include <catch2/catch.hpp>
#include <cstdlib>

#include "base/text.h"

using namespace rota;

namespace {

/// As a reader takes it apart: RFC 5545, 3.1.
std::vector<std::string> unfolded(const std::string& calendar) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < calendar.size();) {
    const std::size_t end = calendar.find("\r\n", at);
    REQUIRE(end != std::string::npos);
    const std::string line = calendar.substr(at, end - at);
    CHECK(line.size() <= 75);
    CHECK(line.find('\n') == std::string::npos);
    CHECK(base::is_utf8(line));
    if (line.starts_with(' ')) {
      REQUIRE_FALSE(lines.empty());
      lines.back() += line.substr(1);
    } else {
      lines.push_back(line);
    }
    at = end + 2;
  }
  return lines;
}

bool has(const std::vector<std::string>& lines, const std::string& line) {
  return std::ranges::find(lines, line) != lines.end();
}

}  // namespace

TEST_CASE("a calendar has its lines folded and its texts escaped", "[calendar]") {
  const base::Instant now = *base::parse_iso("2026-06-01T12:00:00Z");
  const std::vector<rotation::Swap> swaps{
      {"monthly", "B", *base::parse_iso("2026-06-24T03:00:00Z"), false, "monthly-B-x-0"},
      {"the \xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4, \xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4; \\\xc3\xa4", "A",
       *base::parse_iso("2026-05-24T03:00:00Z"), true, "monthly-A-x-0"}};
  const std::vector<std::string> lines = unfolded(job::icalendar(swaps, {}, "host", now));
  CHECK(lines.front() == "BEGIN:VCALENDAR");
  CHECK(lines.back() == "END:VCALENDAR");
  CHECK(has(lines, "VERSION:2.0"));
  CHECK(has(lines, "UID:rota-monthly-B-x-0@host"));
  CHECK(has(lines, "DTSTAMP:20260601T120000Z"));
  CHECK(has(lines, "DTSTART;VALUE=DATE:20260624"));
  CHECK(has(lines, "DTEND;VALUE=DATE:20260625"));
  CHECK(has(lines, "SUMMARY:Plug in disk B at host"));
  // What is late is to be done today.
  CHECK(has(lines, "SUMMARY:Overdue: Plug in disk A at host"));
  CHECK(has(lines, "DTSTART;VALUE=DATE:20260601"));
  CHECK(has(lines,
            "DESCRIPTION:The turn of disk A in the set the "
            "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\\, \xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\\; \\\\\xc3\xa4. "
            "When rota says that it is safe to unplug\\, take it off site\\, and say so:\\nrota "
            "disk move A off-site --place PLACE --by NAME"));
  CHECK(std::ranges::count(lines, "BEGIN:VEVENT") == 2);
  CHECK(std::ranges::count(lines, "END:VEVENT") == 2);
}

TEST_CASE("a drill stands in the calendar with what to type", "[calendar]") {
  const std::vector<rotation::ComingDrill> drills{
      {"web", *base::parse_iso("2026-06-24T03:00:00Z"), false, "drill-web-first-0"}};
  const auto lines =
      unfolded(job::icalendar({}, drills, "host", *base::parse_iso("2026-06-01T12:00:00Z")));
  CHECK(has(lines, "UID:rota-drill-web-first-0@host"));
  CHECK(has(lines, "DTSTART;VALUE=DATE:20260624"));
  CHECK(has(lines, "SUMMARY:Recovery drill of web at host"));
  CHECK(has(lines,
            "DESCRIPTION:Try whether web can be restored\\, from the store or from a disk:\\n"
            "rota drill web\\nrota drill web --disk DISK"));
}

TEST_CASE("a line of a calendar is never folded within a character", "[calendar]") {
  std::string name = "x";
  for (int i = 0; i < 60; ++i) name += "\xc3\xa4";
  for (const std::string& set : {name, "x" + name}) {
    const rotation::Swap swap{set, "B", base::Instant{}, false, set};
    const auto lines = unfolded(job::icalendar(std::vector{swap}, {}, "host", base::Instant{}));
    CHECK(has(lines, "UID:rota-" + set + "@host"));
  }
}

TEST_CASE("a calendar without swaps is a calendar", "[calendar]") {
  CHECK(unfolded(job::icalendar({}, {}, "host", base::Instant{})).size() == 7);
}

TEST_CASE("the days of a calendar are those of the status, in any time zone", "[calendar]") {
  struct Zone {
    const char* name;
    const char* time;
    const char* start;
    const char* end;
  };
  const char* const before = ::getenv("TZ");
  const std::string kept = before == nullptr ? "" : before;
  for (const Zone& zone :
       {Zone{"XXX11", "2026-06-24T03:00:00Z", "20260623", "20260624"},
        Zone{"XXX-13", "2026-06-24T13:00:00Z", "20260625", "20260626"},
        // The day has 25 hours.
        Zone{"CET-1CEST,M3.5.0,M10.5.0/3", "2026-10-24T22:10:00Z", "20261025", "20261026"}}) {
    ::setenv("TZ", zone.name, 1);
    ::tzset();
    const base::Instant due = *base::parse_iso(zone.time);
    const rotation::Swap swap{"monthly", "B", due, false, "x"};
    const auto lines =
        unfolded(job::icalendar(std::vector{swap}, {}, "host", due - std::chrono::hours(99)));
    CHECK(has(lines, std::string("DTSTART;VALUE=DATE:") + zone.start));
    CHECK(has(lines, std::string("DTEND;VALUE=DATE:") + zone.end));
    std::string status = base::local(due).substr(0, 10);
    std::erase(status, '-');
    CHECK(status == zone.start);
  }
  before == nullptr ? ::unsetenv("TZ") : ::setenv("TZ", kept.c_str(), 1);
  ::tzset();
}
