#include "ledger/export.h"

#include <catch2/catch.hpp>
#include <functional>
#include <string>

#include "base/error.h"
#include "ledger/disk_samples.h"
#include "support/files.h"

using namespace rota;
using base::Error;
using base::ErrorKind;
using ledger::Claimed;
using ledger::Disks;
using ledger::export_json;
using ledger::History;
using ledger::Ledger;
using ledger::Observed;
using ledger::parse_export;
using ledger::rebuild;
using test::claimed;
using test::seen;
using test::some_copy;
using test::some_disk;
using test::when;

namespace {

const base::Instant kNow = when("2026-10-24T10:00:00Z");

void fill(Ledger& ledger) {
  Disks disks(ledger);
  disks.add(some_disk("B"), kNow);
  disks.put_copy(some_copy("B", "20261024T030000Z"), kNow);
  disks.claim(claimed("B", Claimed::off_site, "2026-10-24T10:00:00Z", "bank"), kNow);
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

ErrorKind kind_of(const std::function<void()>& action, std::string& message) {
  try {
    action();
  } catch (const Error& error) {
    message = error.what();
    return error.kind();
  }
  FAIL("nothing was thrown");
  return ErrorKind::io;
}

}  // namespace

TEST_CASE("a ledger is rebuilt from an export, and is the same", "[export]") {
  const test::TempDir dir;
  Ledger ledger(dir / "a.db");
  fill(ledger);
  Ledger other(dir / "b.db");
  const auto result =
      rebuild(other, std::vector{parse_export(export_json(ledger, true), "disk B")}, false);
  CHECK(result.rows == 4);
  CHECK(result.origin == "disk B");
  CHECK_FALSE(result.without_people);
  CHECK(History(other).rows() == History(ledger).rows());
  CHECK(History(other).check().empty());
  CHECK(Disks(other).get("B") == some_disk("B"));
  CHECK(Disks(other).last_claim("B")->place == "bank");
  // It goes on from there, and is still guarded.
  Disks(other).observe(seen("B", Observed::connected, "2026-10-25T10:00:00Z"));
  CHECK(History(other).check().empty());
  CHECK_THROWS_WITH(other.database().execute("DELETE FROM history"),
                    Catch::Contains("append-only"));
}

TEST_CASE("an export without people holds no name and no place, and can be checked", "[export]") {
  const test::TempDir dir;
  Ledger ledger(dir / "a.db");
  fill(ledger);
  Disks(ledger).end("B", ledger::DiskEnd::lost, "left in Jo's car", "jo", kNow);
  const std::string text = export_json(ledger, false);
  for (const char* word : {"bank", "jo", "car"}) CHECK_THAT(text, !Catch::Contains(word));

  Ledger other(dir / "b.db");
  const auto result = rebuild(other, std::vector{parse_export(text, "the store")}, false);
  CHECK(result.without_people);
  CHECK(History(other).check().empty());
  CHECK(Disks(other).last_claim("B")->place.empty());
  CHECK(Disks(other).get("B").end == ledger::DiskEnd::lost);

  // An older export from a disk gives back what it knows.
  const auto again =
      rebuild(other, std::vector{parse_export(export_json(ledger, true), "disk B")}, false);
  CHECK_FALSE(again.without_people);
  CHECK(Disks(other).last_claim("B")->by == "jo");
  CHECK(History(other).rows() == History(ledger).rows());
}

TEST_CASE("the same name has another hash each time, so that it cannot be guessed", "[export]") {
  const test::TempDir dir;
  Ledger ledger(dir / "a.db");
  fill(ledger);
  Disks(ledger).claim(claimed("B", Claimed::off_site, "2026-10-24T10:00:00Z", "bank"), kNow);
  const auto rows = History(ledger).rows();
  CHECK(rows[3].data == rows[4].data);
  CHECK(rows[3].people_sha256 != rows[4].people_sha256);
}

TEST_CASE("the longest history is taken, its beginnings are no trouble", "[export]") {
  const test::TempDir dir;
  Ledger ledger(dir / "a.db");
  fill(ledger);
  const auto old = parse_export(export_json(ledger, true), "disk A");
  Disks(ledger).observe(seen("B", Observed::connected, "2026-10-25T10:00:00Z"));
  const auto newer = parse_export(export_json(ledger, false), "the store");
  Ledger other(dir / "b.db");
  const auto result = rebuild(other, std::vector{old, newer}, false);
  CHECK(result.origin == "the store");
  CHECK(result.rows == static_cast<std::int64_t>(newer.rows.size()));
  CHECK(result.warnings.empty());
  CHECK(Disks(other).last_claim("B")->place == "bank");  // from the old one
  // A second time there is nothing to do.
  CHECK(rebuild(other, std::vector{old}, false).origin.empty());
}

TEST_CASE("histories that part are not mixed", "[export]") {
  const test::TempDir dir;
  Ledger one(dir / "a.db");
  fill(one);
  const auto common = parse_export(export_json(one, true), "disk A");
  Ledger two(dir / "b.db");
  rebuild(two, std::vector{common}, false);
  Disks(one).observe(seen("B", Observed::connected, "2026-10-25T10:00:00Z"));
  for (int i = 0; i < 3; ++i) Disks(two).observe(seen("B", Observed::away, "2026-10-26T10:00:00Z"));
  const auto other = parse_export(export_json(two, true), "disk B");

  std::string message;
  CHECK(kind_of([&] { rebuild(one, std::vector{other}, false); }, message) == ErrorKind::refused);
  CHECK_THAT(message, Catch::Contains("disk B tells another story from row 5 on"));
  const auto result = rebuild(one, std::vector{other}, true);
  CHECK(result.rows == 7);
  CHECK(History(one).check().empty());

  Ledger stranger(dir / "c.db");
  fill(stranger);
  CHECK(kind_of([&] { rebuild(stranger, std::vector{other}, false); }, message) ==
        ErrorKind::refused);
  CHECK_THAT(message, Catch::Contains("another machine"));

  Ledger empty(dir / "d.db");
  const auto mixed = rebuild(
      empty, std::vector{common, other, parse_export(export_json(stranger, true), "disk C")},
      false);
  REQUIRE(mixed.warnings.size() == 1);
  CHECK_THAT(mixed.warnings.front(), Catch::Contains("disk C is that of another machine"));
}

TEST_CASE("a damaged history is replaced, and what that loses is said", "[export]") {
  const test::TempDir dir;
  Ledger ledger(dir / "a.db");
  fill(ledger);
  const auto old = parse_export(export_json(ledger, true), "disk B");
  Disks(ledger).observe(seen("B", Observed::connected, "2026-10-25T10:00:00Z"));
  // As whoever alters it leaves it, and with a trigger that would stop the rebuilding.
  ledger.database().execute(
      "DROP TRIGGER history_is_not_altered; UPDATE history SET time = 1 WHERE number = 2; "
      "CREATE TRIGGER \"a \"\"new\"\" one\" BEFORE DELETE ON disk BEGIN SELECT RAISE(ABORT, 'no'); "
      "END");
  const auto result = rebuild(ledger, std::vector{old}, false);
  CHECK(result.rows == 4);
  REQUIRE(result.warnings.size() == 1);
  CHECK_THAT(result.warnings.front(), Catch::Contains("had 6 rows and now has 4"));
  CHECK(History(ledger).check().empty());
  CHECK_THROWS_WITH(ledger.database().execute("UPDATE history SET time = 1"),
                    Catch::Contains("append-only"));
  std::string message;
  Ledger empty(dir / "b.db");
  CHECK(kind_of([&] { rebuild(empty, {}, false); }, message) == ErrorKind::not_found);
}

TEST_CASE("runs stay when the disks are rebuilt", "[export]") {
  const test::TempDir dir;
  Ledger ledger(dir / "a.db");
  fill(ledger);
  Ledger other(dir / "b.db");
  ledger::RunRow run;
  run.profile = "web";
  run.name = "run-1";
  other.add_run(run);
  rebuild(other, std::vector{parse_export(export_json(ledger, true), "disk B")}, false);
  CHECK(other.runs("web") == std::vector{run});
}

TEST_CASE("an export that was altered, cut or made up is refused", "[export]") {
  const test::TempDir dir;
  Ledger ledger(dir / "a.db");
  fill(ledger);
  const std::string good = export_json(ledger, true);
  REQUIRE(parse_export(good, "x").rows.size() == 4);
  const auto why = [](const std::string& text) {
    std::string message;
    CHECK(kind_of([&] { parse_export(text, "disk B"); }, message) == ErrorKind::corrupt);
    CHECK_THAT(message, Catch::StartsWith("the ledger on disk B cannot be used: "));
    return message;
  };
  CHECK_THAT(why(replaced(good, "ext4", "ext3")), Catch::Contains("row 2"));
  CHECK_THAT(why(replaced(good, "bank", "home")), Catch::Contains("row 4"));
  CHECK_THAT(why(good.substr(0, good.size() / 2)), Catch::Contains("cut off"));
  CHECK_THAT(why(""), Catch::Contains("no export"));
  CHECK_THAT(why("[]"), Catch::Contains("no export"));
  CHECK_THAT(why("{\"rota_ledger\":2}"), Catch::Contains("newer rota"));
  CHECK_THAT(why("{\"rota_ledger\":1}"), Catch::Contains("no rows"));
  CHECK_THAT(why("{\"rota_ledger\":1,\"rows\":[7]}"), Catch::Contains("no object"));
  CHECK_THAT(why("{\"rota_ledger\":1,\"rows\":" + std::string(100'000, '[')),
             Catch::Contains("nested"));
  CHECK_THAT(why(std::string(ledger::kMaxExport + 1, ' ')), Catch::Contains("too large"));
  const std::size_t last = good.rfind(",\n{");
  CHECK_THAT(why(good.substr(0, last) + "\n]}\n"), Catch::Contains("last rows"));
  // Blanks that somebody put in do not matter.
  CHECK(parse_export(replaced(good, "\"rows\":[", " \"rows\" : [ "), "x").rows.size() == 4);
}

TEST_CASE("rows with good hashes are refused for what they say", "[export]") {
  const auto made = [](const std::string& kind, const std::string& data) {
    ledger::HistoryRow begin{1, kNow, "begin", "{}", "", "", ""};
    begin.hash = row_hash(ledger::kNoHash, begin);
    ledger::HistoryRow row{2, kNow, kind, data, "", "", ""};
    row.hash = row_hash(begin.hash, row);
    std::string text = "{\"rota_ledger\":1,\"head\":\"" + row.hash + "\",\"rows\":[";
    for (const auto& each : {begin, row}) {
      text += "{\"number\":" + std::to_string(each.number) +
              ",\"time\":" + std::to_string(each.time.time_since_epoch().count()) + ",\"kind\":\"" +
              each.kind + "\",\"data\":" + each.data + ",\"hash\":\"" + each.hash + "\"}" +
              (each.number == 1 ? "," : "");
    }
    return text + "]}";
  };
  const auto why = [&](const std::string& kind, const std::string& data) {
    std::string message;
    CHECK(kind_of([&] { parse_export(made(kind, data), "x"); }, message) == ErrorKind::corrupt);
    return message;
  };
  CHECK(parse_export(made("disk", "{\"name\":\"B\"}"), "x").rows.size() == 2);
  CHECK_THAT(why("disk", "{\"name\":\"../B\"}"), Catch::Contains("cannot be the name of a disk"));
  CHECK_THAT(why("disk", "{\"name\":7}"), Catch::Contains("no text"));
  CHECK_THAT(why("disk", "{\"name\":\"B\",\"size\":-1}"), Catch::Contains("no number"));
  CHECK_THAT(why("disk", "{\"name\":\"B\",\"prepared\":9000000000000000000}"),
             Catch::Contains("no time"));
  CHECK_THAT(why("disk", "{\"name\":\"B\",\"state\":\"eaten\"}"), Catch::Contains("no word"));
  CHECK_THAT(why("claim", "{\"disk\":\"B\"}"), Catch::Contains("not there"));
  CHECK_THAT(why("check", "{\"disk\":\"B\",\"server\":\"web\",\"snapshot\":\"20261024T030000Z\"}"),
             Catch::Contains("not there"));
  CHECK_THAT(why("alarm", "{\"id\":3}"), Catch::Contains("\"id\""));
  CHECK_THAT(why("future", "{}"), Catch::Contains("does not know"));
}
