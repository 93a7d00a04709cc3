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

/// Two customers of one station: web is on disk B, mail on disk C.
struct Customers {
  explicit Customers(Ledger& ledger) {
    Disks disks(ledger);
    for (const char* disk : {"B", "C"}) {
      const std::string server = disk == std::string("B") ? "web" : "mail";
      disks.add(some_disk(disk), kNow);
      disks.put_copy(some_copy(disk, "20261024T030000Z", server), kNow);
      ledger::AlarmRow alarm;
      alarm.kind = "tripwire";
      alarm.disk = disk;
      alarm.server = server;
      alarm.opened = kNow;
      alarm.message = "too much changed";
      alarm.details = {"etc/of-" + server};
      disks.open_alarm(alarm);
      alarm.kind = "two connected";
      alarm.server = "";
      alarm.message = "Disks B and C are plugged in at once";
      alarm.details.clear();
      disks.open_alarm(alarm);
      ledger::ObservationRow failed = seen(disk, Observed::interrupted, "2026-10-24T11:00:00Z");
      failed.detail = server + ": copy failed: var/lib/" + server;
      disks.observe(failed);
      disks.claim(claimed(disk, Claimed::off_site, "2026-10-24T12:00:00Z",
                          server == "web" ? "bank" : "vault"),
                  kNow);
      ledger::DrillRow drill = test::some_drill(server, "2026-10-25T10:00:00Z");
      drill.problem = "problem of " + server;
      ledger::Drills(ledger).add(drill, kNow);
    }
  }
};

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
      rebuild(other, std::vector{parse_export(export_json(ledger, {}), "disk B")}, false);
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
  const std::string text = export_json(ledger, {.people = false});
  for (const char* word : {"bank", "jo", "car"}) CHECK_THAT(text, !Catch::Contains(word));

  Ledger other(dir / "b.db");
  const auto result = rebuild(other, std::vector{parse_export(text, "the store")}, false);
  CHECK(result.without_people);
  CHECK(History(other).check().empty());
  CHECK(Disks(other).last_claim("B")->place.empty());
  CHECK(Disks(other).get("B").end == ledger::DiskEnd::lost);

  // An older export from a disk gives back what it knows.
  const auto again =
      rebuild(other, std::vector{parse_export(export_json(ledger, {}), "disk B")}, false);
  CHECK_FALSE(again.without_people);
  CHECK(Disks(other).last_claim("B")->by == "jo");
  CHECK(History(other).rows() == History(ledger).rows());
}

TEST_CASE("the same row has other hashes each time, so that it cannot be guessed", "[export]") {
  const test::TempDir dir;
  Ledger ledger(dir / "a.db");
  fill(ledger);
  Disks(ledger).claim(claimed("B", Claimed::off_site, "2026-10-24T10:00:00Z", "bank"), kNow);
  const auto rows = History(ledger).rows();
  const auto salt = [](const ledger::HistoryRow& row) {
    return row.data.substr(row.data.find("\"salt\":\"") + 8, 32);
  };
  CHECK(replaced(rows[3].data, salt(rows[3]), salt(rows[4])) == rows[4].data);
  CHECK(salt(rows[3]) != salt(rows[4]));
  CHECK(rows[3].people_sha256 != rows[4].people_sha256);
}

TEST_CASE("a plain disk's export tells of that disk alone", "[export]") {
  const test::TempDir dir;
  Ledger ledger(dir / "a.db");
  const Customers names(ledger);
  const std::string text = export_json(ledger, {.people = false, .disk = "B"});
  CHECK_THAT(text, Catch::Contains("uuid-B") && Catch::Contains("etc/of-web") &&
                       Catch::Contains("20261024T030000Z"));
  for (const char* word : {"uuid-C", "serial-C", "ROTA-C", "\"C\"", "mail", "bank", "jo", "B and C",
                           "web: copy failed", "problem of web"}) {
    CHECK_THAT(text, !Catch::Contains(word));
  }
  const auto exported = parse_export(text, "disk B");
  CHECK(exported.rows.size() == History(ledger).rows().size());
  Ledger other(dir / "b.db");
  const auto result = rebuild(other, std::vector{exported}, false);
  CHECK(result.withheld > 0);
  CHECK(History(other).withheld() == result.withheld);
  CHECK(History(other).check().empty());
  CHECK(Disks(other).all().size() == 1);
  CHECK(Disks(other).copies("B").size() == 1);
  CHECK_THAT(sentence(History(other).last("", 1).front()), Catch::StartsWith("left out of"));
  // What is recorded from here on is linked to it, and the chain stays whole.
  Disks(other).observe(seen("B", Observed::connected, "2026-10-26T10:00:00Z"));
  CHECK(History(other).check().empty());
}

TEST_CASE("an export for some servers tells nothing of others, not even their names", "[export]") {
  const test::TempDir dir;
  Ledger ledger(dir / "a.db");
  const Customers names(ledger);
  const std::string web = export_json(ledger, {.servers = {{"web"}}});
  CHECK_THAT(web, Catch::Contains("uuid-B") && Catch::Contains("bank") &&
                      Catch::Contains("etc/of-web") && Catch::Contains("problem of web"));
  for (const char* word : {"uuid-C", "\"C\"", "mail", "vault", "B and C"}) {
    CHECK_THAT(web, !Catch::Contains(word));
  }
  const std::string none = export_json(ledger, {.servers = {{"other"}}});
  for (const char* word : {"uuid", "web", "mail", "bank"}) CHECK_THAT(none, !Catch::Contains(word));
  // A sentence may name a server of which nothing else is known yet.
  Ledger alone(dir / "b.db");
  Disks(alone).add(some_disk("B"), kNow);
  ledger::ObservationRow failed = seen("B", Observed::interrupted, "2026-10-24T11:00:00Z");
  failed.detail = "shop: var/lib/shop failed";
  Disks(alone).observe(failed);
  CHECK_THAT(export_json(alone, {.servers = {{"web"}}}), Catch::Contains("shop"));
  CHECK_THAT(export_json(alone, {.servers = {{"web"}}, .known_servers = {"shop", "web"}}),
             !Catch::Contains("shop"));
  // Of all servers that there are: everything.
  CHECK(export_json(ledger, {.servers = {{"mail", "web"}}}) == export_json(ledger, {}));
}

TEST_CASE("exports that tell different rows complete each other", "[export]") {
  const test::TempDir dir;
  Ledger ledger(dir / "a.db");
  const Customers names(ledger);
  const auto of = [&](const char* server) {
    return parse_export(export_json(ledger, {.servers = {{server}}}), server);
  };
  Ledger other(dir / "b.db");
  rebuild(other, std::vector{of("web")}, false);
  CHECK(Disks(other).all().size() == 1);
  CHECK_FALSE(rebuild(other, std::vector{of("mail")}, false).withheld ==
              0);  // what is said of both
  CHECK(Disks(other).all().size() == 2);
  CHECK(Disks(other).last_claim("C")->place == "vault");
  const auto result =
      rebuild(other, std::vector{parse_export(export_json(ledger, {}), "x")}, false);
  CHECK(result.withheld == 0);
  CHECK(History(other).rows() == History(ledger).rows());
  CHECK(History(other).check().empty());
}

TEST_CASE("rows from before there were commitments are withheld as well", "[export]") {
  const test::TempDir dir;
  Ledger newer(dir / "a.db");
  const Customers names(newer);
  Ledger ledger(dir / "b.db");
  rebuild(ledger, std::vector{test::without_commitments(newer)}, false);
  CHECK(History(ledger).check().empty());
  Disks(ledger).observe(seen("C", Observed::connected, "2026-10-26T10:00:00Z"));
  Disks(ledger).observe(seen("B", Observed::connected, "2026-10-26T10:00:00Z"));
  const std::string text = export_json(ledger, {.people = false, .disk = "B"});
  for (const char* word : {"uuid-C", "mail"}) CHECK_THAT(text, !Catch::Contains(word));
  Ledger other(dir / "c.db");
  rebuild(other, std::vector{parse_export(text, "disk B")}, false);
  CHECK(History(other).check().empty());
  rebuild(other, std::vector{parse_export(export_json(ledger, {}), "disk A")}, false);
  CHECK(History(other).rows() == History(ledger).rows());
}

TEST_CASE("what stands for a row that is withheld cannot be changed", "[export]") {
  const test::TempDir dir;
  Ledger ledger(dir / "a.db");
  const Customers names(ledger);
  const std::string good = export_json(ledger, {.people = false, .disk = "B"});
  std::string message;
  const auto refused = [&](const std::string& text) {
    return kind_of([&] { parse_export(text, "disk B"); }, message) == ErrorKind::corrupt;
  };
  const std::string start = "{\"number\":6,\"commitment\":\"";  // an observation with a sentence
  const std::size_t at = good.find(start);
  REQUIRE(at != std::string::npos);
  std::string other = good;
  char& digit = other[at + start.size()];
  digit = digit == 'a' ? 'b' : 'a';
  CHECK(refused(other));
  CHECK_THAT(message, Catch::Contains("row 6"));
  // Told after all, but otherwise.
  CHECK(refused(replaced(good, "{\"number\":6,", "{\"number\":6,\"kind\":\"begin\",\"data\":{},")));
  CHECK(refused(
      replaced(good, "{\"number\":6,", "{\"number\":6,\"kind\":\"withheld\",\"data\":{},")));
}

TEST_CASE("the longest history is taken, its beginnings are no trouble", "[export]") {
  const test::TempDir dir;
  Ledger ledger(dir / "a.db");
  fill(ledger);
  const auto old = parse_export(export_json(ledger, {}), "disk A");
  Disks(ledger).observe(seen("B", Observed::connected, "2026-10-25T10:00:00Z"));
  const auto newer = parse_export(export_json(ledger, {.people = false}), "the store");
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
  const auto common = parse_export(export_json(one, {}), "disk A");
  Ledger two(dir / "b.db");
  rebuild(two, std::vector{common}, false);
  Disks(one).observe(seen("B", Observed::connected, "2026-10-25T10:00:00Z"));
  for (int i = 0; i < 3; ++i) Disks(two).observe(seen("B", Observed::away, "2026-10-26T10:00:00Z"));
  const auto other = parse_export(export_json(two, {}), "disk B");

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
      empty, std::vector{common, other, parse_export(export_json(stranger, {}), "disk C")}, false);
  REQUIRE(mixed.warnings.size() == 1);
  CHECK_THAT(mixed.warnings.front(), Catch::Contains("disk C is that of another machine"));
}

TEST_CASE("a damaged history is replaced, and what that loses is said", "[export]") {
  const test::TempDir dir;
  Ledger ledger(dir / "a.db");
  fill(ledger);
  const auto old = parse_export(export_json(ledger, {}), "disk B");
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
  rebuild(other, std::vector{parse_export(export_json(ledger, {}), "disk B")}, false);
  CHECK(other.runs("web") == std::vector{run});
}

TEST_CASE("an export that was altered, cut or made up is refused", "[export]") {
  const test::TempDir dir;
  Ledger ledger(dir / "a.db");
  fill(ledger);
  const std::string good = export_json(ledger, {});
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
    ledger::HistoryRow begin{1, kNow, "begin", "{}", "", "", "", ""};
    begin.hash = row_hash(ledger::kNoHash, begin);
    ledger::HistoryRow row{2, kNow, kind, data, "", "", "", ""};
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
