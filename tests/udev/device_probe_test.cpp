#include "udev/device_probe.h"

#include <sys/mount.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "base/process.h"
#include "support/loop_disk.h"
#include "support/skip.h"
#include "udev/partitions.h"
#include "udev/usage.h"

using namespace rota;
using namespace rota::test;

namespace {

void run_script(const std::string& script) {
  const auto result = base::real_processes().run({{"sh", "-c", script}, {}});
  INFO(result.output);
  REQUIRE(result.status == 0);
}

}  // namespace

TEST_CASE("the partitions of a loop device are found without udevd", "[udev]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  LoopDisk disk(64 << 20);
  run_script(
      "printf 'label: gpt\\nsize=20MiB,name=\"ROTA-B\",type=linux\\ntype=linux\\n' | sfdisk -q " +
      disk.node());
  disk.format("ext4", "ROTA-B", disk.partition(1));

  const auto whole = udev::real_devices().find(disk.node());
  REQUIRE(whole);
  CHECK(whole->kind == udev::DeviceKind::disk);
  CHECK(whole->disk_node == disk.node());
  CHECK(whole->size == 64 << 20);
  CHECK(whole->loop);
  CHECK_FALSE(whole->usb);
  CHECK_FALSE(whole->removable);
  CHECK_FALSE(whole->read_only);
  CHECK(whole->table == "gpt");
  CHECK(whole->fs_type.empty());
  CHECK(whole->children == std::vector<std::string>{disk.partition(1), disk.partition(2)});
  CHECK(std::ranges::count(whole->signatures, "gpt") == 1);

  const auto part = udev::real_devices().find(disk.partition(1));
  REQUIRE(part);
  CHECK(part->kind == udev::DeviceKind::partition);
  CHECK(part->disk_node == disk.node());
  CHECK(part->size == 20 << 20);
  CHECK(part->fs_type == "ext4");
  CHECK(part->label == "ROTA-B");
  CHECK(part->uuid.size() == 36);
  CHECK(part->partition_name == "ROTA-B");
  CHECK(part->loop);
  CHECK(part->mount_points.empty());

  const auto all = udev::real_devices().devices();
  const auto at = std::ranges::find(all, disk.node(), &udev::BlockDevice::node);
  REQUIRE(std::distance(at, all.end()) > 2);
  CHECK((at + 1)->node == disk.partition(1));
  CHECK((at + 1)->label == "ROTA-B");

  disk.detach();
  CHECK_FALSE(udev::real_devices().find(part->node));
  disk.attach();
  CHECK(udev::real_devices().find(disk.partition(1))->label == "ROTA-B");
}

TEST_CASE("a filesystem on a whole disk is found, of each kind", "[udev]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  const std::string fs = GENERATE("ext4", "xfs", "btrfs");
  LoopDisk disk(fs == "xfs" ? 320 << 20 : 128 << 20);
  disk.format(fs, "ROTA-1234567");
  const auto found = udev::real_devices().find(disk.node());
  REQUIRE(found);
  CHECK(found->fs_type == fs);
  CHECK(found->label == "ROTA-1234567");
  CHECK(found->table.empty());
  CHECK(found->signatures == std::vector<std::string>{fs});
}

TEST_CASE("a LUKS2 container shows its label, and an empty disk nothing", "[udev]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  LoopDisk disk(32 << 20);
  CHECK(udev::real_devices().find(disk.node())->signatures.empty());
  run_script(
      "printf secret | cryptsetup luksFormat -q --type luks2 --pbkdf pbkdf2 "
      "--pbkdf-force-iterations 1000 --label ROTA-C --key-file - " +
      disk.node());
  const auto found = udev::real_devices().find(disk.node());
  REQUIRE(found);
  CHECK(found->fs_type == "crypto_LUKS");
  CHECK(found->label == "ROTA-C");
  CHECK(found->uuid.size() == 36);
}

TEST_CASE("two signatures on one disk are both shown, and neither is believed", "[udev]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  LoopDisk disk(128 << 20);
  disk.format("btrfs", "ROTA-B");
  // A swap area's mark lies where neither writes.
  run_script("printf SWAPSPACE2 | dd of=" + disk.node() +
             " bs=1 seek=4086 conv=notrunc 2>&1; dd if=/dev/zero of=" + disk.node() +
             " bs=1 seek=1024 count=4 conv=notrunc 2>&1; printf '\\001' | dd of=" + disk.node() +
             " bs=1 seek=1024 conv=notrunc 2>&1; printf '\\001' | dd of=" + disk.node() +
             " bs=1 seek=1028 conv=notrunc 2>&1");
  const auto found = udev::real_devices().find(disk.node());
  REQUIRE(found);
  CHECK(found->fs_type.empty());
  CHECK(found->label.empty());
  CHECK(std::ranges::count(found->signatures, "btrfs") == 1);
  CHECK(std::ranges::count(found->signatures, "swap") == 1);
}

TEST_CASE("a mounted device shows where, of each kind of filesystem", "[udev]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  const std::string fs = GENERATE("ext4", "btrfs");
  LoopDisk disk(128 << 20);
  disk.format(fs, "ROTA-B");
  TempDir point;
  const std::string place = point / "with space";
  base::real_files().make_directories(place, 0755);
  REQUIRE(::mount(disk.node().c_str(), place.c_str(), fs.c_str(), MS_RDONLY, nullptr) == 0);
  const auto found = udev::real_devices().find(disk.node());
  ::umount(place.c_str());
  REQUIRE(found);
  CHECK(found->mount_points == std::vector<std::string>{place});
  CHECK(udev::real_devices().find(disk.node())->mount_points.empty());
}

TEST_CASE("what is no block device, or has no medium, is not found", "[udev]") {
  TempDir dir;
  write(dir / "file", "x");
  CHECK_FALSE(udev::real_devices().find(dir / "file"));
  CHECK_FALSE(udev::real_devices().find(dir / "absent"));
  CHECK_FALSE(udev::real_devices().find("/dev/null"));
}

TEST_CASE("a link leads to its device", "[udev]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  LoopDisk disk(8 << 20);
  TempDir dir;
  REQUIRE(::symlink(disk.node().c_str(), (dir / "link").c_str()) == 0);
  const auto found = udev::real_devices().find(dir / "link");
  REQUIRE(found);
  CHECK(found->node == disk.node());
}

TEST_CASE("mounts and swaps are read from the kernel's lists", "[udev]") {
  udev::DeviceUsage usage;
  usage.add_mounts(
      "36 35 8:17 / /mnt/a\\040b\\134 rw,noatime master:1 shared:2 - ext3 /dev/root rw,x=y\n"
      "37 35 8:17 / /mnt/c rw - ext3 /dev/root rw\n"
      "37 35 8:17 / /mnt/c rw - ext3 /dev/root rw\n"
      "38 35 0:44 / /proc rw - proc proc rw\n"
      "nonsense\n39 35 8");
  CHECK(usage.mount_points(makedev(8, 17)) == std::vector<std::string>{"/mnt/a b\\", "/mnt/c"});
  CHECK(usage.mount_points(makedev(8, 18)).empty());
  usage.add_swaps("Filename\t\t\t\tType\t\tSize\n/dev/absent partition 1 2\n/proc/swaps file 1\n");
  CHECK_FALSE(usage.is_swap(makedev(8, 17)));
}

TEST_CASE("a partition's node is named as the kernel names it", "[udev]") {
  CHECK(udev::partition_node("/dev/sdb", 1) == "/dev/sdb1");
  CHECK(udev::partition_node("/dev/nvme0n1", 2) == "/dev/nvme0n1p2");
  CHECK(udev::partition_node("/dev/loop7", 12) == "/dev/loop7p12");
}
