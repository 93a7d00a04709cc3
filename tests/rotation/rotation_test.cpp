#include "rotation/rotation.h"

#include <catch2/catch.hpp>
#include <string>

#include "rotation/clock.h"
#include "rotation/disks.h"

using namespace rota;
using namespace std::chrono_literals;
using ledger::Claimed;
using ledger::DiskEnd;
using ledger::Observed;
using rotation::Level;
using test::away;
using test::claimed;
using test::here;
using test::seen;
using test::some_copy;
using test::some_disk;
using test::Station;
using test::told;
using test::when;

namespace {

/// Two disks monthly: B off site since 25 October, A on the shelf, due on 24 November.
Station two_disks() {
  Station station;
  station.disks = {here("A", "20260924T030000Z", "2026-10-26T10:00:00Z"),
                   away("B", "20261024T030000Z", "2026-10-25T10:00:00Z")};
  station.disks[0].claim = claimed("A", Claimed::on_site, "2026-10-26T10:00:00Z");
  return station;
}

}  // namespace

TEST_CASE("two disks in good order are good, and say what comes next", "[rotation]") {
  const auto status = two_disks().at("2026-11-10T12:00:00Z");
  CHECK(status.level == Level::good);
  CHECK(status.notices.empty());
  CHECK(status.duties.empty());
  REQUIRE(status.sets.size() == 1);
  CHECK(status.sets[0].next_disk == "A");
  CHECK(status.sets[0].due == when("2026-11-24T03:00:00Z"));
  CHECK(status.sets[0].detection_window == std::chrono::seconds(30 * 24h));
  CHECK_THAT(status.sets[0].detection_sentence,
             Catch::Contains("within 30 days (2 disks, every 1M)"));
  REQUIRE(status.disks.size() == 2);
  CHECK(status.disks[0].next);
  CHECK(status.disks[0].symbol == '.');
  CHECK(status.disks[1].due == when("2026-12-24T03:00:00Z"));
  CHECK(status.disks[1].word == "off site");
  CHECK(status.disks[1].place == "place of B");
  CHECK(status.disks[1].by == "jo");
  CHECK(status.disks[1].newest_age == std::chrono::seconds(17 * 24h + 9h));
}

TEST_CASE("the disk with the newest copy is never the next, the emptiest is", "[rotation]") {
  Station station = two_disks();
  const auto next = [&] {
    return rotation::next_disk(station.sets, "monthly", station.disks,
                               when("2026-11-10T12:00:00Z"));
  };
  CHECK(next() == "A");
  ledger::DiskState fresh;
  fresh.disk = some_disk("C");
  station.disks.push_back(fresh);
  CHECK(next() == "C");
  station.disks[2].disk.end = DiskEnd::held;
  CHECK(next() == "A");
  station.disks[0].result = seen("A", Observed::damaged, "2026-11-01T10:00:00Z");
  CHECK(next() == "B");  // the only one that is left
  station.disks[0].disk.end = DiskEnd::lost;
  station.disks[1].disk.end = DiskEnd::retired;
  CHECK(next().empty());
  station.sets[0].disks = {"Z"};
  CHECK(next().empty());
}

TEST_CASE("a swap is announced, then late, then missed", "[rotation]") {
  const Station station = two_disks();
  CHECK(station.at("2026-11-20T12:00:00Z").duties.empty());
  CHECK_THAT(told(station.at("2026-11-22T12:00:00Z").duties, "due"),
             Catch::StartsWith("good A: A copy is due on 2026-11-24: plug in disk A"));
  CHECK(station.at("2026-11-25T12:00:00Z").level == Level::good);
  CHECK_THAT(told(station.at("2026-11-28T12:00:00Z").notices, "overdue"),
             Catch::StartsWith("warning A: A copy was due on 2026-11-24"));
  CHECK_THAT(told(station.at("2026-12-25T12:00:00Z").notices, "overdue"),
             Catch::StartsWith("alarm A:"));
}

TEST_CASE("with no copy at all one is due since there is a disk", "[rotation]") {
  Station station;
  ledger::DiskState fresh;
  fresh.disk = some_disk("A", "2026-11-01T12:00:00Z");
  station.disks = {fresh};
  CHECK(station.at("2026-11-01T12:00:01Z").sets[0].due == when("2026-11-01T12:00:00Z"));
  CHECK(station.at("2026-11-01T12:00:01Z").disks[0].word == "new");
}

TEST_CASE("where no copy is good any more, one is due since the newest of them", "[rotation]") {
  Station station = two_disks();
  for (auto& disk : station.disks) disk.copies[0].state = ledger::CopyState::damaged;
  CHECK(station.at("2026-11-10T12:00:00Z").sets[0].due == when("2026-10-24T03:00:00Z"));
}

TEST_CASE("a server that no disk holds makes a copy due at once", "[rotation]") {
  Station station = two_disks();
  station.servers = {"web", "mail"};
  auto status = station.at("2026-11-10T12:00:00Z");
  CHECK(status.sets[0].due == when("2026-11-10T12:00:00Z"));
  CHECK(status.sets[0].missing == std::vector<std::string>{"mail"});
  CHECK(status.disks[1].due == when("2026-12-10T12:00:00Z"));
  CHECK(told(status.duties, "due") ==
        "good A: mail is on no disk of the set monthly yet: plug in disk A.");
  station.servers = {"web", "mail", "db"};
  CHECK_THAT(told(station.at("2026-11-10T12:00:00Z").duties, "due"),
             Catch::Contains("mail and db are on no disk"));
  // The turn of the others goes on being missed.
  CHECK_THAT(told(station.at("2026-12-25T12:00:00Z").notices, "overdue"),
             Catch::StartsWith("alarm A: A copy was due on 2026-11-24: plug in disk A."));
  station.sets[0].servers = {"web"};
  status = station.at("2026-11-10T12:00:00Z");
  CHECK(status.sets[0].due == when("2026-11-24T03:00:00Z"));
  CHECK_THAT(told(status.notices, "no set"), Catch::Contains("profile mail belongs to no set"));
}

TEST_CASE("the turns behind one that was missed come when it can be kept", "[rotation]") {
  const auto status = two_disks().at("2027-03-10T12:00:00Z");
  CHECK(status.disks[0].due == when("2026-11-24T03:00:00Z"));
  CHECK(status.disks[1].due == when("2027-04-10T12:00:00Z"));
}

TEST_CASE("a claim older than the period is a warning, with time for the swap", "[rotation]") {
  const Station station = two_disks();
  CHECK(told(station.at("2026-11-28T09:00:00Z").notices, "stale claim").empty());
  CHECK_THAT(
      told(station.at("2026-11-28T11:00:00Z").notices, "stale claim"),
      Catch::StartsWith("warning B: That disk B is off site at 'place of B' was last said on "
                        "2026-10-25"));
}

TEST_CASE("a place reaches a terminal without escapes, and a shell in quotes", "[rotation]") {
  Station station = two_disks();
  station.disks[0] = away("A", "20260924T030000Z", "2026-10-25T10:00:00Z");
  for (auto& disk : station.disks) disk.claim->place = "\x1b[2Jjo's";
  station.disks[1].claim->by = "\x1b[8mjo";
  const auto status = station.at("2026-12-28T11:00:00Z");
  for (const auto& notice : status.notices) CHECK(notice.text.find('\x1b') == std::string::npos);
  CHECK_THAT(told(status.notices, "one place"), Catch::Contains("at '\\x1b[2Jjo's'"));
  CHECK_THAT(told(status.notices, "stale claim"),
             Catch::Contains("at '\\x1b[2Jjo's'") && Catch::Contains(" --place PLACE --by NAME"));
  CHECK_THAT(status.worst.sentence,
             Catch::Contains("at '\\x1b[2Jjo's'") && Catch::Contains("word of \\x1b[8mjo."));
  station.disks[1].claim->place = "jo's $(reboot)";
  CHECK_THAT(told(station.at("2026-12-28T11:00:00Z").notices, "stale claim"),
             Catch::Contains(" --place 'jo'\\''s $(reboot)' --by NAME"));
}

TEST_CASE("in transit longer than allowed is an alarm", "[rotation]") {
  Station station = two_disks();
  for (const Claimed state : {Claimed::in_transit_out, Claimed::in_transit_back}) {
    station.disks[1].claim = claimed("B", state, "2026-11-01T10:00:00Z");
    CHECK(told(station.at("2026-11-04T09:00:00Z").notices, "transit").empty());
    CHECK_THAT(told(station.at("2026-11-04T11:00:00Z").notices, "transit"),
               Catch::StartsWith("alarm B: Disk B is in transit"));
  }
}

TEST_CASE("two disks at one place are a warning, however it is written", "[rotation]") {
  Station station = two_disks();
  station.disks[0] = away("A", "20260924T030000Z", "2026-10-25T10:00:00Z");
  CHECK(told(station.at("2026-11-10T12:00:00Z").notices, "one place").empty());
  station.disks[0].claim->place = "Bank";
  station.disks[1].claim->place = "bank";
  CHECK_THAT(told(station.at("2026-11-10T12:00:00Z").notices, "one place"),
             Catch::StartsWith("warning : The disks A and B are all at 'Bank'"));
  station.disks[0].claim->state = Claimed::on_site;
  CHECK(told(station.at("2026-11-10T12:00:00Z").notices, "one place").empty());
}

TEST_CASE("all disks on site are an alarm", "[rotation]") {
  Station station = two_disks();
  station.disks[1] = here("B", "20261024T030000Z", "2026-10-25T10:00:00Z");
  CHECK_THAT(told(station.at("2026-11-10T12:00:00Z").notices, "all on site"),
             Catch::StartsWith("alarm : All disks of the set monthly are on site"));
  station.disks[1].claim = claimed("B", Claimed::in_transit_out, "2026-11-10T10:00:00Z");
  station.disks[1].claim_holds = true;
  CHECK(told(station.at("2026-11-10T12:00:00Z").notices, "all on site").empty());
}

TEST_CASE("that one set is on site says nothing of another's servers", "[rotation]") {
  Station station = two_disks();
  station.disks[1] = here("B", "20261024T030000Z", "2026-10-25T10:00:00Z");
  auto other = here("C", "20261024T030000Z", "2026-10-25T10:00:00Z");
  other.copies[0].server = "db";
  other.copies[0].verified = false;  // so that the set of C has nothing that could be off site
  station.disks.push_back(other);
  station.servers = {"web", "db"};
  station.sets.resize(2);
  station.sets[0].disks = {"A", "B"};
  station.sets[0].servers = {"web"};
  station.sets[1].name = "other";
  station.sets[1].disks = {"C"};
  station.sets[1].servers = {"db"};
  const auto status = station.at("2026-11-10T12:00:00Z");
  CHECK_THAT(told(status.notices, "all on site"), Catch::Contains("the set monthly"));
  CHECK_THAT(told(status.notices, "no copy off site"),
             Catch::Contains("nothing of db to go back to") && !Catch::Contains("of web"));
  station.sets[1].servers = {};  // web is in both, and it is said of one
  CHECK_THAT(told(station.at("2026-11-10T12:00:00Z").notices, "no copy off site"),
             Catch::Contains("nothing of db to go back to") && !Catch::Contains("of web"));
}

TEST_CASE("two disks connected at once are an alarm", "[rotation]") {
  Station station = two_disks();
  station.connected = std::vector<std::string>{"A"};
  CHECK(told(station.at("2026-11-10T12:00:00Z").notices, "two connected").empty());
  station.connected = std::vector<std::string>{"A", "B"};
  CHECK_THAT(told(station.at("2026-11-10T12:00:00Z").notices, "two connected"),
             Catch::StartsWith("alarm : The disks A and B are connected at once"));
}

TEST_CASE("a disk that stays connected is an alarm: the gap is open", "[rotation]") {
  Station station = two_disks();
  auto& disk = station.disks[0];
  disk.claim_holds = false;
  disk.observation = seen("A", Observed::safe_to_remove, "2026-11-10T12:00:00Z");
  CHECK(told(station.at("2026-11-10T13:59:00Z").notices, "still connected").empty());
  CHECK_THAT(told(station.at("2026-11-10T14:01:00Z").notices, "still connected"),
             Catch::StartsWith("alarm A: Disk A is safe to remove since 2026-11-10 12:00 and still "
                               "connected"));
  // Somebody looked, and it is gone.
  station.connected = std::vector<std::string>{};
  CHECK(told(station.at("2026-11-10T14:01:00Z").notices, "still connected").empty());
  CHECK(station.at("2026-11-10T14:01:00Z").disks[0].word == "on site");
  // A person carried it away, though nothing saw it go.
  station.connected.reset();
  disk.claim = claimed("A", Claimed::in_transit_out, "2026-11-10T12:30:00Z");
  disk.claim_holds = true;
  CHECK(told(station.at("2026-11-10T14:01:00Z").notices, "still connected").empty());
  disk.claim_holds = false;
  disk.observation->state = Observed::copying;
  CHECK(told(station.at("2026-11-12T12:00:00Z").notices, "still connected").empty());
  CHECK_FALSE(told(station.at("2026-11-14T12:00:00Z").notices, "still connected").empty());
}

TEST_CASE("how the last job ended is told until a better one", "[rotation]") {
  Station station = two_disks();
  station.disks[0].result = seen("A", Observed::interrupted, "2026-11-10T12:00:00Z");
  station.disks[0].result->detail = "unplugged";
  CHECK_THAT(told(station.at("2026-11-11T12:00:00Z").notices, "interrupted"),
             Catch::StartsWith("warning A:") && Catch::Contains("(unplugged): plug it in again"));
  for (const Observed state : {Observed::full, Observed::damaged}) {
    station.disks[0].result->state = state;
    CHECK_THAT(told(station.at("2026-11-11T12:00:00Z").notices, ledger::word(state)),
               Catch::StartsWith("alarm A:"));
  }
  station.disks[0].claim_holds = false;
  station.disks[0].observation = station.disks[0].result;
  CHECK(station.at("2026-11-11T12:00:00Z").disks[0].word == "damaged");
  CHECK(station.at("2026-11-11T12:00:00Z").disks[0].level == Level::alarm);
}

TEST_CASE("a held copy that somebody took note of waits for its disk", "[rotation]") {
  Station station = two_disks();
  station.disks[0].result = seen("A", Observed::suspect, "2026-11-10T12:00:00Z");
  ledger::AlarmRow alarm;
  alarm.kind = "tripwire";
  alarm.disk = "A";
  ledger::AlarmRow other = alarm;
  other.disk = "B";
  ledger::AlarmRow contradiction = alarm;
  contradiction.kind = "contradiction";
  station.alarms = {alarm, other, contradiction};
  const auto suspect = [&] { return told(station.at("2026-11-11T12:00:00Z").notices, "suspect"); };
  CHECK_THAT(suspect(), Catch::StartsWith("alarm A:") &&
                            Catch::EndsWith("and take note with `rota disk accept`."));
  station.alarms[0].acknowledged = when("2026-11-11T11:00:00Z");
  CHECK(suspect() ==
        "warning A: The last job with disk A on 2026-11-10 12:00 ended as suspect: noted; plug it "
        "in again, and the copy goes on.");
}

TEST_CASE("a lost disk is an alarm until another takes its place", "[rotation]") {
  Station station = two_disks();
  station.disks[1].disk.end = DiskEnd::lost;
  station.disks[1].disk.end_time = when("2026-11-05T12:00:00Z");
  auto status = station.at("2026-11-10T12:00:00Z");
  CHECK_THAT(told(status.notices, "lost"),
             Catch::StartsWith("alarm B: Disk B is lost since 2026-11-05: prepare another"));
  CHECK(status.disks[1].word == "lost");
  CHECK_FALSE(told(status.notices, "one disk").empty());
  station.disks[1].disk.luks_uuid.clear();
  CHECK_THAT(told(station.at("2026-11-10T12:00:00Z").notices, "lost"),
             Catch::Contains("whoever finds it can read it"));
  ledger::DiskState fresh;
  fresh.disk = some_disk("C", "2026-11-06T12:00:00Z");
  station.disks.push_back(fresh);
  CHECK(told(station.at("2026-11-10T12:00:00Z").notices, "lost").empty());
}

TEST_CASE("old disks, old copies and bytes that nobody read are duties", "[rotation]") {
  Station station = two_disks();
  station.sets[0].max_age = {.months = 6};
  station.disks[0].disk.prepared = when("2024-11-01T12:00:00Z");
  station.disks[0].copies.push_back(test::some_copy("A", "20250924T030000Z"));
  station.disks[0].copies.push_back(test::some_copy("A", "20250824T030000Z"));
  const auto status = station.at("2026-11-10T12:00:00Z");
  CHECK(status.level == Level::good);
  CHECK_THAT(told(status.duties, "replace"), Catch::Contains("Disk A is in use since 2024-11-01"));
  CHECK_THAT(told(status.duties, "max age"),
             Catch::Contains("holds 2 copies of web that must go, the oldest of 2025-08-24"));
  CHECK_THAT(told(status.duties, "unread"), Catch::Contains("disk A was last read 14 months ago"));
  CHECK(status.disks[0].oldest_read == when("2025-08-24T05:00:00Z"));
}

TEST_CASE("a copy that will not fit is told when nothing can be pruned", "[rotation]") {
  Station station = two_disks();
  station.disks[0].disk.capacity = 1000;
  station.disks[0].disk.used = 900;
  station.disks[0].disk.next_copy = 100;
  CHECK(station.at("2026-11-10T12:00:00Z").disks[0].used == Approx(0.9));
  CHECK(station.at("2026-11-10T12:00:00Z").level == Level::good);
  station.disks[0].disk.next_copy = 101;
  CHECK_THAT(told(station.at("2026-11-10T12:00:00Z").notices, "no room"),
             Catch::StartsWith("warning A: The next copy will no longer fit"));
  station.disks[0].copies.push_back(test::some_copy("A", "20260824T030000Z"));
  CHECK_FALSE(station.at("2026-11-10T12:00:00Z").disks[0].next_fits);
  CHECK(told(station.at("2026-11-10T12:00:00Z").notices, "no room").empty());
}

TEST_CASE("open alarms of the ledger are told with their severity", "[rotation]") {
  Station station = two_disks();
  ledger::AlarmRow alarm;
  alarm.kind = "tripwire";
  alarm.disk = "A";
  alarm.message = "Too many files vanished.";
  station.alarms = {alarm};
  auto status = station.at("2026-11-10T12:00:00Z");
  CHECK_THAT(told(status.notices, "tripwire"),
             Catch::StartsWith("alarm A: Too many files vanished. Take note with `rota disk accept "
                               "A"));
  CHECK(status.disks[0].level == Level::alarm);
  station.alarms[0].severity = ledger::Severity::warning;
  CHECK(station.at("2026-11-10T12:00:00Z").level == Level::warning);
  station.alarms[0].acknowledged = when("2026-11-10T11:00:00Z");
  CHECK(station.at("2026-11-10T12:00:00Z").level == Level::good);
}

TEST_CASE("a clock that went back is an alarm, and no age is negative", "[rotation]") {
  const auto status = two_disks().at("2026-10-01T12:00:00Z");
  CHECK_THAT(told(status.notices, "clock"),
             Catch::Contains("says 2026-10-01 12:00, but something was recorded at 2026-10-26"));
  CHECK(status.disks[0].newest_age >= 0s);
  CHECK_FALSE(status.disks[1].newest_age);  // its copy is of the future
  CHECK_FALSE(status.worst.age);
}

TEST_CASE("a copy from a night with a clock years ahead moves no turn", "[rotation]") {
  Station station = two_disks();
  station.disks[0].copies.push_back(some_copy("A", "20361124T030000Z"));
  const auto now = "2026-11-10T12:00:00Z";
  const auto status = station.at(now);
  CHECK(status.sets[0].due == when("2026-11-24T03:00:00Z"));
  CHECK(status.sets[0].next_disk == "A");
  CHECK(status.disks[0].newest->snapshot == "20260924T030000Z");
  CHECK(rotation::next_disk(station.sets, "monthly", station.disks, when(now)) == "A");
  station.disks.erase(station.disks.begin() + 1);
  station.disks[0].copies.erase(station.disks[0].copies.begin());
  CHECK(station.at(now).sets[0].due == station.disks[0].disk.prepared);
}

TEST_CASE("the clock is an alarm until somebody took note of what it left", "[rotation]") {
  Station station = two_disks();
  station.disks[0].copies.push_back(some_copy("A", "20361124T030000Z"));
  station.disks[0].observation->time = when("2036-11-24T04:00:00Z");
  const auto clock = [&] { return told(station.at("2026-11-10T12:00:00Z").notices, "clock"); };
  CHECK_THAT(clock(), Catch::StartsWith("alarm"));
  ledger::AlarmRow alarm;
  alarm.kind = "tripwire";
  alarm.what = rotation::kClockTripwire;
  alarm.details = {rotation::detail_of(when("2036-11-24T03:00:00Z"), "copy on disk A")};
  station.known_wrong = rotation::known_wrong(std::vector{alarm});
  CHECK_FALSE(clock().empty());
  alarm.acknowledged = when("2026-11-10T11:00:00Z");
  station.known_wrong = rotation::known_wrong(std::vector{alarm});
  CHECK(clock().empty());  // nor of what the same clock said an hour later
  station.disks[0].observation->time = when("2036-11-26T04:00:00Z");
  CHECK_FALSE(clock().empty());
}

TEST_CASE("a disk whose job failed and that stays connected is an open gap, too", "[rotation]") {
  for (const Observed state :
       {Observed::suspect, Observed::damaged, Observed::full, Observed::interrupted}) {
    Station station = two_disks();
    station.disks[0].claim_holds = false;
    station.disks[0].observation = seen("A", state, "2026-11-10T12:00:00Z");
    station.connected = std::vector<std::string>{"A"};
    const auto stays = [&](const char* now) {
      return told(station.at(now).notices, "still connected");
    };
    CHECK(stays("2026-11-10T13:59:00Z").empty());
    CHECK_THAT(stays("2026-11-11T12:01:00Z"), Catch::StartsWith("alarm A: Disk A is "));
    CHECK(station.at("2026-11-11T12:01:00Z").disks[0].word == ledger::word(state));
    station.connected = std::vector<std::string>{"A", "B"};
    CHECK_FALSE(told(station.at("2026-11-10T12:01:00Z").notices, "two connected").empty());
    station.connected = std::vector<std::string>{};
    CHECK(stays("2026-11-11T12:01:00Z").empty());
    // Where nobody may look, one that was pulled out is not said to be there.
    station.connected.reset();
    CHECK(stays("2026-11-11T12:01:00Z").empty() == (state == Observed::interrupted));
  }
}

TEST_CASE("a job that was killed before its disk was pulled out was interrupted", "[rotation]") {
  for (const Observed state : {Observed::copying, Observed::verifying, Observed::sealed}) {
    Station station = two_disks();
    station.disks[0].claim_holds = false;
    station.disks[0].observation = seen("A", state, "2026-11-10T12:00:00Z");
    station.connected = std::vector<std::string>{"A"};
    CHECK(station.at("2026-11-10T13:00:00Z").disks[0].word == "connected");
    station.connected = std::vector<std::string>{};
    CHECK(station.at("2026-11-10T13:00:00Z").disks[0].word == "interrupted");
    CHECK(station.at("2026-11-10T13:00:00Z").disks[0].symbol == '!');
  }
}

TEST_CASE("without disks only a rotation that is configured is wrong", "[rotation]") {
  Station station;
  CHECK(station.at("2026-11-10T12:00:00Z").level == Level::good);
  CHECK_THAT(told(station.at("2026-11-10T12:00:00Z").duties, "no disk"),
             Catch::Contains("rota disk prepare"));
  station.written = true;
  CHECK(station.at("2026-11-10T12:00:00Z").level == Level::alarm);
}

TEST_CASE("disks that the file names and nobody prepared are told", "[rotation]") {
  Station station = two_disks();
  station.sets[0].disks = {"A", "B", "C"};
  auto status = station.at("2026-11-10T12:00:00Z");
  CHECK(status.level == Level::good);
  CHECK_THAT(told(status.duties, "not prepared"),
             Catch::StartsWith("good C: Disk C of the set monthly was not prepared yet"));
  rotation::SetPolicy other;
  other.name = "other";
  other.disks = {"D"};
  station.sets.push_back(other);
  CHECK_THAT(told(station.at("2026-11-10T12:00:00Z").notices, "no disk"),
             Catch::StartsWith("alarm : The set other has no disk in turn"));
}

TEST_CASE("a disk that no set names is told, and each set has its own turn", "[rotation]") {
  Station station = two_disks();
  station.sets[0].disks = {"A"};
  CHECK_THAT(told(station.at("2026-11-10T12:00:00Z").notices, "no set"),
             Catch::StartsWith("warning B: Disk B belongs to no set"));
  rotation::SetPolicy weekly;
  weekly.name = "weekly";
  weekly.interval = {.days = 7};
  station.sets.push_back(weekly);
  const auto status = station.at("2026-11-10T12:00:00Z");
  CHECK(told(status.notices, "no set").empty());
  CHECK(status.sets[1].next_disk == "B");
  CHECK(status.sets[1].due == when("2026-10-31T03:00:00Z"));
}

TEST_CASE("who asks about one server hears of the others' disks only", "[rotation]") {
  Station station = two_disks();
  station.servers = {"web", "mail"};
  ledger::AlarmRow of_disk;
  of_disk.kind = "damaged copy";
  of_disk.disk = "B";
  of_disk.server = "mail";
  ledger::AlarmRow of_nobody = of_disk;
  of_nobody.disk.clear();
  of_nobody.server = "old";  // no profile any more: who else would tell it?
  station.alarms = {of_disk, of_nobody};
  const auto all = station.at("2026-11-10T12:00:00Z");
  station.told = {"web"};
  const auto web = station.at("2026-11-10T12:00:00Z");
  CHECK(web.sets[0].due == all.sets[0].due);
  CHECK(web.disks[1].due == all.disks[1].due);
  REQUIRE(web.exposures.size() == 1);
  CHECK(web.worst.server == "web");
  CHECK(all.worst.server == "mail");
  CHECK(web.drills.size() == 1);
  CHECK_FALSE(told(all.notices, "no copy off site").empty());
  CHECK(told(web.notices, "no copy off site").empty());
  CHECK(web.notices.size() == 2);
  CHECK(web.disks[1].level == Level::alarm);
  station.alarms.clear();
  CHECK(station.at("2026-11-10T12:00:00Z").level == Level::good);
}
