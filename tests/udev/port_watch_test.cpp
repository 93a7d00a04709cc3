#include "udev/port_watch.h"

#include <catch2/catch.hpp>

#include "support/fake_device_monitor.h"
#include "support/fake_device_probe.h"

using namespace rota;
using namespace rota::test;
using udev::PortChange;
using What = udev::PortChange::What;

namespace {

struct Ports {
  FakeDeviceProbe probe;
  FakeDeviceMonitor monitor;
  udev::PortWatch watch{probe, monitor, [](const udev::BlockDevice& device) {
                          return device.label.starts_with("ROTA-");
                        }};

  void plug(const std::string& node, const std::string& label, std::uint64_t sequence) {
    udev::BlockDevice device;
    device.node = node;
    device.disk_node = node.substr(0, 8);
    device.label = label;
    device.uuid = "1234";
    device.sequence = sequence;
    probe.list.push_back(device);
  }
  void pull(const std::string& node) {
    std::erase_if(probe.list, [&](const auto& device) { return device.node == node; });
  }
  /// "+sdb1 -sdc1": what came and went after these events.
  std::string after(std::vector<udev::DeviceEvent> events) {
    monitor.script.push_back(std::move(events));
    return text(watch.wait(std::chrono::milliseconds(1), {}));
  }
  static std::string text(const std::vector<PortChange>& changes) {
    std::string text;
    for (const PortChange& change : changes) {
      if (!text.empty()) text += ' ';
      text += change.what == What::there ? "=" : change.what == What::removed ? "-" : "+";
      text += change.device.node;
    }
    return text;
  }
};

}  // namespace

TEST_CASE("what was there is told apart from what is plugged in now", "[ports]") {
  Ports ports;
  ports.plug("/dev/sdb1", "ROTA-A", 1);
  ports.plug("/dev/sdx1", "root", 2);
  CHECK(Ports::text(ports.watch.start()) == "=/dev/sdb1");
  ports.plug("/dev/sdc1", "ROTA-B", 3);
  CHECK(ports.after({{"/dev/sdc", false}, {"/dev/sdc1", false}}) == "+/dev/sdc1");
  ports.pull("/dev/sdb1");
  CHECK(ports.after({{"/dev/sdb1", true}}) == "-/dev/sdb1");
  CHECK(ports.after({{"/dev/sdx1", false}}).empty());
  CHECK(ports.watch.there().size() == 1);
}

TEST_CASE("changes of a disk that is there are no new disk", "[ports]") {
  Ports ports;
  ports.watch.start();
  ports.plug("/dev/sdb1", "ROTA-A", 1);
  CHECK(ports.after({{"/dev/sdb1", false}}) == "+/dev/sdb1");
  for (int i = 0; i < 3; ++i)
    CHECK(ports.after({{"/dev/sdb1", false}, {"/dev/sdb", false}}).empty());
}

TEST_CASE("a disk that was out and in again between two looks is another", "[ports]") {
  Ports ports;
  ports.plug("/dev/sdb1", "ROTA-A", 1);
  ports.watch.start();
  SECTION("the kernel said that it was removed") {
    CHECK(ports.after({{"/dev/sdb1", true}}) == "-/dev/sdb1 +/dev/sdb1");
  }
  SECTION("the kernel gave it another number") {
    ports.probe.list.front().sequence = 2;
    CHECK(ports.after({{"/dev/sdb1", false}}) == "-/dev/sdb1 +/dev/sdb1");
  }
  SECTION("what is in the reader is another disk") {
    ports.probe.list.front().uuid = "5678";
    CHECK(ports.after({{"/dev/sdb1", false}}) == "-/dev/sdb1 +/dev/sdb1");
  }
}

TEST_CASE("a medium that is taken out of a reader takes its partitions along", "[ports]") {
  Ports ports;
  ports.plug("/dev/sdb1", "ROTA-A", 1);
  ports.watch.start();
  ports.pull("/dev/sdb1");
  CHECK(ports.after({{"/dev/sdb", false}}) == "-/dev/sdb1");
}

TEST_CASE("after lost events every device is looked at, and what went is told first", "[ports]") {
  Ports ports;
  ports.plug("/dev/sdz1", "ROTA-Z", 1);
  ports.plug("/dev/sdb1", "ROTA-B", 2);
  ports.watch.start();
  ports.pull("/dev/sdz1");
  ports.plug("/dev/sdc1", "ROTA-C", 3);
  CHECK(ports.after({{"", false}}) == "-/dev/sdz1 +/dev/sdc1");
}
