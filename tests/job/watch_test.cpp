#include "job/watch.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "disk/lock.h"

#include "ledger/disk_samples.h"
#include "support/fake_device_monitor.h"
#include "support/fake_device_probe.h"
#include "support/files.h"
#include "support/quick_clock.h"
#include "support/scripted_http.h"
#include "support/skip.h"

using namespace rota;
using namespace rota::test;
using namespace std::chrono_literals;
using ledger::Observed;

namespace {

/// Jobs that do nothing until the test ends them.
class FakeJobs final : public job::DiskJobs {
 public:
  std::vector<std::string> started;
  std::vector<std::string> stopped;
  std::vector<End> ends;

  void start(const std::string& disk, const std::string& node) override {
    started.push_back(disk + " " + node);
  }
  std::vector<End> ended() override { return std::exchange(ends, {}); }
  void stop(const std::string& disk) override { stopped.push_back(disk); }
  std::vector<End> finish() override {
    stopped.push_back("all");
    return ended();
  }
};

/// Writes down what everybody who is logged in would read, and what root is sent.
class Tellers final : public base::ProcessRunner {
 public:
  std::string told;
  std::string mailed;

  base::ProcessResult run(const base::Command& command) override {
    const std::string& program = command.argv.front();
    if (program == "who") return {0, "jo tty1\n"};
    CHECK((program == "wall" || program.ends_with("sendmail")));
    (program == "wall" ? told : mailed) += command.input;
    return {};
  }
};

struct Station {
  TempDir dir;
  profile::Places places{dir / "config", dir / "state", dir / "cache", dir / "run"};
  FakeDeviceProbe probe;
  FakeDeviceMonitor monitor;
  FakeJobs jobs;
  QuickClock clock;
  base::CollectedWarnings warnings;
  base::Progress progress;
  ScriptedHttp http;
  Tellers wall;
  std::stop_source stop;
  std::string said;
  ledger::Ledger ledger{places.ledger()};
  ledger::Disks disks{ledger};
  std::uint64_t sequence = 1;
  std::unique_ptr<job::Watcher> watcher;

  explicit Station(const std::vector<std::string>& known) {
    settings("[set.monthly]\nallow_fixed = true\n");
    for (const std::string& name : known) {
      ledger::DiskRow row = some_disk(name);
      row.uuid = "uuid of " + name;
      disks.add(row, clock.now());
    }
  }
  void settings(const std::string& sets, const std::string& notify = "mail = \"\"") {
    write(dir / "config/rotation.toml", sets + "[notify]\n" + notify + "\n");
  }
  void make() {
    watcher = std::make_unique<job::Watcher>(
        places, probe, monitor, jobs, http, job::WatchOptions{},
        [this](const std::string& line) { said += line + "\n"; },
        job::Surroundings{clock, wall, warnings, progress, stop.get_token()});
  }
  void begin() {
    make();
    watcher->start();
  }
  void add(const std::string& name, const std::string& node) {
    udev::BlockDevice device;
    device.node = device.disk_node = node;
    device.label = "ROTA-" + name;
    device.uuid = "uuid of " + name;
    device.fs_type = "ext4";
    device.sequence = sequence++;
    probe.list.push_back(device);
  }
  void plug(const std::string& name, const std::string& node) {
    add(name, node);
    happens(node, false);
  }
  void pull(const std::string& node) {
    std::erase_if(probe.list, [&](const auto& device) { return device.node == node; });
    happens(node, true);
  }
  void happens(const std::string& node, bool removed) {
    monitor.script.push_back({{node, removed}});
    watcher->round(1ms);
  }
  void ends(const std::string& disk, int status) {
    jobs.ends.push_back({disk, status});
    watcher->round(1ms);
  }
  void saw(const std::string& disk, Observed state) {
    ledger::ObservationRow row;
    row.disk = disk;
    row.time = clock.now();
    row.state = state;
    disks.observe(row);
  }
  Observed state(const std::string& disk) { return disks.last_observation(disk)->state; }
};

}  // namespace

TEST_CASE("a disk that is plugged in is copied to, and away when it is unplugged", "[watch]") {
  if (::geteuid() != 0) return skip("who is not root cannot see what is on a disk");
  Station station({"A"});
  station.begin();
  station.plug("A", "/dev/sdb1");
  CHECK(station.jobs.started == std::vector<std::string>{"A /dev/sdb1"});
  station.happens("/dev/sdb1", false);  // the job's own doing
  station.saw("A", Observed::safe_to_remove);
  station.ends("A", 0);
  CHECK(station.jobs.started.size() == 1);
  station.pull("/dev/sdb1");
  CHECK(station.state("A") == Observed::away);
  CHECK(station.jobs.stopped.empty());
  station.plug("A", "/dev/sdc1");
  CHECK(station.jobs.started.back() == "A /dev/sdc1");
}

TEST_CASE("a disk that was there waits, and its age is not made anew", "[watch]") {
  if (::geteuid() != 0) return skip("who is not root cannot see what is on a disk");
  Station station({"A"});
  station.add("A", "/dev/sdb1");
  station.begin();
  CHECK(station.jobs.started.empty());
  CHECK_THAT(station.said, Catch::Contains("Disk A was connected already"));
  CHECK_THAT(station.wall.told, Catch::Contains("Disk A was connected already"));
  CHECK(station.state("A") == Observed::connected);
  const auto first = station.disks.last_observation("A");
  station.clock.sleep(1h, {});
  station.begin();
  CHECK(station.disks.last_observation("A")->id == first->id);
  station.pull("/dev/sdb1");
  CHECK(station.state("A") == Observed::away);
  station.plug("A", "/dev/sdb1");
  CHECK(station.jobs.started.size() == 1);
}

TEST_CASE("a disk that is pulled out ends its job, and goes on when it is back", "[watch]") {
  if (::geteuid() != 0) return skip("who is not root cannot see what is on a disk");
  Station station({"A"});
  station.begin();
  station.plug("A", "/dev/sdb1");
  station.pull("/dev/sdb1");
  CHECK(station.jobs.stopped == std::vector<std::string>{"A"});
  // Back before the job has noticed: one job at a time.
  station.plug("A", "/dev/sdc1");
  CHECK(station.jobs.started.size() == 1);
  station.ends("A", 130);
  CHECK(station.jobs.started == std::vector<std::string>{"A /dev/sdb1", "A /dev/sdc1"});
  station.ends("A", 0);
  CHECK(station.jobs.started.size() == 2);
}

TEST_CASE("a job that was killed is told and recorded, and one that told itself is not",
          "[watch]") {
  if (::geteuid() != 0) return skip("who is not root cannot see what is on a disk");
  Station station({"A"});
  station.begin();
  for (const int own : {0, 1, 3, 5, 130}) {
    station.plug("A", "/dev/sdb1");
    station.ends("A", own);
    station.pull("/dev/sdb1");
  }
  CHECK(station.wall.told.empty());
  station.plug("A", "/dev/sdb1");
  station.saw("A", Observed::copying);
  station.ends("A", 128 + 9);
  CHECK_THAT(station.wall.told, Catch::Contains("disk A: failed") && Catch::Contains("signal 9"));
  CHECK_THAT(station.said, Catch::Contains("signal 9"));
  CHECK(station.state("A") == Observed::interrupted);
}

TEST_CASE("a job that is said to work on a disk, and has ended, is told and recorded", "[watch]") {
  if (::geteuid() != 0) return skip("who is not root cannot see what is on a disk");
  const Observed left =
      GENERATE(Observed::connected, Observed::copying, Observed::verifying, Observed::sealed);
  Station station({"A"});
  station.begin();
  station.plug("A", "/dev/sdb1");
  station.saw("A", left);
  SECTION("it was interrupted before it could say so") {
    station.ends("A", 130);
    CHECK_THAT(station.wall.told, Catch::Contains("disk A: failed") &&
                                      Catch::Contains("interrupted before it could say so"));
    CHECK(station.state("A") == Observed::interrupted);
  }
  SECTION("it had waited for another one, which goes on") {
    const base::LockFile lock = disk::lock_disk(station.places.run, "A");
    station.ends("A", 130);
    CHECK(station.wall.told.empty());
    CHECK(station.state("A") == left);
  }
}

TEST_CASE("a job that is killed while the watch ends is told and recorded", "[watch]") {
  if (::geteuid() != 0) return skip("who is not root cannot see what is on a disk");
  Station station({"A"});
  station.make();
  station.saw("A", Observed::copying);
  station.jobs.ends.push_back({"A", 128 + 9});
  station.stop.request_stop();
  station.watcher->run();
  CHECK(station.jobs.stopped == std::vector<std::string>{"all"});
  CHECK_THAT(station.wall.told, Catch::Contains("disk A: failed") && Catch::Contains("signal 9"));
  CHECK(station.state("A") == Observed::interrupted);
}

TEST_CASE("a disk that another rota works on at the start is left to that one", "[watch]") {
  if (::geteuid() != 0) return skip("who is not root cannot see what is on a disk");
  Station station({"A"});
  station.add("A", "/dev/sdb1");
  station.saw("A", Observed::copying);
  {
    const base::LockFile lock = disk::lock_disk(station.places.run, "A");
    station.begin();
  }
  station.watcher->round(1ms);
  CHECK(station.state("A") == Observed::copying);
  CHECK(station.wall.told.empty());
  CHECK_THAT(station.said, Catch::Contains("Another rota works on disk A."));
  CHECK(station.jobs.started.empty());
}

TEST_CASE("a disk that came back and went before its job ended starts none", "[watch]") {
  Station station({"A"});
  station.begin();
  station.plug("A", "/dev/sdb1");
  station.pull("/dev/sdb1");
  station.plug("A", "/dev/sdc1");
  station.pull("/dev/sdc1");
  station.ends("A", 130);
  CHECK(station.jobs.started.size() == 1);
}

TEST_CASE("a clone that comes and goes does not end the job of the other", "[watch]") {
  Station station({"A"});
  station.begin();
  station.plug("A", "/dev/sdb1");
  station.plug("A", "/dev/sdc1");
  station.pull("/dev/sdc1");
  CHECK(station.jobs.stopped.empty());
  CHECK(station.jobs.started.size() == 1);
}

TEST_CASE("two disks have a job each, and one of neither kind has none", "[watch]") {
  Station station({"A", "B"});
  station.begin();
  station.plug("A", "/dev/sdb1");
  station.plug("B", "/dev/sdc1");
  CHECK(station.jobs.started == std::vector<std::string>{"A /dev/sdb1", "B /dev/sdc1"});
  station.plug("X", "/dev/sdd1");  // a stranger: the job refuses it, and says so
  CHECK(station.jobs.started.size() == 3);
  write(station.dir / "config/rotation.toml", "[set.monthly]\n");
  station.plug("C", "/dev/sde1");  // neither USB nor removable
  station.add("D", "/dev/dm-0");
  station.probe.list.back().usb = true;
  station.probe.list.back().mapper = true;  // what lies in a container
  station.happens("/dev/dm-0", false);
  station.add("E", "/dev/sdf1");
  station.probe.list.back().usb = true;
  station.probe.list.back().fs_type = "vfat";
  station.happens("/dev/sdf1", false);
  CHECK(station.jobs.started.size() == 3);
}

TEST_CASE("a disk that stays connected is an alarm once, until it is unplugged", "[watch]") {
  if (::geteuid() != 0) return skip("who is not root cannot see what is on a disk");
  Station station({"A"});
  station.begin();
  station.plug("A", "/dev/sdb1");
  station.saw("A", Observed::safe_to_remove);
  station.ends("A", 0);
  const auto alarms = [&] {
    const auto open = station.disks.alarms("A", true);
    return std::ranges::count(open, std::string("still connected"), &ledger::AlarmRow::kind);
  };
  station.clock.sleep(1h, {});
  station.watcher->round(1ms);
  CHECK(alarms() == 0);
  for (int i = 0; i < 3; ++i) {
    station.clock.sleep(2h, {});
    station.watcher->round(1ms);
    CHECK(alarms() == 1);
  }
  CHECK_THAT(station.said, Catch::Contains("still connected"));
  CHECK_THAT(station.wall.told, Catch::Contains("disk A: still connected"));
  station.pull("/dev/sdb1");
  CHECK(alarms() == 0);
  CHECK(station.state("A") == Observed::away);
}

TEST_CASE("a disk that stays connected is seen by a clock that was years ahead", "[watch]") {
  if (::geteuid() != 0) return skip("who is not root cannot see what is on a disk");
  constexpr auto kYears = 10 * 365 * 24h;
  Station station({"A"});
  station.clock.sleep(kYears, {});
  station.begin();
  station.plug("A", "/dev/sdb1");
  station.clock.sleep(-kYears, {});
  station.saw("A", Observed::safe_to_remove);
  station.ends("A", 0);
  CHECK_THAT(station.said, !Catch::Contains("still connected"));
  station.clock.sleep(3h, {});
  station.watcher->round(1ms);
  CHECK_THAT(station.said, Catch::Contains("still connected"));
}

TEST_CASE("a mistake in rotation.toml is told once, as if there were no [notify]", "[watch]") {
  if (::geteuid() != 0) return skip("who is not root cannot see what is on a disk");
  Station station({"A"});
  station.settings("[set.monthly]\ninterval = 3\n");
  station.add("A", "/dev/sdb1");
  station.probe.list.back().usb = true;
  station.begin();
  station.clock.sleep(24h, {});
  station.watcher->round(1ms);
  CHECK_THAT(station.said,
             Catch::Contains("rotation.toml") && Catch::Contains("Disk A was connected already"));
  CHECK_THAT(station.wall.mailed, Catch::Contains("To: root\nSubject: ALARM"));
  const auto tellings = [&] {
    int count = 0;
    for (std::size_t at = 0;
         (at = station.wall.mailed.find("rotation.toml", at)) != std::string::npos; ++at)
      ++count;
    return count;
  };
  CHECK(tellings() == 1);
  // Mended, and made again.
  station.settings("[set.monthly]\n");
  station.clock.sleep(24h, {});
  station.watcher->round(1ms);
  station.settings("[set.monthly]\ninterval = 3\n");
  station.clock.sleep(24h, {});
  station.watcher->round(1ms);
  CHECK(tellings() == 2);
}

TEST_CASE("whom to tell is read anew each time", "[watch]") {
  if (::geteuid() != 0) return skip("who is not root cannot see what is on a disk");
  Station station({"A"});
  station.begin();
  station.settings("[set.monthly]\nallow_fixed = true\n", "mail = \"jo\"");
  station.plug("A", "/dev/sdb1");
  station.ends("A", 128 + 9);
  CHECK_THAT(station.wall.mailed, Catch::Contains("To: jo\n"));
}

TEST_CASE("what cannot be done at the start is done when it can be", "[watch]") {
  if (::geteuid() != 0) return skip("who is not root cannot see what is on a disk");
  Station station({"A", "B"});
  station.add("A", "/dev/sdb1");
  station.add("B", "/dev/sdc1");
  write(station.dir / "run", "no directory: nothing can be locked");
  station.begin();
  CHECK(station.warnings.count() == 2);
  CHECK(station.wall.told.empty());
  station.pull("/dev/sdc1");
  std::filesystem::remove(station.dir / "run");
  station.watcher->round(1ms);
  station.watcher->round(1ms);
  CHECK_THAT(station.wall.told, Catch::Contains("Disk A was connected already") &&
                                    !Catch::Contains("Disk B was connected already"));
  CHECK(station.state("A") == Observed::connected);
}

TEST_CASE("a mistake in rotation.toml does not end the watch", "[watch]") {
  if (::geteuid() != 0) return skip("who is not root cannot see what is on a disk");
  Station station({"A", "B"});
  station.add("A", "/dev/sdb1");
  station.begin();
  write(station.dir / "config/rotation.toml", "[set.monthly]\ninterval = 3\n");
  station.clock.sleep(24h, {});
  station.watcher->round(1ms);
  CHECK_THAT(station.said, Catch::Contains("rotation.toml"));
  write(station.dir / "config/rotation.toml", "[set.monthly]\nallow_fixed = true\n");
  station.plug("B", "/dev/sdc1");
  CHECK(station.jobs.started.size() == 1);
}
