#include <catch2/catch.hpp>
#include <string>

#include "rotation/disks.h"

using namespace rota;
using namespace std::chrono_literals;
using ledger::Claimed;
using ledger::DiskEnd;
using test::away;
using test::claimed;
using test::here;
using test::some_copy;
using test::Station;
using test::when;

namespace {

const std::string kNow = "2026-11-22T03:00:00Z";
const std::string kNothing =
    "If everything online vanished now, there would be nothing to go back to: ";

rotation::Exposure worst(std::vector<ledger::DiskState> disks) {
  Station station;
  station.disks = std::move(disks);
  return station.at(kNow).worst;
}

}  // namespace

TEST_CASE("without any copy there is nothing to go back to", "[exposure]") {
  const auto result = worst({});
  CHECK_FALSE(result.any_offsite_copy);
  CHECK_FALSE(result.falls_back_to);
  CHECK_FALSE(result.age);
  CHECK(result.sentence == kNothing + "no rotation disk holds a copy yet.");
}

TEST_CASE("the newest copy that is verified and off site decides", "[exposure]") {
  REQUIRE(test::kUtc);
  auto unverified = away("D", "20261120T030000Z", "2026-11-20T10:00:00Z");
  unverified.copies.front().verified = false;
  const auto result = worst({away("A", "20260924T030000Z", "2026-09-25T10:00:00Z"),
                             away("B", "20261024T030000Z", "2026-10-25T10:00:00Z"),
                             here("C", "20261121T030000Z", "2026-11-21T10:00:00Z"), unverified});
  CHECK(result.any_offsite_copy);
  CHECK(result.falls_back_to == when("2026-10-24T03:00:00Z"));
  CHECK(result.age == std::chrono::seconds(29 * 24h));
  CHECK(result.disk == "B");
  CHECK(
      result.sentence ==
      "If everything online vanished now, you would go back to 2026-10-24 03:00 (29 days ago): "
      "disk B, sealed and verified, off site at 'place of B' since 2026-10-25 by the word of jo.");
}

TEST_CASE("a copy that a later check found bad is damaged, and does not count", "[exposure]") {
  auto disk = away("B", "20261024T030000Z", "2026-10-25T10:00:00Z");
  disk.copies.front().last_verified = when("2026-10-26T10:00:00Z");
  disk.copies.front().last_good = false;
  const std::string sentence =
      kNothing +
      "the copy of 2026-10-24 03:00 on disk B is damaged; most of its files may still be read. "
      "Make another copy: plug a rotation disk in and leave it until it is safe to remove.";
  CHECK(worst({disk}).sentence == sentence);
  disk.copies.front().state = ledger::CopyState::damaged;  // as Disks::add_check() makes it
  disk.copies.front().last_good = true;  // a good scrub, which does not read what was bad
  CHECK(worst({disk}).sentence == sentence);
  CHECK_FALSE(worst({disk}).any_offsite_copy);
  // What nobody verified lacks less, though it is older.
  auto unverified = away("A", "20260924T030000Z", "2026-09-25T10:00:00Z");
  unverified.copies.front().verified = false;
  CHECK_THAT(worst({disk, unverified}).sentence, Catch::Contains("on disk A is not verified"));
}

TEST_CASE("lost and retired disks do not count, a held one does", "[exposure]") {
  auto disk = away("B", "20261024T030000Z", "2026-10-25T10:00:00Z");
  disk.disk.end_time = when("2026-11-01T10:00:00Z");
  for (const DiskEnd end : {DiskEnd::lost, DiskEnd::retired}) {
    disk.disk.end = end;
    CHECK_FALSE(worst({disk}).any_offsite_copy);
  }
  disk.disk.end = DiskEnd::held;
  CHECK(worst({disk}).any_offsite_copy);
}

TEST_CASE("a copy that does not count is told with what it lacks", "[exposure]") {
  auto disk = here("B", "20261024T030000Z", "2026-10-25T10:00:00Z");
  CHECK(worst({disk}).sentence ==
        kNothing +
            "the copy of 2026-10-24 03:00 on disk B is not off site; take the disk there, and "
            "say so with `rota disk move B off-site --place PLACE --by NAME`.");
  auto other = away("A", "20261120T030000Z", "2026-11-20T10:00:00Z");
  other.copies.front().verified = false;
  // The verified one lacks least, though it is older.
  CHECK_THAT(worst({disk, other}).sentence, Catch::Contains("on disk B is not off site"));
  CHECK_THAT(worst({other}).sentence, Catch::Contains("on disk A is not verified"));
  disk.claim = claimed("B", Claimed::in_transit_out, "2026-11-21T10:00:00Z");
  disk.claim_holds = true;
  CHECK_THAT(worst({disk}).sentence, Catch::Contains("is in transit since 2026-11-21"));
}

TEST_CASE("a claim that the machine's own eyes refuted does not count", "[exposure]") {
  auto disk = away("B", "20261024T030000Z", "2026-10-25T10:00:00Z");
  disk.claim_holds = false;
  CHECK_FALSE(worst({disk}).any_offsite_copy);
  disk.claim_holds = true;
  Station station;
  station.disks = {disk};
  station.connected = std::vector<std::string>{"B"};
  CHECK_FALSE(station.at(kNow).worst.any_offsite_copy);
  CHECK(station.at(kNow).disks.front().word == "connected");
}

TEST_CASE("nothing is known of the age of a copy from the future", "[exposure]") {
  auto disk = away("B", "20361124T030000Z", "2026-10-25T10:00:00Z");
  const auto unknown = worst({disk});
  CHECK_FALSE(unknown.any_offsite_copy);
  CHECK_FALSE(unknown.age);
  CHECK_THAT(unknown.sentence, Catch::Contains("2036-11-24 03:00 on disk B is later than this "
                                               "machine's clock"));
  disk.copies.push_back(some_copy("B", "20261024T030000Z"));
  const auto known = worst({disk});
  CHECK(known.any_offsite_copy);
  CHECK(known.falls_back_to == when("2026-10-24T03:00:00Z"));
}

TEST_CASE("each server has its exposure, and the worst one is the headline", "[exposure]") {
  auto disk = away("B", "20261024T030000Z", "2026-10-25T10:00:00Z");
  disk.copies.push_back(some_copy("B", "20260824T030000Z", "mail"));
  Station station;
  station.disks = {disk};
  station.servers = {"web", "mail"};
  auto status = station.at(kNow);
  REQUIRE(status.exposures.size() == 2);
  CHECK(status.exposures[0].falls_back_to == when("2026-10-24T03:00:00Z"));
  CHECK(status.worst.server == "mail");
  CHECK_THAT(status.worst.sentence, Catch::Contains("mail would go back to 2026-08-24 03:00"));
  station.servers.push_back("new");
  status = station.at(kNow);
  CHECK(status.worst.server == "new");
  CHECK_THAT(test::told(status.notices, "no copy off site"),
             Catch::Contains("nothing of new to go back to"));
}
