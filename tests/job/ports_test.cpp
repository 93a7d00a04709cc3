// What a look at the ports records.

#include <unistd.h>

#include <catch2/catch.hpp>

#include "job/disk_events.h"
#include "job/rotation_status.h"
#include "ledger/disk_samples.h"
#include "support/fake_device_probe.h"
#include "support/files.h"
#include "support/skip.h"

namespace rota::test {

namespace {

const base::Instant kNow = when("2026-11-10T12:00:00Z");

/// Disks that the ledger knows, some of them at a port.
struct Known {
  TempDir dir;
  ledger::Ledger ledger{dir / "ledger.db"};
  ledger::Disks disks{ledger};
  FakeDeviceProbe probe;

  explicit Known(const std::vector<std::string>& names) {
    for (const std::string& name : names) disks.add(some_disk(name), kNow);
  }
  void look(const std::vector<std::string>& connected) {
    probe.list.clear();
    for (const std::string& name : connected) {
      udev::BlockDevice device;
      device.uuid = disks.get(name).uuid;
      probe.list.push_back(device);
    }
    job::look_at_ports(disks, probe, kNow);
  }
};

}  // namespace

TEST_CASE("what was said of two disks at once ends when one is away", "[ports]") {
  if (::geteuid() != 0) return skip("needs root");
  Known known({"A", "B", "C"});
  const std::string left = GENERATE(as<std::string>{}, "A", "B");
  job::raise_alarm(known.disks, kNow, job::kTwoConnected, ledger::Severity::alarm, "A", "", "both");
  job::raise_alarm(known.disks, kNow, "serial number", ledger::Severity::alarm, "A", "", "other");
  known.look({"A", "B"});
  CHECK(known.disks.alarms("A", true).size() == 2);
  known.look({"A", "B", "C"});
  CHECK(known.disks.alarms("A", true).size() == 2);
  known.look({left});
  REQUIRE(known.disks.alarms("A", true).size() == 1);
  CHECK(known.disks.alarms("A", true).front().kind == "serial number");
}

TEST_CASE("a disk whose job ended badly is away when it is gone, too", "[ports]") {
  if (::geteuid() != 0) return skip("needs root");
  using ledger::Observed;
  for (const Observed state : {Observed::suspect, Observed::damaged, Observed::full}) {
    Known known({"A"});
    known.disks.observe(seen("A", state, "2026-11-10T11:00:00Z"));
    known.look({"A"});
    CHECK(known.disks.last_observation("A")->state == state);
    known.look({});
    CHECK(known.disks.last_observation("A")->state == Observed::away);
    CHECK(known.disks.last_result("A")->state == state);
  }
  Known known({"A"});
  known.disks.observe(seen("A", Observed::interrupted, "2026-11-10T11:00:00Z"));
  known.look({});
  CHECK(known.disks.last_observation("A")->state == Observed::interrupted);  // it says why
}

}  // namespace rota::test
