#include <algorithm>
#include <catch2/catch.hpp>

#include "base/kind_of.h"
#include "disk/make_filesystem.h"
#include "disk/prepare.h"
#include "support/fake_device_probe.h"

using namespace rota;
using namespace rota::test;

namespace {

disk::PrepareTarget stick() {
  disk::PrepareTarget target;
  target.disk.node = target.disk.disk_node = "/dev/sdz";
  target.disk.model = "Portable";
  target.disk.size = 4'000'000'000'000;
  target.disk.usb = true;
  return target;
}

disk::PrepareOptions named(const std::string& name) {
  disk::PrepareOptions options;
  options.name = name;
  return options;
}

std::string refusal(const disk::PrepareTarget& target,
                    const disk::PrepareOptions& options = named("B")) {
  return message_of([&] { disk::check_target(target, options); });
}

}  // namespace

TEST_CASE("an empty disk on USB, or a removable one, may be prepared", "[prepare]") {
  disk::PrepareTarget target = stick();
  CHECK(refusal(target).empty());
  target.disk.usb = false;
  CHECK(refusal(target).find("--allow-fixed") != std::string::npos);
  target.disk.removable = true;
  CHECK(refusal(target).empty());
  target.disk.removable = false;
  disk::PrepareOptions options = named("B");
  options.allow_fixed = true;
  CHECK(refusal(target, options).empty());
}

TEST_CASE("neither --wipe nor --allow-fixed lets a disk in use be prepared", "[prepare]") {
  disk::PrepareOptions options = named("B");
  options.wipe = options.allow_fixed = true;
  disk::PrepareTarget target = stick();
  target.partitions.resize(1);
  target.partitions[0].node = "/dev/sdz1";
  target.contents = {"a partition table (gpt)"};
  CHECK(refusal(target, options).empty());
  CHECK(refusal(target).find("--wipe") != std::string::npos);
  SECTION("mounted") {
    target.partitions[0].mount_points = {"/srv"};
    CHECK(refusal(target, options).find("/dev/sdz1 is mounted at /srv") != std::string::npos);
  }
  SECTION("the system's") {
    target.partitions[0].mount_points = {"/boot", "/"};
    CHECK(refusal(target, options).find("this system's own disk") != std::string::npos);
  }
  SECTION("held by LVM") {
    target.partitions[0].holders = {"dm-0"};
    CHECK(refusal(target, options).find("by dm-0") != std::string::npos);
  }
  SECTION("swap on the whole disk") {
    target.disk.holders = {"swap"};
    CHECK(refusal(target, options).find("swapoff") != std::string::npos);
  }
  SECTION("a mapping") {
    target.disk.mapper = true;
    CHECK_FALSE(refusal(target, options).empty());
  }
  SECTION("read-only") {
    target.disk.read_only = true;
    CHECK(refusal(target, options).find("read-only") != std::string::npos);
  }
  SECTION("too small") {
    target.disk.size = 63 << 20;
    CHECK(refusal(target, options).find("needs") != std::string::npos);
  }
}

TEST_CASE("names of disks, sets and filesystems are checked first", "[prepare]") {
  for (const char* name : {"", "b", "TOOLONG8", "A B"}) {
    CHECK(kind_of([&] { disk::check_target(stick(), named(name)); }) == base::ErrorKind::usage);
  }
  disk::PrepareOptions options = named("B");
  options.fs_type = "vfat";
  CHECK(kind_of([&] { disk::check_target(stick(), options); }) == base::ErrorKind::usage);
  options = named("B");
  options.set = "a/b";
  CHECK(kind_of([&] { disk::check_target(stick(), options); }) == base::ErrorKind::usage);
}

TEST_CASE("a partition is not taken for a disk", "[prepare]") {
  FakeDeviceProbe probe;
  udev::BlockDevice part;
  part.node = "/dev/sdz1";
  part.disk_node = "/dev/sdz";
  part.kind = udev::DeviceKind::partition;
  probe.list.push_back(part);
  CHECK(kind_of([&] { disk::look_at(probe, "/dev/sdz1"); }) == base::ErrorKind::usage);
  CHECK(kind_of([&] { disk::look_at(probe, "/dev/sdy"); }) == base::ErrorKind::not_found);
}

TEST_CASE("a large ext4 has inodes for many copies of a server's directories", "[prepare]") {
  const auto ratio = [](std::uint64_t size) {
    const auto argv = disk::mkfs_command("/dev/x", "ext4", size);
    return *(std::ranges::find(argv, "-i") + 1);
  };
  CHECK(ratio(128 << 20) == "4096");
  CHECK(ratio(4'000'000'000'000) == "16384");
  CHECK(ratio(30'000'000'000'000) == "16384");
  CHECK(ratio(60'000'000'000'000) == "32768");  // 2^31 inodes at most
  CHECK(disk::reserve_size(100 << 20) == 1 << 20);
  CHECK(disk::reserve_size(4'000'000'000'000) == 64 << 20);
}
