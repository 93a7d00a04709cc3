// What happens to a disk while a job works on it: earlier copies stay whole, the ledger names the
// state, and the next plug-in is right.

#include <catch2/catch.hpp>

#include <functional>

#include "base/error.h"
#include "base/sqlite.h"
#include "job/station.h"
#include "support/skip.h"

namespace rota::test {

namespace {

/// The steps of a whole job, as its events name them.
std::vector<std::string> steps(Station& station) {
  std::vector<std::string> begun;
  station.attach([&](const job::DiskEvent& event) {
    if (event.state == "begins") begun.push_back(event.step);
  });
  return begun;
}

/// The real devices, until the disk is pulled out: then the kernel knows it no more, which a loop
/// device does not show.
class Ports final : public udev::DeviceProbe {
 public:
  std::vector<udev::BlockDevice> devices() override {
    if (gone) return {};
    std::vector<udev::BlockDevice> there = udev::real_devices().devices();
    if (when_listed) when_listed();
    return there;
  }
  std::optional<udev::BlockDevice> find(const std::string& node) override {
    if (gone) return std::nullopt;
    auto device = udev::real_devices().find(node);
    if (device && looks_until_another == 0) ++device->sequence;
    if (device && looks_until_another > 0) --looks_until_another;
    return device;
  }
  bool gone = false;
  int looks_until_another = -1;  ///< then another disk is at the node; -1: never
  std::function<void()> when_listed;
};

}  // namespace

TEST_CASE("a disk that is pulled out before it is recognised is one that is not there",
          "[attach]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  Station station;
  station.restore();
  Ports ports;
  ports.when_listed = [&] {
    ports.gone = true;
    station.disk().yank();
  };
  try {
    station.attach({}, {}, ports);
    FAIL("the disk was not missed");
  } catch (const base::Error& error) {
    INFO(error.what());
    CHECK(error.kind() == base::ErrorKind::not_found);
    CHECK(std::string(error.what()).find("before it was recognised") != std::string::npos);
  }
  CHECK(station.alarms().empty());
  station.disk().push_in();
  station.unplug();
  station.plug_in();
  station.clock.sleep(std::chrono::hours(1), {});
  CHECK(station.attach().all_sealed());
  station.check(2);
}

TEST_CASE("a ledger that somebody holds for a while does not end a copy", "[attach]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  Station station;
  station.restore();
  base::Database other(station.places().ledger());
  bool held = false;
  station.clock.when_slept = [&] {
    if (!held || station.clock.slept() < std::chrono::minutes(10)) return;
    other.execute("ROLLBACK");
    held = false;
  };
  const auto report = station.attach([&](const job::DiskEvent& event) {
    if (event.step != "copy" || event.state != "begins") return;
    other.execute("BEGIN IMMEDIATE");
    held = true;
  });
  CHECK(report.all_sealed());
  CHECK(station.clock.slept() >= std::chrono::minutes(10));
  station.clock.when_slept = nullptr;
  station.check(2);
}

TEST_CASE("a disk that is pulled out while it is read is not taken for damaged", "[attach]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  const std::string step = GENERATE(as<std::string>{}, "read back", "scrub");
  INFO(step);
  Station station;
  station.restore();
  Ports ports;
  try {
    station.attach(
        [&](const job::DiskEvent& event) {
          if (event.state != "begins" || event.step != step) return;
          ports.gone = true;
          station.disk().yank();
        },
        {}, ports);
    FAIL("the disk was not missed");
  } catch (const job::PulledOut& error) {
    const bool sealed =
        std::string(error.what()).find("The new copy is sealed") != std::string::npos;
    CHECK(sealed == (step == "scrub"));
  }
  CHECK(station.bad_checks() == 0);
  CHECK(station.alarms().empty());
  CHECK(station.state() == ledger::Observed::interrupted);
  station.disk().push_in();
  station.unplug();
  station.plug_in();
  station.clock.sleep(std::chrono::hours(1), {});
  CHECK(station.attach().all_sealed());
  station.check(step == "scrub" ? 3 : 2);
}

TEST_CASE("a disk that is pulled out when a step begins is gone on with", "[attach]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  Station station;
  station.restore();
  const std::vector<std::string> all = steps(station);
  REQUIRE(std::ranges::find(all, "read back") != all.end());
  int failures = 0;
  for (const std::string& step : all) {
    // The disk is let go of by then, and need not be there.
    if (step == "power down") continue;
    INFO("pulled out before " << step);
    station.restore();
    bool pulled = false;
    bool failed = false;
    try {
      station.attach([&](const job::DiskEvent& event) {
        if (pulled || event.state != "begins" || event.step != step) return;
        pulled = true;
        station.disk().yank();
      });
    } catch (const base::Error& error) {
      failed = true;
      INFO(error.what());
      CHECK(error.kind() != base::ErrorKind::refused);
    }
    CHECK(pulled);
    station.disk().push_in();
    station.unplug();
    station.plug_in();
    if (failed) {
      ++failures;
      const ledger::Observed state = station.state();
      CHECK((state == ledger::Observed::interrupted || state == ledger::Observed::damaged));
    }
    station.clock.sleep(std::chrono::hours(1), {});
    const job::AttachReport report = station.attach();
    CHECK(report.all_sealed());
    station.check(report.copies.front().summary.record.changed == 0 ? 3 : 2);
  }
  CHECK(failures >= 5);  // a yank that nobody notices tests nothing
}

TEST_CASE("a disk that takes no more writes fails clearly and is gone on with", "[attach]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  Station station;
  station.restore();
  station.disk().set_read_only(true);
  try {
    station.attach();
    FAIL("it was written to");
  } catch (const base::Error& error) {
    INFO(error.what());
    CHECK(error.kind() != base::ErrorKind::corrupt);
  }
  station.disk().set_read_only(false);
  station.attach();
  station.check(2);
}

TEST_CASE("two copies within one second of this machine are two copies", "[attach]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  Station station;
  station.restore();
  const auto pauses = station.clock.pauses().size();
  CHECK(station.attach().all_sealed());
  const job::AttachReport second = station.attach();
  CHECK_FALSE(second.any(job::ServerCopy::End::up_to_date));
  CHECK(station.clock.pauses().size() > pauses);  // the clock stands still but for those
  station.check(3);
}

TEST_CASE("who stops the reading of older copies has the new copy all the same", "[attach]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  Station station;
  station.restore();
  std::stop_source stop;
  const job::AttachReport report = station.attach(
      [&](const job::DiskEvent& event) {
        if (event.step == "scrub" && event.state == "begins") stop.request_stop();
      },
      stop.get_token());
  CHECK(stop.stop_requested());
  CHECK(report.all_sealed());
  CHECK(report.safe_to_unplug);
  CHECK(station.warnings.list.back().second.find("older copies were not read") == 0);
  station.check(2);
}

TEST_CASE("a clock that went back holds the copy until a person has looked", "[attach]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  Station station;
  station.restore();
  station.clock.sleep(-std::chrono::hours(24 * 40), {});
  const job::AttachReport report = station.attach();
  REQUIRE(report.copies.size() == 1);
  CHECK(report.copies.front().end == job::ServerCopy::End::held);
  CHECK(report.copies.front().tripwires.front().kind == "clock");
  CHECK(report.pruned.empty());
  CHECK(station.state() == ledger::Observed::suspect);
  station.clock.sleep(std::chrono::hours(24 * 40), {});
  station.unplug();
  station.plug_in();
  CHECK(station.attach().all_sealed());
  station.check(2);
}

TEST_CASE("two seals in a row that lose their power leave the disk known", "[attach]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  Station station;
  station.restore();
  station.lose_power_in_seal();
  station.lose_power_in_seal();
  CHECK(station.attach().all_sealed());
  CHECK(station.alarms().empty());
  station.check(2);
}

TEST_CASE("a copy that was sealed and not recorded is taken up by whoever reads it", "[attach]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  Station station;
  station.restore();
  station.lose_record_of_seal();
  CHECK(station.verify().size() == 2);
  station.check(2);
}

TEST_CASE("a serial number that changed is an alarm until a person accepts it", "[attach]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  Station station;
  station.restore();
  station.forget_serial();
  try {
    station.attach();
    FAIL("the serial number was not missed");
  } catch (const base::Error& error) {
    CHECK(error.kind() == base::ErrorKind::refused);
    CHECK(std::string(error.what()).find("--accept-serial") != std::string::npos);
  }
  REQUIRE(station.alarms().size() == 1);
  station.session_options.accept_serial = true;
  CHECK(station.attach().all_sealed());
  CHECK(station.alarms().empty());
}

namespace {

/// What the disk says of itself.
std::string token_of(Station& station, const std::string& write = "") {
  disk::DiskMount mount(station.disk().partition(1), "ext4",
                        write.empty() ? disk::MountMode::untouched : disk::MountMode::read_write);
  disk::Identity identity = *disk::read_identity(mount.fd());
  if (!write.empty()) disk::replace_token(mount.fd(), identity, write);
  mount.close();
  return identity.token;
}

}  // namespace

TEST_CASE("nothing is written to another disk that came to the node", "[attach]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  const std::string step = GENERATE(as<std::string>{}, "mount", "seal");
  const int looks = GENERATE(0, 2);  // before it is mounted, and right before the kernel does that
  CAPTURE(step, looks);
  Station station;
  station.restore();
  const std::string before = token_of(station);
  Ports ports;
  CHECK_THROWS_AS(station.attach(
                      [&](const job::DiskEvent& event) {
                        if (event.step == step && event.state == "begins") {
                          ports.looks_until_another = looks;
                        }
                      },
                      {}, ports),
                  job::PulledOut);
  CHECK(token_of(station) == before);
  CHECK(station.copies().size() == (step == "mount" ? 1 : 2));
  CHECK(station.state() == ledger::Observed::interrupted);
}

TEST_CASE("a disk must say before each seal that it is the one", "[attach]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  Station station;
  station.restore();
  const std::string another = disk::new_token();
  try {
    station.attach([&](const job::DiskEvent& event) {
      if (event.step == "seal" && event.state == "begins") token_of(station, another);
    });
    FAIL("it was sealed");
  } catch (const base::Error& error) {
    CHECK(error.kind() == base::ErrorKind::refused);
  }
  CHECK(token_of(station) == another);
}

}  // namespace rota::test
