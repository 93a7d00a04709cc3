#include "disk/power.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "support/files.h"
#include "support/loop_disk.h"
#include "support/skip.h"

using namespace rota;
using namespace rota::test;
using disk::StepResult;

namespace {

/// A USB disk as sysfs shows it, with a file in place of the device.
struct UsbTree {
  TempDir dir;
  std::string usb = dir / "devices/pci0/usb2/2-1";
  udev::BlockDevice device;

  UsbTree() {
    device.node = device.disk_node = dir / "sdz";
    device.sysfs = usb + "/2-1:1.0/host6/target6/6:0:0:0/block/sdz";
    device.usb = true;
    write(device.node, "");
    write(usb + "/idVendor", "1234");
    write(usb + "/remove", "");
    write(dir / "devices/pci0/usb2/idVendor", "1d6b");  // the hub above must stay
    write(dir / "devices/pci0/usb2/remove", "");
    write(device.sysfs + "/device/delete", "");
  }
  StepResult result(const std::vector<disk::PowerStep>& steps, const std::string& what) const {
    for (const auto& step : steps) {
      if (step.what == what) return step.result;
    }
    throw std::runtime_error("no step " + what);
  }
};

}  // namespace

TEST_CASE("a loop device is flushed, and nothing else applies", "[power]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  LoopDisk loop(8 << 20);
  const auto steps = disk::power_down(*udev::real_devices().find(loop.node()));
  REQUIRE(steps.size() == 4);
  CHECK(steps[0].what == "flush");
  CHECK(steps[0].result == StepResult::done);
  for (std::size_t i = 1; i < steps.size(); ++i) {
    CHECK(steps[i].result == StepResult::not_applicable);
    CHECK_FALSE(steps[i].detail.empty());
  }
  CHECK(disk::is_safe_to_unplug(steps));
}

TEST_CASE("the SCSI device is detached and the disk's own USB device removed", "[power]") {
  UsbTree tree;
  SECTION("by the disk") {}
  SECTION("by its partition") {
    tree.device.sysfs += "/sdz1";
    tree.device.kind = udev::DeviceKind::partition;
  }
  const auto steps = disk::power_down(tree.device, tree.dir.path());
  CHECK(tree.result(steps, "detach") == StepResult::done);
  CHECK(tree.result(steps, "remove") == StepResult::done);
  CHECK(read(tree.usb + "/remove") == "1");
  CHECK(read(tree.dir / "devices/pci0/usb2/remove").empty());
  // A plain file is no device that can be flushed: said, and the rest done all the same.
  CHECK(tree.result(steps, "flush") == StepResult::failed);
  CHECK_FALSE(disk::is_safe_to_unplug(steps));
}

TEST_CASE("a USB device that another disk hangs on stays", "[power]") {
  UsbTree tree;
  const std::string other = tree.usb + "/2-1:1.0/host6/target6/6:0:0:1/block/sdy";
  SECTION("another disk") {
    write(other + "/size", "1");
    const auto steps = disk::power_down(tree.device, tree.dir.path());
    CHECK(tree.result(steps, "detach") == StepResult::done);
    CHECK(tree.result(steps, "remove") == StepResult::not_applicable);
    CHECK_THAT(steps.back().detail, Catch::Contains("sdy"));
    CHECK(read(tree.usb + "/remove").empty());
  }
  SECTION("its own partition is none") {
    write(tree.device.sysfs + "/size", "1");
    write(tree.device.sysfs + "/sdz1/size", "1");
    const auto steps = disk::power_down(tree.device, tree.dir.path());
    CHECK(tree.result(steps, "remove") == StepResult::done);
  }
}

TEST_CASE("a step that fails is reported, and the next one tried", "[power]") {
  UsbTree tree;
  const std::string detach = base::parent_directory(base::parent_directory(tree.device.sysfs)) +
                             "/block/sdz/device/delete";
  remove_tree(detach);
  ::mkdir(detach.c_str(), 0755);  // cannot be written to
  const auto steps = disk::power_down(tree.device, tree.dir.path());
  CHECK(tree.result(steps, "detach") == StepResult::failed);
  CHECK(tree.result(steps, "remove") == StepResult::done);
}

TEST_CASE("a fixed disk stays powered", "[power]") {
  UsbTree tree;
  tree.device.usb = false;
  const auto steps = disk::power_down(tree.device, tree.dir.path());
  CHECK(tree.result(steps, "remove") == StepResult::not_applicable);
  CHECK(read(tree.usb + "/remove").empty());
}
