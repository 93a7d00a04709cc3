#include "job/calendar.h"

#include <fmt/core.h>

#include "base/version.h"

namespace rota::job {

namespace {

constexpr std::size_t kLongest = 75;  // bytes in a line without its end: RFC 5545, 3.1

/// RFC 5545, 3.3.11: what a value of type TEXT cannot hold as it is.
std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '\n') {
      result += "\\n";
    } else if (c == '\\' || c == ';' || c == ',') {
      result += '\\';
      result += c;
    } else if (static_cast<unsigned char>(c) >= ' ' && c != 0x7f) {
      result += c;
    }
  }
  return result;
}

/// Adds a line, folded; never in the middle of a character.
void add(std::string& calendar, const std::string& line) {
  std::size_t room = kLongest;
  for (std::size_t at = 0; at < line.size();) {
    std::size_t end = at + 1;
    while (end < line.size() && (static_cast<unsigned char>(line[end]) & 0xc0) == 0x80) ++end;
    if (end - at > room) {
      calendar += "\r\n ";
      room = kLongest - 1;
    }
    calendar.append(line, at, end - at);
    room -= end - at;
    at = end;
  }
  calendar += "\r\n";
}

/// The day on which people here have it, as status says, and days from then: "20261024". By the
/// calendar, not in hours: a day on which clocks are changed has 23 or 25.
std::string day(base::Instant time, int later = 0) {
  const std::string local = base::local(time).substr(0, 10);
  return base::compact(*base::parse_iso(local + "T12:00:00Z") + std::chrono::days(later))
      .substr(0, 8);
}

/// Something to be done on one day.
struct Event {
  std::string key;
  base::Instant due{};
  bool overdue = false;
  std::string what;
  std::string description;
};

void add_event(std::string& calendar, const Event& event, const std::string& host,
               base::Instant now) {
  // What is late is to be done today.
  const base::Instant when = event.overdue ? now : event.due;
  const std::string what = (event.overdue ? "Overdue: " : "") + event.what;
  add(calendar, "BEGIN:VEVENT");
  add(calendar, fmt::format("UID:rota-{}@{}", escaped(event.key), escaped(host)));
  add(calendar, "DTSTAMP:" + base::compact(now));
  add(calendar, "DTSTART;VALUE=DATE:" + day(when));
  add(calendar, "DTEND;VALUE=DATE:" + day(when, 1));
  add(calendar, "SUMMARY:" + escaped(what));
  add(calendar, "DESCRIPTION:" + escaped(event.description));
  add(calendar, "TRANSP:TRANSPARENT");
  add(calendar, "BEGIN:VALARM");
  add(calendar, "ACTION:DISPLAY");
  add(calendar, "TRIGGER:-PT15H");
  add(calendar, "DESCRIPTION:" + escaped(what));
  add(calendar, "END:VALARM");
  add(calendar, "END:VEVENT");
}

}  // namespace

std::string icalendar(std::span<const rotation::Swap> swaps,
                      std::span<const rotation::ComingDrill> drills, const std::string& host,
                      base::Instant now) {
  std::string calendar;
  add(calendar, "BEGIN:VCALENDAR");
  add(calendar, "VERSION:2.0");
  add(calendar, fmt::format("PRODID:-//rota//rota {}//EN", base::kVersion));
  add(calendar, "CALSCALE:GREGORIAN");
  add(calendar, "METHOD:PUBLISH");
  add(calendar, "X-WR-CALNAME:" + escaped("Rotation disks of " + host));
  for (const rotation::Swap& swap : swaps) {
    add_event(
        calendar,
        {swap.key, swap.due, swap.overdue, fmt::format("Plug in disk {} at {}", swap.disk, host),
         fmt::format("The turn of disk {0} in the set {1}. When rota says that it is safe to "
                     "unplug, take it off site, and say so:\nrota disk move {0} off-site "
                     "--place PLACE --by NAME",
                     swap.disk, swap.set)},
        host, now);
  }
  for (const rotation::ComingDrill& drill : drills) {
    add_event(calendar,
              {drill.key, drill.due, drill.overdue,
               fmt::format("Recovery drill of {} at {}", drill.server, host),
               fmt::format("Try whether {0} can be restored, from the store or from a disk:\nrota "
                           "drill {0}\nrota drill {0} --disk DISK",
                           drill.server)},
              host, now);
  }
  add(calendar, "END:VCALENDAR");
  return calendar;
}

}  // namespace rota::job
