#include "ledger/history.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "base/error.h"
#include "ledger/disk_samples.h"
#include "support/files.h"

using namespace rota;
using ledger::Claimed;
using ledger::Disks;
using ledger::History;
using ledger::Ledger;
using ledger::Observed;
using test::claimed;
using test::seen;
using test::some_copy;
using test::some_disk;
using test::when;

namespace {

const base::Instant kNow = when("2026-10-24T10:00:00Z");

/// A ledger with one row of most kinds: begin, disk, copy, observation, claim, observation.
struct Fixture {
  test::TempDir dir;
  std::string path = dir / "ledger.db";
  Ledger ledger{path};

  Fixture() {
    Disks disks(ledger);
    disks.add(some_disk("B"), kNow);
    disks.put_copy(some_copy("B", "20261024T030000Z"), kNow);
    disks.observe(seen("B", Observed::safe_to_remove, "2026-10-24T09:00:00Z"));
    disks.claim(claimed("B", Claimed::off_site, "2026-10-24T10:00:00Z", "bank"), kNow);
    disks.observe(seen("B", Observed::away, "2026-10-24T10:00:00Z"));
  }

  void sql(const std::string& text) { base::Database(path).execute(text); }
  /// As somebody does who knows how to get past the triggers.
  void forge(const std::string& text) {
    sql("DROP TRIGGER history_is_not_altered; DROP TRIGGER history_is_not_removed; "
        "DROP TRIGGER history_is_not_replaced; " +
        text);
  }
  std::string first_problem() {
    const auto problems = History(ledger).check();
    return problems.empty() ? "" : problems.front();
  }
};

}  // namespace

TEST_CASE("an untouched history is whole and agrees with the tables", "[history]") {
  Fixture f;
  CHECK(f.first_problem().empty());
  const auto rows = History(f.ledger).rows();
  REQUIRE(rows.size() == 6);
  CHECK(rows.front().kind == "begin");
  CHECK(History(f.ledger).head().hash == rows.back().hash);
}

TEST_CASE("the history cannot be changed by an ordinary statement", "[history]") {
  Fixture f;
  CHECK_THROWS_WITH(f.sql("UPDATE history SET time = 1"), Catch::Contains("append-only"));
  CHECK_THROWS_WITH(f.sql("DELETE FROM history"), Catch::Contains("append-only"));
  CHECK_THROWS_WITH(f.sql("INSERT OR REPLACE INTO history SELECT number, 1, kind, data, people, "
                          "people_sha256, hash, commitment FROM history"),
                    Catch::Contains("append-only"));
  CHECK(f.first_problem().empty());
}

TEST_CASE("each way of altering the history shows", "[history]") {
  Fixture f;
  SECTION("a row is altered") {
    f.forge("UPDATE history SET data = replace(data, 'ext4', 'ext3') WHERE number = 2");
    CHECK_THAT(f.first_problem(),
               Catch::Contains("row 2 of the history (disk,") && Catch::Contains("was altered"));
  }
  SECTION("with its commitment") {
    f.forge("UPDATE history SET commitment = replace(commitment, 'a', 'b') WHERE number = 2");
    CHECK_THAT(f.first_problem(), Catch::Contains("row 2") && Catch::Contains("was altered"));
  }
  SECTION("without it, as one from before there were any") {
    f.forge("UPDATE history SET commitment = '', time = 1 WHERE number = 2");
    CHECK_THAT(f.first_problem(), Catch::Contains("row 2") && Catch::Contains("was altered"));
  }
  SECTION("what a row that is withheld says") {
    f.forge("UPDATE history SET kind = 'withheld', people = '' WHERE number = 4");
    CHECK_THAT(f.first_problem(), Catch::Contains("row 4") && Catch::Contains("was altered"));
  }
  SECTION("a row that is withheld, by the row before") {
    f.forge(
        "UPDATE history SET kind = 'withheld', data = '{}', time = 0 WHERE number IN (2, 3, 4, 5, "
        "6); UPDATE history SET hash = replace(hash, 'a', 'b') WHERE number = 4");
    CHECK_THAT(f.first_problem(), Catch::Contains("row 4") && Catch::Contains("was altered"));
  }
  SECTION("its time") {
    f.forge("UPDATE history SET time = time + 1 WHERE number = 3");
    CHECK_THAT(f.first_problem(), Catch::Contains("row 3") && Catch::Contains("was altered"));
  }
  SECTION("its kind") {
    f.forge("UPDATE history SET kind = 'begin' WHERE number = 4");
    CHECK_THAT(f.first_problem(), Catch::Contains("row 4") && Catch::Contains("was altered"));
  }
  SECTION("a name or place") {
    f.forge("UPDATE history SET people = replace(people, 'bank', 'home') WHERE number = 5");
    CHECK_THAT(f.first_problem(), Catch::Contains("names or the place in row 5"));
  }
  SECTION("a row in the middle is removed") {
    f.forge("DELETE FROM history WHERE number = 3");
    CHECK_THAT(f.first_problem(), Catch::Contains("row 3 of the history was removed"));
  }
  SECTION("and the others are numbered anew") {
    f.forge(
        "DELETE FROM history WHERE number = 3; UPDATE history SET number = number - 1 WHERE "
        "number > 3");
    CHECK_THAT(f.first_problem(), Catch::Contains("row 3") && Catch::Contains("was altered"));
  }
  SECTION("two rows change places") {
    f.forge(
        "UPDATE history SET number = 99 WHERE number = 3; UPDATE history SET number = 3 WHERE "
        "number = 4; UPDATE history SET number = 4 WHERE number = 99");
    CHECK_THAT(f.first_problem(), Catch::Contains("row 3") && Catch::Contains("was altered"));
  }
  SECTION("the end is removed") {
    f.forge("DELETE FROM history WHERE number > 4");
    CHECK_THAT(f.first_problem(), Catch::Contains("the last ones were removed"));
  }
  SECTION("a row is put behind the end") {
    f.sql(
        "INSERT INTO history SELECT 7, time, kind, data, people, people_sha256, hash, commitment "
        "FROM history WHERE number = 6");
    CHECK_THAT(f.first_problem(), Catch::Contains("row 7") && Catch::Contains("was altered"));
  }
  SECTION("a table says something else") {
    f.sql("UPDATE claim SET place = 'home'");
    CHECK_THAT(f.first_problem(), Catch::Contains("the table claim") && Catch::Contains("'home'") &&
                                      Catch::Contains("'bank'"));
  }
  SECTION("a row is missing in a table") {
    f.sql("DELETE FROM observation WHERE id = 6");
    CHECK_THAT(f.first_problem(), Catch::Contains("the table observation"));
  }
  SECTION("a row is too many in a table") {
    f.sql(
        "INSERT INTO alarm VALUES (9, '', '', '', 0, 'alarm', '', '[]', NULL, '', '', NULL, '', "
        "0)");
    CHECK_THAT(f.first_problem(), Catch::Contains("the table alarm"));
  }
}

TEST_CASE("a history without its guards shows, though no row was altered yet", "[history]") {
  Fixture f;
  SECTION("one was removed") {
    f.sql("DROP TRIGGER history_is_not_removed");
    CHECK_THAT(f.first_problem(),
               Catch::Contains("history_is_not_removed") && Catch::EndsWith("was removed"));
  }
  SECTION("one was replaced by one that does nothing") {
    f.sql(
        "DROP TRIGGER history_is_not_altered; CREATE TRIGGER history_is_not_altered BEFORE UPDATE "
        "ON history BEGIN SELECT 1; END");
    CHECK_THAT(f.first_problem(),
               Catch::Contains("history_is_not_altered") && Catch::EndsWith("was altered"));
  }
  SECTION("one was added") {
    f.sql("CREATE TRIGGER other AFTER INSERT ON alarm BEGIN DELETE FROM alarm; END");
    CHECK_THAT(f.first_problem(), Catch::EndsWith("a trigger that rota did not make: other"));
  }
  CHECK(History(f.ledger).check().size() == 1);
}

TEST_CASE("the history of one disk is told in sentences", "[history]") {
  Fixture f;
  Disks(f.ledger).add(some_disk("A"), kNow);
  const auto rows = History(f.ledger).last("B", 0);
  CHECK(rows.size() == 5);
  CHECK(History(f.ledger).last("B", 2).size() == 2);
  CHECK(History(f.ledger).last("B", 2).back() == rows.back());
  CHECK(History(f.ledger).last("nobody", 0).empty());
  CHECK_THAT(sentence(rows[0]), Catch::Contains("B: prepared as ROTA-B, encrypted ext4, 2 TB"));
  CHECK_THAT(sentence(rows[1]), Catch::Contains("copy web/20261024T030000Z sealed"));
  CHECK_THAT(sentence(rows[3]),
             Catch::Contains("B: off site at 'bank' since") && Catch::Contains("by jo"));
  ledger::HistoryRow broken = rows[0];
  broken.data = "{";
  CHECK_THAT(sentence(broken), Catch::Contains("cannot be read"));
}

TEST_CASE("a history that is shorter than it was, or another, is lost", "[history]") {
  Fixture f;
  CHECK(History(f.ledger).lost().empty());
  const auto replaced_by = [&](int disks) {
    std::filesystem::remove(f.dir / "other");
    {
      Ledger other(f.dir / "other");
      for (int i = 0; i < disks; ++i) {
        Disks(other).add(some_disk(std::string(1, static_cast<char>('C' + i))), kNow);
      }
    }
    std::filesystem::copy_file(f.path + "-head", f.dir / "other-head",
                               std::filesystem::copy_options::overwrite_existing);
    Ledger other(f.dir / "other");
    const std::string lost = History(other).lost();
    // What is recorded in it does not hide that.
    Disks(other).add(some_disk("Z"), kNow);
    CHECK(History(other).lost().empty() == lost.empty());
    CHECK(History(other).check().empty() == lost.empty());
    return lost;
  };
  CHECK_THAT(replaced_by(0), Catch::Contains("6 rows") && Catch::Contains("has 0"));
  CHECK_THAT(replaced_by(2), Catch::Contains("6 rows") && Catch::Contains("has 3"));
  CHECK_THAT(replaced_by(9), Catch::Contains("tells another one"));
}

TEST_CASE("a head that cannot be read says nothing", "[history]") {
  Fixture f;
  for (const char* text : {"", "6", "x y", "-1 a", "99999999999999999999 a"}) {
    test::write(f.path + "-head", text);
    CHECK(History(f.ledger).lost().empty());
  }
}
