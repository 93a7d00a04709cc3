#include <catch2/catch.hpp>

#include "rotation/disks.h"
#include "rotation/reminders.h"
#include "rotation/status_text.h"
#include "rotation/swaps.h"

using namespace rota;
using namespace rota::test;
using ledger::DrillRow;
using rotation::DrillStatus;
using rotation::Facts;
using rotation::Level;
using rotation::RotationStatus;

namespace {

/// One server "web" whose oldest run is of the first of January, and its drills.
struct Drilled {
  Facts facts;

  Drilled() {
    facts.servers = {"web"};
    facts.drill_every = {.months = 3};
    run_at("2026-01-01T03:00:00Z");
  }
  /// The oldest run of "web"; none without a time.
  void run_at(const std::string& time) {
    facts.profiles.clear();
    if (time.empty()) return;
    ledger::RunRow run;
    run.profile = "web";
    run.time = when(time);
    facts.profiles = {{"web", {run}, {}, {}}};
  }
  DrillRow& add(const std::string& time, bool passed = true) {
    DrillRow row = some_drill("web", time);
    row.passed = passed;
    if (!passed) row.problem = "etc/fstab differs";
    return facts.drills.emplace_back(row);
  }
  void from(const std::string& disk, const std::string& time, bool passed = true) {
    DrillRow& row = add(time, passed);
    row.source = ledger::DrillSource::disk;
    row.disk = disk;
  }
  RotationStatus at(const std::string& now) const {
    return rotation::rotation_status(facts, when(now));
  }
  /// "warning drill overdue" and the like, of all that is said; of drills there is never more than
  /// one thing to say.
  std::string said(const std::string& now) const {
    const RotationStatus status = at(now);
    std::string text;
    for (const auto* notices : {&status.notices, &status.duties}) {
      for (const rotation::Notice& notice : *notices) {
        if (notice.kind.find("drill") == std::string::npos) continue;
        text += fmt::format("{}{} {}", text.empty() ? "" : ", ", word(notice.level), notice.kind);
      }
    }
    return text;
  }
};

}  // namespace

TEST_CASE("that there was no drill is said when the oldest run is old enough", "[drills]") {
  Drilled drilled;
  CHECK(drilled.said("2026-04-01T02:59:59Z").empty());
  CHECK(drilled.said("2026-04-01T03:00:00Z") == "good no drill");
  // It stays a duty, however long.
  CHECK(drilled.said("2028-04-01T03:00:00Z") == "good no drill");
  CHECK(drilled.at("2028-04-01T03:00:00Z").level == Level::good);
  CHECK(drilled.at("2026-02-01T03:00:00Z").drills.at(0).due == when("2026-04-01T03:00:00Z"));
  drilled.run_at("");
  CHECK(drilled.said("2028-04-01T03:00:00Z").empty());
  CHECK(drilled.at("2028-04-01T03:00:00Z").drills.at(0).text.empty());
}

TEST_CASE("a copy on a disk can be drilled, too", "[drills]") {
  Drilled drilled;
  drilled.run_at("");
  drilled.facts.disks = {away("B", "20260201T030000Z", "2026-02-02T03:00:00Z")};
  CHECK(drilled.at("2026-02-10T00:00:00Z").drills.at(0).due == when("2026-05-01T05:00:00Z"));
  drilled.run_at("2026-01-01T03:00:00Z");
  CHECK(drilled.at("2026-02-10T00:00:00Z").drills.at(0).due == when("2026-04-01T03:00:00Z"));
  drilled.facts.servers = {"mail"};
  CHECK_FALSE(drilled.at("2026-02-10T00:00:00Z").drills.at(0).due);
}

TEST_CASE("a drill is due, overdue and an alarm at its limits", "[drills]") {
  Drilled drilled;
  drilled.add("2026-02-10T12:00:00Z");
  CHECK(drilled.said("2026-05-03T11:59:59Z").empty());
  CHECK(drilled.said("2026-05-03T12:00:00Z") == "good drill due");
  CHECK(drilled.said("2026-05-10T11:59:59Z") == "good drill due");
  CHECK(drilled.said("2026-05-10T12:00:00Z") == "warning drill overdue");
  CHECK(drilled.said("2026-08-10T11:59:59Z") == "warning drill overdue");
  CHECK(drilled.said("2026-08-10T12:00:00Z") == "alarm drill overdue");
  const RotationStatus late = drilled.at("2026-08-10T12:00:00Z");
  CHECK(late.level == Level::alarm);
  CHECK(late.drills.at(0).level == Level::alarm);
  CHECK(told(late.notices, "drill overdue") ==
        "alarm : A drill of web was due on 2026-05-10, the last is of 2026-02-10: make it with "
        "`rota drill web`.");
  // The next one settles it, also one of a part.
  drilled.add("2026-08-10T11:00:00Z").sample = true;
  CHECK(drilled.said("2026-08-10T12:00:00Z").empty());
  CHECK(drilled.at("2026-08-10T12:00:00Z").drills.at(0).due == when("2026-11-10T11:00:00Z"));
}

TEST_CASE("without an interval no drill is asked for, but one that failed is told", "[drills]") {
  Drilled drilled;
  drilled.facts.drill_every = {};
  CHECK(drilled.said("2028-04-01T03:00:00Z").empty());
  drilled.add("2026-02-10T12:00:00Z");
  CHECK(drilled.said("2028-04-01T03:00:00Z").empty());
  CHECK_FALSE(drilled.at("2028-04-01T03:00:00Z").drills.at(0).due);
  drilled.add("2026-02-11T12:00:00Z", false);
  CHECK(drilled.said("2028-04-01T03:00:00Z") == "alarm drill failed");
}

TEST_CASE("a drill that failed is an alarm until one passes", "[drills]") {
  Drilled drilled;
  drilled.facts.disks = {away("B", "20260201T030000Z", "2026-02-02T03:00:00Z")};
  drilled.add("2026-02-10T12:00:00Z");
  drilled.from("B", "2026-02-11T12:00:00Z", false);
  const RotationStatus status = drilled.at("2026-02-12T00:00:00Z");
  CHECK(told(status.notices, "drill failed") ==
        "alarm B: The drill of web from disk B on 2026-02-11 12:00 failed (etc/fstab differs): a "
        "recovery would fail like that too. Find out why, and repeat it, its check program "
        "included, with `rota drill web --disk B`.");
  const DrillStatus& drill = status.drills.at(0);
  CHECK(drill.failing);
  CHECK(drill.level == Level::alarm);
  CHECK_FALSE(drill.last->passed);
  CHECK(drill.passed->time == when("2026-02-10T12:00:00Z"));
  CHECK(drill.due == when("2026-05-10T12:00:00Z"));
  // One alarm is enough, however late the next is.
  CHECK(drilled.said("2028-02-12T00:00:00Z") == "alarm drill failed");
  drilled.from("B", "2026-02-13T12:00:00Z");
  CHECK(drilled.said("2026-02-14T00:00:00Z").empty());
  CHECK_FALSE(drilled.at("2026-02-14T00:00:00Z").drills.at(0).failing);
}

TEST_CASE("a failed drill is refuted by one of the same source only", "[drills]") {
  Drilled drilled;
  drilled.facts.disks = {away("A", "20260101T030000Z", "2026-01-02T03:00:00Z"),
                         away("B", "20260201T030000Z", "2026-02-02T03:00:00Z")};
  drilled.add("2026-02-10T12:00:00Z", false);
  drilled.from("B", "2026-02-11T12:00:00Z", false);
  CHECK(drilled.said("2026-02-12T00:00:00Z") == "alarm drill failed, alarm drill failed");
  CHECK_THAT(told(drilled.at("2026-02-12T00:00:00Z").notices, "drill failed"),
             Catch::Contains("with `rota drill web`.") &&
                 Catch::Contains("with `rota drill web --disk B`."));
  drilled.from("A", "2026-02-12T12:00:00Z");
  CHECK(drilled.said("2026-02-13T00:00:00Z") == "alarm drill failed, alarm drill failed");
  drilled.add("2026-02-13T12:00:00Z");
  CHECK_THAT(told(drilled.at("2026-02-14T00:00:00Z").notices, "drill failed"),
             Catch::StartsWith("alarm B:") && !Catch::Contains("from the store"));
  CHECK(drilled.at("2026-02-14T00:00:00Z").drills.at(0).failing);
  drilled.from("B", "2026-02-14T12:00:00Z");
  CHECK(drilled.said("2026-02-15T00:00:00Z").empty());
}

TEST_CASE("a drill that tried less does not undo one that failed", "[drills]") {
  Drilled drilled;
  drilled.add("2026-02-10T12:00:00Z", false);
  drilled.add("2026-02-11T12:00:00Z").sample = true;
  CHECK(drilled.said("2026-02-12T00:00:00Z") == "alarm drill failed");
  drilled.add("2026-02-12T12:00:00Z").checked = false;
  CHECK(drilled.said("2026-02-13T00:00:00Z") == "alarm drill failed");
  drilled.add("2026-02-13T12:00:00Z");
  CHECK(drilled.said("2026-02-14T00:00:00Z").empty());
  drilled.add("2026-02-14T12:00:00Z", false).sample = true;
  CHECK(drilled.said("2026-02-15T00:00:00Z") == "alarm drill failed");
  drilled.add("2026-02-16T12:00:00Z").sample = true;
  CHECK(drilled.said("2026-02-17T00:00:00Z").empty());
  // Nor does a failure that tried less take the place of one that tried more.
  drilled.add("2026-02-18T12:00:00Z", false).checked = false;
  DrillRow& less = drilled.add("2026-02-19T12:00:00Z", false);
  less.checked = false;
  less.sample = true;
  CHECK_THAT(told(drilled.at("2026-02-20T00:00:00Z").notices, "drill failed"),
             Catch::Contains("on 2026-02-18 12:00 failed (etc/fstab differs)") &&
                 Catch::Contains("repeat it with `rota drill web`") &&
                 !Catch::Contains("2026-02-19"));
  drilled.add("2026-02-20T12:00:00Z").checked = false;
  CHECK(drilled.said("2026-02-21T00:00:00Z").empty());
}

TEST_CASE("a failed drill of what is gone is over", "[drills]") {
  Drilled drilled;
  drilled.facts.disks = {away("B", "20260201T030000Z", "2026-02-02T03:00:00Z")};
  drilled.from("B", "2026-02-11T12:00:00Z", false);
  CHECK(drilled.said("2026-02-12T00:00:00Z") == "alarm drill failed");
  for (const ledger::DiskEnd end : {ledger::DiskEnd::lost, ledger::DiskEnd::retired}) {
    drilled.facts.disks[0].disk.end = end;
    CHECK(drilled.said("2026-02-12T00:00:00Z").empty());
    CHECK_FALSE(drilled.at("2026-02-12T00:00:00Z").drills.at(0).failing);
  }
  drilled.facts.disks[0].disk.end = ledger::DiskEnd::held;
  CHECK(drilled.said("2026-02-12T00:00:00Z") == "alarm drill failed");
  // Other servers' copies, and one that was never sealed, are nothing to restore from.
  drilled.facts.disks[0].copies.push_back(some_copy("B", "20260202T030000Z", "mail"));
  drilled.facts.disks[0].copies[0].state = ledger::CopyState::damaged;
  CHECK(drilled.said("2026-02-12T00:00:00Z") == "alarm drill failed");
  drilled.facts.disks[0].copies[0].state = ledger::CopyState::partial;
  CHECK(drilled.said("2026-02-12T00:00:00Z").empty());
}

TEST_CASE("of a disk that the ledger does not know a failed drill stands for a year", "[drills]") {
  Drilled drilled;
  drilled.facts.drill_every = {};
  drilled.from("B", "2026-02-11T12:00:00Z", false);
  drilled.from("C", "2026-02-11T13:00:00Z");
  CHECK(drilled.said("2027-02-11T12:00:00Z") == "alarm drill failed");
  CHECK(drilled.said("2027-02-11T12:00:01Z").empty());
  drilled.from("", "2026-02-12T12:00:00Z", false);  // a copy whose disk nobody can tell
  CHECK_THAT(told(drilled.at("2026-02-13T00:00:00Z").notices, "drill failed"),
             Catch::Contains("with `rota drill --copy DIR`."));
  drilled.add("2026-02-12T13:00:00Z");  // from the store, which has no disk's name either
  CHECK(drilled.said("2026-02-13T00:00:00Z") == "alarm drill failed, alarm drill failed");
  drilled.from("", "2026-02-13T12:00:00Z");
  drilled.from("B", "2026-02-13T13:00:00Z");
  CHECK(drilled.said("2026-02-14T00:00:00Z").empty());
}

TEST_CASE("drills of other servers do not count", "[drills]") {
  Drilled drilled;
  drilled.add("2026-02-10T12:00:00Z").server = "mail";
  drilled.add("2026-02-11T12:00:00Z", false).server = "mail";
  CHECK(drilled.said("2026-04-02T00:00:00Z") == "good no drill");
  drilled.facts.servers = {"web", "mail"};
  CHECK(drilled.said("2026-04-02T00:00:00Z") == "alarm drill failed, good no drill");
}

TEST_CASE("a drill that the clock has not reached yet is an alarm about the clock", "[drills]") {
  Drilled drilled;
  drilled.add("2026-05-10T12:00:00Z");
  CHECK_THAT(told(drilled.at("2026-05-10T10:00:00Z").notices, "clock"),
             Catch::Contains("recorded at 2026-05-10 12:00"));
  CHECK(told(drilled.at("2026-05-10T11:30:00Z").notices, "clock").empty());
}

TEST_CASE("status tells of each profile's drill, and knows its oldest run", "[drills]") {
  Drilled drilled;
  drilled.run_at("2026-01-05T03:00:00Z");
  const base::Instant now = when("2026-02-05T03:00:00Z");
  auto status = rotation::compute(drilled.facts, now);
  CHECK(status.rotation.drills.at(0).due == when("2026-04-05T03:00:00Z"));
  CHECK_THAT(rotation::status_text(status, now),
             Catch::Contains("  drill         never; next due "));
  DrillRow& row = drilled.add("2026-02-04T03:00:00Z");
  row.source = ledger::DrillSource::disk;
  row.disk = "B";
  row.sample = true;
  status = rotation::compute(drilled.facts, now);
  CHECK_THAT(rotation::status_text(status, now),
             Catch::Contains("  drill         2026-02-04 03:00 (1 day ago) from disk B: passed, "
                             "a sample of 400 GB in 1 h 10 min; next due in "));
}

TEST_CASE("drills that are due are worth a mail, with or without disks", "[drills]") {
  Drilled drilled;
  const base::Instant now = when("2026-04-02T00:00:00Z");
  auto reminders = rotation::reminders(drilled.at("2026-04-02T00:00:00Z"), {}, now);
  REQUIRE(reminders.notices.size() == 1);
  CHECK(reminders.notices[0].kind == "no drill");
  const auto said = reminders.said;
  reminders =
      rotation::reminders(drilled.at("2026-04-03T00:00:00Z"), said, now + std::chrono::days(1));
  CHECK(reminders.notices.empty());
  drilled.add("2026-01-04T00:00:00Z");
  reminders =
      rotation::reminders(drilled.at("2026-04-03T00:00:00Z"), said, now + std::chrono::days(1));
  REQUIRE(reminders.notices.size() == 1);
  CHECK(reminders.notices[0].kind == "drill due");
}

TEST_CASE("coming drills keep their key while their date moves, until one was made", "[drills]") {
  Drilled drilled;
  drilled.add("2026-02-10T12:00:00Z");
  const auto coming = [&](const std::string& now) {
    return rotation::coming_drills(drilled.at(now), when(now), when("2027-01-01T00:00:00Z"));
  };
  const auto early = coming("2026-03-01T00:00:00Z");
  REQUIRE(early.size() == 3);
  CHECK(early[0].due == when("2026-05-10T12:00:00Z"));
  CHECK(early[2].due == when("2026-11-10T12:00:00Z"));
  CHECK_FALSE(early[0].overdue);
  CHECK(early[0].key == "drill-web-20260210T120000Z-0");
  CHECK(early[1].key != early[0].key);
  const auto late = coming("2026-06-01T00:00:00Z");
  REQUIRE(late.size() == 3);
  CHECK(late[0].overdue);
  CHECK_FALSE(late[1].overdue);
  CHECK(late[1].due == when("2026-09-01T00:00:00Z"));
  CHECK(late[0].key == early[0].key);
  drilled.add("2026-06-01T00:00:00Z");
  CHECK(coming("2026-06-02T00:00:00Z")[0].key != early[0].key);
  drilled.add("2026-06-03T00:00:00Z", false);  // one that failed is no turn
  CHECK(coming("2026-06-04T00:00:00Z")[0].key == "drill-web-20260601T000000Z-0");
  drilled.facts.drill_every = {};
  CHECK(coming("2026-06-04T00:00:00Z").empty());
}
