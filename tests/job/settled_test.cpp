// What the ledger and the disk say of each other after damage, a crash, or an interruption.

#include <catch2/catch.hpp>
#include <fstream>

#include "base/error.h"
#include "disk/copies.h"
#include "job/rotation_status.h"
#include "job/station.h"
#include "support/skip.h"

namespace rota::test {

namespace {

using End = job::ServerCopy::End;
using std::chrono::hours;

std::string part(Station& station) { return station.disk().partition(1); }

/// Alters the bytes of a file on the medium, wherever they lie; true when they were found.
bool damage(Station& station, const std::string& content) {
  station.unplug();
  std::fstream image(station.disk().image(), std::ios::in | std::ios::out | std::ios::binary);
  const std::string all((std::istreambuf_iterator<char>(image)), {});
  bool found = false;
  for (auto at = all.find(content); at != std::string::npos; at = all.find(content, at + 1)) {
    if (at % 1024 != 0) continue;  // files begin with a block
    image.seekp(static_cast<std::streamoff>(at));
    image.put('X');
    found = true;
  }
  image.close();
  station.plug_in();
  return found;
}

std::vector<job::DiskCare::Verified> verify(Station& station) {
  job::DiskCare care(station.places(), udev::real_devices(), station.name(), {}, nullptr,
                     station.around());
  return care.verify("web", false);
}

job::AttachReport attach_without_scrub(Station& station) {
  job::AttachOptions options;
  options.disk = station.name();
  options.scrub_budget = std::chrono::seconds(0);
  return job::attach(station.places(), udev::real_devices(), options, nullptr, station.around());
}

/// The state of this machine as it was kept, but that its ledger had announced the token which the
/// disk has now: the power went between a seal and its record.
void take_state_back(Station& station, const std::string& kept) {
  std::filesystem::remove_all(station.places().state);
  Station::keep(kept, station.places().state);
  {
    disk::DiskMount mount(part(station), "ext4", disk::MountMode::read_only);
    const auto identity = disk::read_identity(mount.fd());
    ledger::Ledger ledger(station.places().state + "/ledger.db");
    ledger::Disks(ledger).announce_token(station.name(), disk::token_hash(identity->token),
                                         station.clock.now());
  }
}

}  // namespace

TEST_CASE("what a verification found damaged is written anew by the next copy", "[settled]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  Station station;
  station.restore();
  REQUIRE(station.attach().all_sealed());
  REQUIRE(damage(station, "first 15"));
  const auto bad = verify(station);
  REQUIRE(bad.size() == 1);
  CHECK_FALSE(bad.front().check.good());
  CHECK(bad.front().noted);
  station.clock.sleep(hours(24), {});
  CHECK(attach_without_scrub(station).all_sealed());
  CHECK(verify(station).front().check.good());
}

TEST_CASE("nothing is written to a held disk, also when it is damaged", "[settled]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  Station station;
  station.restore();
  REQUIRE(damage(station, "first 15"));
  {
    ledger::Ledger ledger(station.places().state + "/ledger.db");
    ledger::Disks(ledger).end(station.name(), ledger::DiskEnd::held, "evidence", "jo",
                              station.clock.now());
  }
  const auto bad = verify(station);
  CHECK_FALSE(bad.front().check.good());
  CHECK_FALSE(bad.front().noted);
  disk::DiskMount mount(part(station), "ext4", disk::MountMode::read_only);
  CHECK_FALSE(std::filesystem::exists(mount.path() + "/rota/web/damaged"));
}

TEST_CASE("no copy that shares what a scrub found damaged is relied on", "[settled]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  Station station;
  station.restore();
  REQUIRE(station.attach().all_sealed());
  REQUIRE(damage(station, "first 15"));  // the first copy wrote it, the second links to it
  {
    job::DiskCare care(station.places(), udev::real_devices(), station.name(), {}, nullptr,
                       station.around());
    care.scrub(hours(5));
  }
  ledger::Ledger ledger(station.places().state + "/ledger.db");
  ledger::Disks disks(ledger);
  const auto copies = disks.copies(station.name());
  REQUIRE(copies.size() == 2);
  for (const ledger::CopyRow& copy : copies) {
    CHECK_FALSE(copy.counts());
    CHECK(copy.state == ledger::CopyState::damaged);
    CHECK(disks.checks(station.name(), "web", copy.snapshot).back().what ==
          ledger::CheckKind::scrub);
  }
  REQUIRE(station.alarms().size() == 1);
  CHECK_THAT(station.alarms().front().message,
             Catch::StartsWith("Damage in 1 file of copies of web was found") &&
                 Catch::Contains("2 copies shared it, the newest among them"));
  station.clock.sleep(hours(24), {});
  CHECK(station.attach().all_sealed());
  CHECK(disks.copies(station.name()).back().counts());
}

TEST_CASE("only the copies with the damaged file are marked", "[settled]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  Station station;
  station.restore();
  REQUIRE(station.attach().all_sealed());
  REQUIRE(damage(station, "first 5"));  // the second copy has another
  {
    job::DiskCare care(station.places(), udev::real_devices(), station.name(), {}, nullptr,
                       station.around());
    care.scrub(hours(5));
  }
  ledger::Ledger ledger(station.places().state + "/ledger.db");
  const auto copies = ledger::Disks(ledger).copies(station.name());
  CHECK_FALSE(copies.front().counts());
  CHECK(copies.back().counts());
}

TEST_CASE("a seal that the ledger hears of later uses up a person's word, too", "[settled]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  const bool unknown = GENERATE(false, true);
  INFO((unknown ? "the ledger is from before the copy" : "the ledger knows that it was begun"));
  Station station;
  station.restore();
  for (int i = 200; i < 300; ++i) station.write(i, "more");
  REQUIRE(station.attach().all_sealed());
  station.clock.sleep(hours(1), {});
  const auto remove = [&](int from, int to) {
    for (int i = from; i < to; ++i) {
      std::filesystem::remove(station.source() + "/file" + std::to_string(i));
    }
  };
  remove(200, 240);
  REQUIRE(station.attach().any(End::held));
  station.accept();
  station.clock.sleep(hours(1), {});
  // The power goes between the seal and its record.
  const std::string kept = station.places().state + ".kept";
  const std::string step = unknown ? "survey" : "seal";
  REQUIRE(station
              .attach([&](const job::DiskEvent& event) {
                if (event.step == step && event.state == "begins") {
                  Station::keep(station.places().state, kept);
                }
              })
              .all_sealed());
  take_state_back(station, kept);
  station.clock.sleep(hours(24 * 30), {});
  remove(240, 268);  // no more than was accepted covers: only that it is used up keeps it
  CHECK(station.attach().any(End::held));
}

TEST_CASE("an old copy that the ledger did not know leaves alone what was held behind it",
          "[settled]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  Station station;
  const std::string kept = station.places().state + ".kept";
  station.restore();
  Station::keep(station.places().state, kept);
  REQUIRE(station.attach().all_sealed());
  // A ledger from before that copy; a tripwire is recorded in it later.
  take_state_back(station, kept);
  station.clock.sleep(hours(24), {});
  {
    ledger::Ledger ledger(station.places().state + "/ledger.db");
    ledger::AlarmRow alarm;
    alarm.kind = "tripwire";
    alarm.disk = station.name();
    alarm.server = "web";
    alarm.opened = station.clock.now();
    alarm.message = "held";
    ledger::Disks(ledger).open_alarm(alarm);
  }
  job::AttachOptions options;
  options.disk = station.name();
  bool open_at_survey = false;
  station.attach([&](const job::DiskEvent& event) {
    if (event.step == "survey" && event.state == "begins") {
      open_at_survey = station.alarms().size() == 1;
    }
  });
  CHECK(station.copies().size() == 3);  // it was taken up
  CHECK(open_at_survey);
  CHECK(station.alarms().empty());  // the copy of this time settles it
}

TEST_CASE("a copy whose removal was interrupted is not told as stolen", "[settled]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  Station station;
  station.restore();
  REQUIRE(station.attach().all_sealed());
  {
    disk::DiskMount mount(part(station), "ext4", disk::MountMode::read_write);
    const std::string oldest = disk::list_copies(mount.fd()).front().directory;
    base::Progress progress;
    disk::set_aside(mount.fd(), "web", oldest, progress, {});
    mount.close();
  }
  station.clock.sleep(hours(24), {});
  CHECK(station.attach().all_sealed());
  CHECK(station.alarms().empty());
  CHECK(station.copies().size() == 2);
}

TEST_CASE("a copy that somebody removed is told", "[settled]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  Station station;
  station.restore();
  REQUIRE(station.attach().all_sealed());
  {
    disk::DiskMount mount(part(station), "ext4", disk::MountMode::read_write);
    const std::string oldest = disk::list_copies(mount.fd()).front().directory;
    std::filesystem::remove_all(mount.path() + "/rota/web/" + oldest);
    mount.close();
  }
  station.clock.sleep(hours(24), {});
  CHECK(station.attach().all_sealed());
  REQUIRE(station.alarms().size() == 1);
  CHECK(station.alarms().front().kind == "missing copy");
}

}  // namespace rota::test
