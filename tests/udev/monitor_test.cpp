#include "udev/monitor.h"

#include <poll.h>
#include <catch2/catch.hpp>

#include <thread>

#include "support/loop_disk.h"
#include "support/skip.h"

using namespace rota;
using namespace rota::test;
using namespace std::chrono_literals;

namespace {

/// Waits for an event of the device; others on this machine have loop devices too.
bool told_of(udev::DeviceMonitor& monitor, const std::string& node) {
  for (int i = 0; i < 100; ++i) {
    int count = 0;
    for (const udev::DeviceEvent& event : monitor.wait(1s, {})) count += event.node == node ? 1 : 0;
    CHECK(count <= 1);  // however often the kernel said so
    if (count > 0) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("the kernel's own events are heard, without an udevd", "[monitor]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  LoopDisk disk(8 << 20);
  disk.format("ext4", "ROTA-B");
  const auto monitor = udev::open_monitor(udev::EventSource::kernel);
  const std::string before = disk.node();
  disk.detach();
  CHECK(told_of(*monitor, before));
  disk.attach();
  CHECK(told_of(*monitor, disk.node()));
}

TEST_CASE("waiting for disks ends when it is asked to", "[monitor]") {
  const auto monitor = udev::open_monitor(udev::EventSource::udev);
  std::stop_source stop;
  std::jthread asker([&] {
    std::this_thread::sleep_for(20ms);
    stop.request_stop();
  });
  // An hour, or this test hangs.
  while (!stop.stop_requested()) CHECK(monitor->wait(3600s, stop.get_token()).empty());
  CHECK(monitor->wait(0ms, {}).empty());
}

TEST_CASE("udevd's notes about a device that has none are empty", "[monitor]") {
  CHECK(udev::property("/dev/null", "ROTA_SINCE_BOOT").empty());
  CHECK(udev::property("/dev/nothing", "ROTA_SINCE_BOOT").empty());
}

TEST_CASE("what has happened is told without waiting", "[monitor]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  LoopDisk disk(8 << 20);
  const auto monitor = udev::open_monitor(udev::EventSource::kernel);
  const std::string node = disk.node();
  disk.detach();
  bool told = false;
  for (int i = 0; i < 100 && !told; ++i) {
    pollfd ready{monitor->fd(), POLLIN, 0};
    REQUIRE(::poll(&ready, 1, 10'000) == 1);
    for (const udev::DeviceEvent& event : monitor->take()) told = told || event.node == node;
  }
  CHECK(told);
}
