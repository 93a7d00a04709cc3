#include "rotation/reminders.h"

#include <catch2/catch.hpp>

#include "rotation/disks.h"

using namespace rota;
using namespace rota::test;
using rotation::Level;
using rotation::Notice;
using rotation::Reminders;
using rotation::Said;

namespace {

/// A year of mornings with what stands on each.
struct Mornings {
  rotation::RotationStatus status;
  std::map<std::string, Said> said;
  base::Instant now = when("2026-03-01T08:30:00Z");

  void stands(Level level, const std::string& kind, const std::string& disk) {
    Notice notice;
    notice.level = level;
    notice.kind = kind;
    notice.disk = disk;
    notice.text = kind + " " + disk;
    (level == Level::good ? status.duties : status.notices).push_back(notice);
  }
  Reminders morning() {
    Reminders what = rotation::reminders(status, said, now);
    said = what.said;
    now += std::chrono::days(1);
    return what;
  }
  /// "X..X": on which of so many mornings something was said.
  std::string next(int days) {
    std::string text;
    for (int i = 0; i < days; ++i) text += morning().notices.empty() ? '.' : 'X';
    return text;
  }
};

}  // namespace

TEST_CASE("all is well, and nothing is said", "[reminders]") {
  Mornings mornings;
  CHECK(mornings.next(3) == "...");
  mornings.stands(Level::good, "replace", "B");  // in status, but worth no mail
  CHECK(mornings.next(3) == "...");
}

TEST_CASE("what is due is said every week, late every three days, an alarm every day",
          "[reminders]") {
  Mornings mornings;
  mornings.stands(Level::good, "due", "B");
  CHECK(mornings.next(9) == "X......X.");
  mornings.status = {};
  mornings.stands(Level::warning, "overdue", "B");
  CHECK(mornings.next(7) == "X..X..X");
  mornings.status.notices.front().level = Level::alarm;
  CHECK(mornings.next(3) == "XXX");
  CHECK(mornings.morning().times == 7);
}

TEST_CASE("something new or worse is said at once, with all that stands", "[reminders]") {
  Mornings mornings;
  mornings.stands(Level::warning, "stale claim", "A");
  CHECK(mornings.next(2) == "X.");
  mornings.stands(Level::warning, "transit", "B");
  Reminders what = mornings.morning();
  CHECK(what.notices.size() == 2);
  CHECK(mornings.next(4) == "..X.");  // both count from then
  mornings.status.notices.back().level = Level::alarm;
  CHECK(mornings.morning().level == Level::alarm);
}

TEST_CASE("what became an alarm within the hour is said within the hour, once", "[reminders]") {
  Mornings mornings;
  mornings.stands(Level::warning, "overdue", "B");
  CHECK(mornings.next(1) == "X");
  mornings.now -= std::chrono::hours(23);
  mornings.status.notices.front().level = Level::alarm;
  CHECK(mornings.next(1) == "X");
  mornings.now -= std::chrono::hours(23);
  CHECK(mornings.next(1) == ".");
}

TEST_CASE("what stood, went and came back is said again", "[reminders]") {
  Mornings mornings;
  mornings.stands(Level::warning, "transit", "B");
  CHECK(mornings.next(1) == "X");
  const auto before = mornings.status;
  mornings.status = {};
  CHECK(mornings.next(1) == ".");
  CHECK(mornings.said.empty());
  mornings.status = before;
  CHECK(mornings.next(2) == "X.");
}

TEST_CASE("a clock that was set back does not silence anything", "[reminders]") {
  Mornings mornings;
  mornings.stands(Level::warning, "transit", "B");
  mornings.now += std::chrono::days(4000);
  CHECK(mornings.next(1) == "X");
  mornings.now -= std::chrono::days(4001);
  CHECK(mornings.next(1) == "X");
}
