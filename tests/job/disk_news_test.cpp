#include "job/disk_news.h"

#include <catch2/catch.hpp>

#include "base/error.h"
#include "disk/lock.h"
#include "job/plug_in.h"
#include "ledger/disk_samples.h"
#include "ledger/disks.h"
#include "support/fake_device_probe.h"
#include "support/files.h"
#include "support/quick_clock.h"

namespace rota::test {

namespace {

/// A machine on which somebody is logged in.
class LoggedIn final : public base::ProcessRunner {
 public:
  std::string told;

  base::ProcessResult run(const base::Command& command) override {
    if (command.argv.front() == "wall") told += command.input;
    return {0, command.argv.front() == "who" ? "jo tty1\n" : ""};
  }
};

/// A known disk at a port, with another rota that works on it.
struct Held {
  TempDir dir;
  profile::Places places{dir / "config", dir / "state", dir / "cache", dir / "run"};
  FakeDeviceProbe probe;
  QuickClock clock;
  LoggedIn processes;
  base::CollectedWarnings warnings;
  base::Progress progress;
  std::optional<base::LockFile> lock;
  std::stop_source stop;

  Held() {
    write(dir / "config/rotation.toml", "[notify]\nmail = \"\"\n");
    ledger::Ledger ledger(places.ledger());
    ledger::DiskRow row = some_disk("A");
    ledger::Disks(ledger).add(row, clock.now());
    udev::BlockDevice device;
    device.node = device.disk_node = "/dev/sdb1";
    device.label = "ROTA-A";
    device.uuid = row.uuid;
    device.fs_type = "ext4";
    device.sequence = 7;
    probe.list.push_back(device);
    lock.emplace(disk::lock_disk(places.run, "A"));
  }

  std::optional<base::ErrorKind> attach(job::StartedBy started_by) {
    job::AttachOptions options;
    options.disk = "/dev/sdb1";
    try {
      job::attach_and_tell(places, probe, options, started_by, false, [](const job::Message&) {},
                           nullptr, {clock, processes, warnings, progress, stop.get_token()});
      return std::nullopt;
    } catch (const base::Error& error) {
      return error.kind();
    }
  }
};

}  // namespace

TEST_CASE("a disk that another rota never lets go of is told, after a long time", "[news]") {
  Held held;
  CHECK(held.attach(job::StartedBy::udev) == base::ErrorKind::locked);
  CHECK(held.clock.slept() >= std::chrono::hours(12));
  CHECK_THAT(held.processes.told,
             Catch::Contains("disk A: failed") && Catch::Contains("is working on the disk A"));
}

TEST_CASE("who types the command reads that another rota works on the disk, at once", "[news]") {
  Held held;
  CHECK(held.attach(job::StartedBy::person) == base::ErrorKind::locked);
  CHECK(held.clock.slept() == std::chrono::hours(0));
  CHECK(held.processes.told.empty());
}

TEST_CASE("a job that waited for one with the same plug-in has nothing to do", "[news]") {
  Held held;
  job::note_plug_in(held.places, "A", held.probe.list.front(), held.warnings);
  held.lock.reset();
  CHECK_FALSE(held.attach(job::StartedBy::watch));
  CHECK(held.processes.told.empty());
}

TEST_CASE("a disk that vanishes while its label is read is told to nobody", "[news]") {
  Held held;
  held.lock.reset();
  held.probe.list.front().label = "";  // the medium is gone, and the device not yet
  held.clock.when_slept = [&] {
    if (held.clock.slept() >= std::chrono::seconds(1)) held.probe.list.clear();
  };
  CHECK(held.attach(job::StartedBy::udev) == base::ErrorKind::not_found);
  CHECK(held.processes.told.empty());
}

TEST_CASE("a ledger that cannot be read is told", "[news]") {
  Held held;
  held.lock.reset();
  write(held.dir / "state/ledger.db", "no database");
  CHECK(held.attach(job::StartedBy::udev));
  CHECK_THAT(held.processes.told, Catch::Contains("disk A: failed"));
}

TEST_CASE("a killed job is that of the disk that was worked on last at the node", "[news]") {
  Held held;
  held.probe.list.clear();  // it was pulled out, too
  const auto see = [&](const std::string& name, ledger::Observed state) {
    ledger::Ledger ledger(held.places.ledger());
    ledger::ObservationRow row;
    row.disk = name;
    row.time = held.clock.now();
    row.state = state;
    row.device = "/dev/sdb1";
    ledger::Disks(ledger).observe(row);
  };
  {
    ledger::Ledger ledger(held.places.ledger());
    for (const char* name : {"B", "C"}) {
      ledger::DiskRow row = some_disk(name);
      ledger::Disks(ledger).add(row, held.clock.now());
    }
  }
  const auto killed = [&] {
    return job::killed(held.places, held.probe, "/dev/sdb1", "", "it was killed by signal 9",
                       {held.clock, held.processes, held.warnings, held.progress, {}})
        .disk;
  };
  see("C", ledger::Observed::copying);  // killed long ago, with nobody to tell of it
  see("B", ledger::Observed::copying);
  see("A", ledger::Observed::interrupted);
  CHECK(killed() == "B");
  ledger::Ledger ledger(held.places.ledger());
  CHECK(ledger::Disks(ledger).last_observation("B")->state == ledger::Observed::interrupted);
  CHECK(ledger::Disks(ledger).last_observation("C")->state == ledger::Observed::copying);
}

}  // namespace rota::test
