#include "ledger/drills.h"

#include <catch2/catch.hpp>

#include "base/error.h"
#include "ledger/disk_samples.h"
#include "ledger/export.h"
#include "support/files.h"

using namespace rota;
using ledger::DrillRow;
using ledger::Drills;
using ledger::History;
using ledger::Ledger;
using test::some_drill;
using test::when;

namespace {

const base::Instant kNow = when("2026-10-24T10:00:00Z");

/// As it comes back: with its number in the history.
DrillRow numbered(DrillRow drill, std::int64_t id) {
  drill.id = id;
  return drill;
}

}  // namespace

TEST_CASE("drills come back as they were recorded, whatever the clock said", "[drills]") {
  const test::TempDir dir;
  const DrillRow first = some_drill("web", "2026-10-24T10:00:00Z");
  DrillRow second = some_drill("mail", "2026-01-24T10:00:00Z");
  second.source = ledger::DrillSource::disk;
  second.disk = "B";
  second.sample = true;
  second.passed = false;
  second.problem = "etc/fstab differs";
  {
    Ledger ledger(dir / "ledger.db");
    Drills(ledger).add(first, kNow);
    Drills(ledger).add(second, kNow);
  }
  Ledger ledger(dir / "ledger.db");
  CHECK(Drills(ledger).all() == std::vector{numbered(first, 2), numbered(second, 3)});
  CHECK(History(ledger).check().empty());
}

TEST_CASE("a drill that was altered in the table, or forgotten there, shows", "[drills]") {
  const test::TempDir dir;
  Ledger ledger(dir / "ledger.db");
  DrillRow failed = some_drill("web", "2026-10-24T10:00:00Z");
  failed.passed = false;
  Drills(ledger).add(failed, kNow);
  SECTION("altered") { ledger.database().execute("UPDATE drill SET passed = 1"); }
  SECTION("forgotten") { ledger.database().execute("DELETE FROM drill"); }
  REQUIRE(History(ledger).check().size() == 1);
  CHECK_THAT(History(ledger).check().front(), Catch::Contains("the table drill"));
}

TEST_CASE("drills survive export and rebuild, also without names of people", "[drills]") {
  const test::TempDir dir;
  Ledger ledger(dir / "a.db");
  ledger::Disks(ledger).add(test::some_disk("B"), kNow);
  Drills(ledger).add(some_drill("web", "2026-10-24T10:00:00Z"), kNow);
  const bool with_people = GENERATE(true, false);
  const std::string text = export_json(ledger, {.people = with_people});
  Ledger other(dir / "b.db");
  Drills(other).add(some_drill("old", "2025-10-24T10:00:00Z"), kNow);
  rebuild(other, std::vector{ledger::parse_export(text, "disk B")}, true);
  CHECK(Drills(other).all() == Drills(ledger).all());
  CHECK(History(other).check().empty());
}

TEST_CASE("a ledger from before there were drills is brought up to date", "[drills]") {
  const test::TempDir dir;
  {
    Ledger newer(dir / "newer.db");
    ledger::Disks(newer).add(test::some_disk("B"), kNow);
    Ledger ledger(dir / "ledger.db");
    ledger::AlarmRow alarm;
    alarm.kind = "tripwire";
    alarm.disk = "B";
    alarm.opened = kNow;
    ledger::Disks(newer).open_alarm(alarm);
    rebuild(ledger, std::vector{test::without_commitments(newer)}, false);
    ledger.database().execute(
        "DROP TABLE drill; ALTER TABLE history DROP COLUMN commitment; ALTER TABLE alarm DROP "
        "COLUMN "
        "what; ALTER TABLE alarm DROP COLUMN extent; PRAGMA user_version = 5");
  }
  Ledger ledger(dir / "ledger.db");
  Drills(ledger).add(some_drill("web", "2026-10-24T10:00:00Z"), kNow);
  CHECK(Drills(ledger).all().size() == 1);
  CHECK(ledger::Disks(ledger).get("B") == test::some_disk("B"));
  REQUIRE(ledger::Disks(ledger).alarms("B", true).size() == 1);
  CHECK(ledger::Disks(ledger).alarms("B", true).front().what.empty());
  CHECK(History(ledger).check().empty());
}

TEST_CASE("a drill of what cannot be named is refused", "[drills]") {
  const test::TempDir dir;
  Ledger ledger(dir / "ledger.db");
  DrillRow drill = some_drill("web", "2026-10-24T10:00:00Z");
  SECTION("server") { drill.server = "../etc"; }
  SECTION("disk") { drill.disk = "b/c"; }
  SECTION("time") { drill.time = base::Instant(std::chrono::seconds(-1)); }
  try {
    Drills(ledger).add(drill, kNow);
    FAIL("nothing was thrown");
  } catch (const base::Error& error) {
    CHECK(error.kind() == base::ErrorKind::usage);
    CHECK_THAT(error.what(), Catch::Contains("a drill cannot be recorded like this"));
  }
  CHECK(Drills(ledger).all().empty());
}

TEST_CASE("drills are told in sentences", "[drills]") {
  const test::TempDir dir;
  Ledger ledger(dir / "ledger.db");
  DrillRow drill = some_drill("web", "2026-10-24T10:00:00Z");
  Drills(ledger).add(drill, kNow);
  drill.source = ledger::DrillSource::disk;
  drill.disk = "B";
  drill.sample = true;
  drill.passed = false;
  drill.problem = "two files\ndiffer";
  Drills(ledger).add(drill, kNow);
  drill.disk = "";
  Drills(ledger).add(drill, kNow);
  const auto rows = History(ledger).rows();
  CHECK_THAT(sentence(rows[1]), Catch::StartsWith("web: drill from the store, as of 2026-10-2") &&
                                    Catch::EndsWith(": passed, 400 GB in 1 h 10 min"));
  CHECK_THAT(sentence(rows[2]), Catch::StartsWith("web: drill from disk B, a sample, as of ") &&
                                    Catch::EndsWith(": failed, two files\\x0adiffer"));
  CHECK_THAT(sentence(rows[3]), Catch::StartsWith("web: drill from a copy, a sample"));
  CHECK(History(ledger).last("B", 0) == std::vector{rows[2]});
}
