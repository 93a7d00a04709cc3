#include "ledger/disks.h"

#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <string>

#include "base/error.h"
#include "ledger/disk_samples.h"
#include "ledger/history.h"
#include "support/files.h"

using namespace rota;
using base::Error;
using base::ErrorKind;
using ledger::CheckKind;
using ledger::Claimed;
using ledger::CopyState;
using ledger::DiskEnd;
using ledger::Disks;
using ledger::Ledger;
using ledger::Observed;
using test::claimed;
using test::seen;
using test::some_copy;
using test::some_disk;
using test::when;

namespace {

const base::Instant kNow = when("2026-10-24T10:00:00Z");

template <typename Action>
ErrorKind kind_of(Action action) {
  try {
    action();
  } catch (const Error& error) {
    INFO(error.what());
    return error.kind();
  }
  FAIL("nothing was thrown");
  return ErrorKind::io;
}

struct Fixture {
  test::TempDir dir;
  Ledger ledger{dir / "ledger.db"};
  Disks disks{ledger};

  /// Every test ends with a history that agrees with its tables.
  ~Fixture() { CHECK(ledger::History(ledger).check() == std::vector<std::string>{}); }
};

ledger::CheckRow check_of(const ledger::CopyRow& copy, CheckKind what, bool good) {
  ledger::CheckRow row;
  row.disk = copy.disk;
  row.server = copy.server;
  row.snapshot = copy.snapshot;
  row.time = kNow;
  row.what = what;
  row.good = good;
  row.files = 12;
  row.bytes = 1'000;
  row.problem = good ? "" : "etc/passwd differs";
  row.seconds = 60;
  return row;
}

}  // namespace

TEST_CASE("a disk comes back as it was recorded, by each of its names", "[disks]") {
  Fixture f;
  ledger::DiskRow disk = some_disk("B");
  disk.end = DiskEnd::held;
  disk.end_time = kNow;
  disk.end_reason = "a court wants it";
  disk.end_by = "jo";
  disk.capacity = UINT64_MAX;
  f.disks.add(disk, kNow);
  f.disks.add(some_disk("A"), kNow);
  CHECK(f.disks.get("B") == disk);
  CHECK(f.disks.with_label("ROTA-B") == disk);
  CHECK(f.disks.with_uuid("uuid-B") == disk);
  CHECK(f.disks.with_uuid("luks-B") == disk);
  CHECK(f.disks.with_token("token-B") == disk);
  CHECK_FALSE(f.disks.with_token(""));  // as the next token of every disk is
  CHECK_FALSE(f.disks.with_label("ROTA-C"));
  CHECK(f.disks.all().size() == 2);
  CHECK(f.disks.all().front().name == "A");
  CHECK(kind_of([&] { f.disks.get("C"); }) == ErrorKind::not_found);
  CHECK_THROWS_WITH(f.disks.get("C"), Catch::Contains("there are: A, B"));
}

TEST_CASE("no second disk gets a name, label or UUID, not even of a lost one", "[disks]") {
  Fixture f;
  f.disks.add(some_disk("B"), kNow);
  f.disks.end("B", DiskEnd::lost, "train", "jo", kNow);
  ledger::DiskRow other = some_disk("C");
  SECTION("name") { other.name = "B"; }
  SECTION("label") { other.label = "ROTA-B"; }
  SECTION("uuid") { other.uuid = "uuid-B"; }
  SECTION("luks uuid") { other.luks_uuid = "luks-B"; }
  CHECK(kind_of([&] { f.disks.add(other, kNow); }) == ErrorKind::refused);
  CHECK(f.disks.all().size() == 1);
}

TEST_CASE("names that would be paths are refused", "[disks]") {
  Fixture f;
  for (const char* name : {"", "../x", "a/b", "ABCDEFGH", "-a", "a b", "\xff"}) {
    CHECK(kind_of([&] { f.disks.add(some_disk(name), kNow); }) == ErrorKind::usage);
  }
  f.disks.add(some_disk("B"), kNow);
  CHECK(kind_of([&] { f.disks.put_copy(some_copy("B", "20261024T030000Z", "../etc"), kNow); }) ==
        ErrorKind::usage);
  CHECK(kind_of([&] { f.disks.put_copy(some_copy("B", "yesterday"), kNow); }) == ErrorKind::usage);
  CHECK(kind_of([&] { f.disks.put_copy(some_copy("X", "20261024T030000Z"), kNow); }) ==
        ErrorKind::not_found);
}

TEST_CASE("a disk whose seal was cut short is known by either token", "[disks]") {
  Fixture f;
  f.disks.add(some_disk("B"), kNow);
  f.disks.announce_token("B", "token-2", kNow);
  CHECK(f.disks.with_token("token-B"));
  CHECK(f.disks.with_token("token-2"));
  f.disks.confirm_token("B", kNow);
  CHECK_FALSE(f.disks.with_token("token-B"));
  CHECK(f.disks.with_token("token-2"));
  f.disks.confirm_token("B", kNow);  // nothing announced: nothing happens
  CHECK(f.disks.get("B").token_sha256 == "token-2");
}

TEST_CASE("a seal is recorded whole: the copy, the token, the state", "[disks]") {
  Fixture f;
  f.disks.add(some_disk("B"), kNow);
  ledger::CopyRow copy = some_copy("B", "20261024T030000Z");
  copy.state = CopyState::partial;
  copy.sealed_time.reset();
  f.disks.put_copy(copy, kNow);
  CHECK_FALSE(f.disks.newest_sealed("B", "web"));
  f.disks.announce_token("B", "token-2", kNow);
  f.disks.seal(copy, kNow);
  CHECK(f.disks.newest_sealed("B", "web")->sealed_time == kNow);
  CHECK(f.disks.get("B").token_sha256 == "token-2");
  CHECK(f.disks.get("B").next_token_sha256.empty());
  CHECK(f.disks.last_observation("B")->state == Observed::sealed);
}

TEST_CASE("copies are listed by time, and change ratios over all disks", "[disks]") {
  Fixture f;
  f.disks.add(some_disk("A"), kNow);
  f.disks.add(some_disk("B"), kNow);
  const auto older = some_copy("A", "20260824T030000Z");
  auto pruned = some_copy("A", "20260724T030000Z");
  pruned.state = CopyState::pruned;
  const auto newer = some_copy("B", "20260924T030000Z");
  const auto other = some_copy("B", "20260925T030000Z", "mail");
  for (const auto& copy : {newer, older, pruned, other}) f.disks.put_copy(copy, kNow);
  CHECK(f.disks.copies("A") == std::vector{older});
  CHECK(f.disks.copies("A", false) == std::vector{pruned, older});
  CHECK(f.disks.copies("B") == std::vector{newer, other});
  CHECK(f.disks.copy("B", "mail", "20260925T030000Z") == other);
  CHECK(f.disks.last_sealed("web", 10) == std::vector{newer, older, pruned});
  CHECK(f.disks.last_sealed("web", 1) == std::vector{newer});
  CHECK(f.disks.newest_sealed("A", "web") == older);
}

TEST_CASE("a bad check makes the copy damaged until all of it was read well", "[disks]") {
  Fixture f;
  f.disks.add(some_disk("B"), kNow);
  const auto copy = some_copy("B", "20261024T030000Z");
  f.disks.put_copy(copy, kNow);
  const auto now = [&] { return *f.disks.copy("B", "web", copy.snapshot); };
  CHECK(now().counts());
  f.disks.add_check(check_of(copy, CheckKind::scrub, false));
  CHECK(now().state == CopyState::damaged);
  CHECK_FALSE(now().counts());
  CHECK(f.disks.alarms("B", true).empty());  // the scrub opens one for all copies with the file
  f.disks.add_check(check_of(copy, CheckKind::scrub, true));  // it was another part
  CHECK_FALSE(now().counts());
  f.disks.add_check(check_of(copy, CheckKind::full, false));
  REQUIRE(f.disks.alarms("B", true).size() == 1);
  CHECK_THAT(f.disks.alarms("B", true).front().message, Catch::Contains("etc/passwd differs"));
  f.disks.add_check(check_of(copy, CheckKind::full, true));
  CHECK(now().counts());
  CHECK(now().oldest_read == kNow);
  CHECK(f.disks.checks("B", "web", copy.snapshot).size() == 4);
  CHECK(f.disks.alarms("B", true).size() == 1);  // a person still has to see it
  CHECK(kind_of([&] {
          f.disks.add_check(check_of(some_copy("B", "20260101T000000Z"), {}, true));
        }) == ErrorKind::not_found);
}

TEST_CASE("a failed check before the seal keeps the copy from counting", "[disks]") {
  Fixture f;
  f.disks.add(some_disk("B"), kNow);
  auto copy = some_copy("B", "20261024T030000Z");
  copy.state = CopyState::partial;
  f.disks.put_copy(copy, kNow);
  f.disks.add_check(check_of(copy, CheckKind::seal, false));
  CHECK(f.disks.copies("B").front().state == CopyState::partial);
  CHECK_FALSE(f.disks.copies("B").front().verified);
  CHECK(f.disks.alarms("B", true).empty());  // the job itself says so, and goes on
}

TEST_CASE("a disk claimed off site that appears on a port is a contradiction, once", "[disks]") {
  Fixture f;
  f.disks.add(some_disk("B"), kNow);
  f.disks.claim(claimed("B", Claimed::off_site, "2026-10-24T12:00:00Z", "bank"), kNow);
  f.disks.observe(seen("B", Observed::away, "2026-10-24T12:05:00Z"));  // unplugged after the word
  CHECK(f.disks.alarms("B", true).empty());
  CHECK(f.disks.states().front().claim_holds);
  f.disks.observe(seen("B", Observed::connected, "2026-11-02T09:00:00Z"));
  REQUIRE(f.disks.alarms("B", true).size() == 1);
  CHECK(f.disks.alarms("B", true).front().kind == "contradiction");
  // Names and places stay out of what goes to an unencrypted store.
  CHECK_THAT(f.disks.alarms("B", true).front().message,
             !Catch::Contains("bank") && !Catch::Contains("jo"));
  CHECK_FALSE(f.disks.states().front().claim_holds);
  f.disks.observe(seen("B", Observed::copying, "2026-11-02T09:01:00Z"));
  CHECK(f.disks.alarms("B", true).size() == 1);
  f.disks.claim(claimed("B", Claimed::on_site, "2026-11-02T08:00:00Z"), kNow);
  CHECK(f.disks.alarms("B", true).empty());
  CHECK(f.disks.alarms("B", false).size() == 1);
}

TEST_CASE("of a lost or retired disk nobody can say where it is", "[disks]") {
  Fixture f;
  f.disks.add(some_disk("B"), kNow);
  const auto move = [&] {
    return kind_of(
        [&] { f.disks.claim(claimed("B", Claimed::off_site, "2026-10-24T10:00:00Z"), kNow); });
  };
  f.disks.end("B", DiskEnd::lost, "train", "jo", kNow);
  CHECK(move() == ErrorKind::refused);
  CHECK_FALSE(f.disks.last_claim("B"));
  f.disks.end("B", DiskEnd::held, "evidence", "jo", kNow);
  f.disks.claim(claimed("B", Claimed::off_site, "2026-10-24T10:00:00Z"), kNow);
  CHECK(f.disks.last_claim("B"));
  f.disks.end("B", DiskEnd::retired, "old", "jo", kNow);
  CHECK(move() == ErrorKind::refused);
}

TEST_CASE("a lost disk that appears is a contradiction until somebody speaks", "[disks]") {
  Fixture f;
  f.disks.add(some_disk("B"), kNow);
  f.disks.end("B", DiskEnd::lost, "train", "jo", kNow);
  f.disks.observe(seen("B", Observed::connected, "2026-11-02T09:00:00Z"));
  f.disks.observe(seen("B", Observed::suspect, "2026-11-02T09:01:00Z"));
  REQUIRE(f.disks.alarms("B", true).size() == 1);
  CHECK_THAT(f.disks.alarms("B", true).front().message, Catch::Contains("said to be lost"));
  f.disks.end("B", DiskEnd::in_use, "found", "jo", kNow);
  CHECK(f.disks.alarms("B", true).empty());
}

TEST_CASE("a lost disk that is found is not where it was said to be", "[disks]") {
  Fixture f;
  f.disks.add(some_disk("B"), kNow);
  f.disks.claim(claimed("B", Claimed::off_site, "2026-10-24T12:00:00Z", "bank"), kNow);
  f.disks.end("B", DiskEnd::lost, "not at the bank", "kim", kNow);
  f.disks.end("B", GENERATE(DiskEnd::in_use, DiskEnd::held), "found", "kim", kNow);
  const auto claim = f.disks.last_claim("B");
  REQUIRE(claim);
  CHECK(claim->state == Claimed::on_site);
  CHECK(claim->place.empty());
  CHECK(claim->by == "kim");
}

TEST_CASE("letting go of a disk is no result of a job", "[disks]") {
  Fixture f;
  f.disks.add(some_disk("B"), kNow);
  f.disks.observe(seen("B", Observed::damaged, "2026-11-02T09:00:00Z"));
  ledger::ObservationRow ejected = seen("B", Observed::safe_to_remove, "2026-11-02T09:10:00Z");
  ejected.detail = ledger::kEjected;
  f.disks.observe(ejected);
  CHECK(f.disks.states().front().observation->state == Observed::safe_to_remove);
  CHECK(f.disks.states().front().result->state == Observed::damaged);
  f.disks.observe(seen("B", Observed::safe_to_remove, "2026-11-03T09:00:00Z"));
  CHECK(f.disks.states().front().result->state == Observed::safe_to_remove);
}

TEST_CASE("a disk on its way back or on site may appear", "[disks]") {
  Fixture f;
  f.disks.add(some_disk("B"), kNow);
  for (const Claimed state : {Claimed::in_transit_back, Claimed::on_site}) {
    f.disks.claim(claimed("B", state, "2026-10-24T12:00:00Z"), kNow);
    f.disks.observe(seen("B", Observed::connected, "2026-11-02T09:00:00Z"));
  }
  CHECK(f.disks.alarms("", false).empty());
}

TEST_CASE("an alarm stays open until a named person took note", "[disks]") {
  Fixture f;
  ledger::AlarmRow alarm;
  alarm.kind = "tripwire";
  alarm.disk = "ROTA-X";  // of a disk that the ledger does not know
  alarm.server = "web";
  alarm.opened = kNow;
  alarm.message = "Too many files vanished.";
  alarm.details = std::vector<std::string>(ledger::kMaxDetails + 5, "a\xff");
  const std::int64_t id = f.disks.open_alarm(alarm);
  REQUIRE(f.disks.alarms("ROTA-X", true).size() == 1);
  const auto open = f.disks.alarms("", true).front();
  CHECK(open.id == id);
  CHECK(open.details.size() == ledger::kMaxDetails + 1);
  CHECK(open.details.front() == "a\\xff");
  CHECK(open.details.back() == "… and 5 more");
  f.disks.acknowledge(id, "jo", "we moved the mail away", kNow);
  CHECK(f.disks.alarms("", true).empty());
  const auto after = f.disks.alarms("", false).front();
  CHECK(after.acknowledged == kNow);
  CHECK(after.acknowledged_by == "jo");
  CHECK(after.reason == "we moved the mail away");
  CHECK(kind_of([&] { f.disks.acknowledge(99, "jo", "", kNow); }) == ErrorKind::not_found);
}

TEST_CASE("retiring a disk is final, holding and losing it are not", "[disks]") {
  Fixture f;
  f.disks.add(some_disk("B"), kNow);
  f.disks.end("B", DiskEnd::lost, "train", "jo", kNow);
  CHECK(f.disks.get("B").end_reason == "train");
  f.disks.end("B", DiskEnd::in_use, "found", "jo", kNow);
  CHECK_FALSE(f.disks.get("B").end_time);
  f.disks.end("B", DiskEnd::retired, "old", "jo", kNow);
  CHECK(kind_of([&] { f.disks.end("B", DiskEnd::in_use, "", "jo", kNow); }) == ErrorKind::refused);
}

TEST_CASE("texts of any bytes are recorded as text, and not without end", "[disks]") {
  Fixture f;
  f.disks.add(some_disk("B"), kNow);
  auto row = seen("B", Observed::suspect, "2026-10-24T12:00:00Z");
  row.detail = "\x01\xff" + std::string(10'000, 'x');
  f.disks.observe(row);
  const auto back = *f.disks.last_observation("B");
  CHECK(back.detail.starts_with("\\x01\\xffxxx"));
  CHECK(back.detail.size() == ledger::kMaxText);
  row.time = base::Instant(std::chrono::seconds(-1));
  CHECK(kind_of([&] { f.disks.observe(row); }) == ErrorKind::usage);
  CHECK(f.disks.last_observation("B") == back);
}

TEST_CASE("what several processes record at once is in one history", "[disks]") {
  Fixture f;
  f.disks.add(some_disk("B"), kNow);
  constexpr int kProcesses = 4;
  constexpr int kRows = 10;
  std::vector<pid_t> children;
  for (int child = 0; child < kProcesses; ++child) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      try {
        Ledger ledger(f.dir / "ledger.db");
        for (int i = 0; i < kRows; ++i) {
          Disks(ledger).observe(seen("B", Observed::copying, "2026-10-24T12:00:00Z"));
        }
      } catch (...) {
        ::_exit(1);
      }
      ::_exit(0);
    }
    children.push_back(pid);
  }
  for (const pid_t pid : children) {
    int status = 0;
    ::waitpid(pid, &status, 0);
    CHECK(status == 0);
  }
  CHECK(ledger::History(f.ledger).head().rows == 2 + kProcesses * kRows);
}
