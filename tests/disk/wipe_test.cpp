#include "disk/wipe.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "base/kind_of.h"
#include "disk/luks.h"
#include "disk/mount.h"
#include "support/loop_disk.h"
#include "support/skip.h"

using namespace rota;
using namespace rota::test;

namespace {

udev::BlockDevice look(const std::string& node) { return *udev::real_devices().find(node); }

void wipe(const LoopDisk& loop, const disk::WipePlan& plan, const std::stop_token& stop = {}) {
  base::Progress progress;
  disk::wipe(look(loop.node()), plan, base::real_processes(), progress, stop);
  if (plan.method == disk::WipeMethod::overwrite) CHECK(progress.bytes == plan.bytes);
}

}  // namespace

TEST_CASE("a plain disk is overwritten from the first byte to the last", "[wipe]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  LoopDisk loop((24 << 20) + 512);
  loop.format("ext4", "ROTA-B");
  {
    disk::DiskMount mount(loop.node(), "ext4", disk::MountMode::read_write);
    write(mount.path() + "/secret", std::string(3 << 20, 's'));
    mount.close();
  }
  loop.flip_bit((24 << 20) + 511);
  const disk::WipePlan plan = disk::plan_wipe(look(loop.node()), {});
  CHECK(plan.method == disk::WipeMethod::overwrite);
  CHECK(plan.sentence.find("overwritten") != std::string::npos);
  wipe(loop, plan);
  CHECK(look(loop.node()).signatures.empty());
  loop.detach();
  const std::string image = read(loop.image());
  CHECK(image.size() == (24 << 20) + 512);
  CHECK(std::ranges::all_of(image, [](char c) { return c == 0; }));
}

TEST_CASE("an interrupted overwrite leaves no rotation disk", "[wipe]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  LoopDisk loop(16 << 20);
  loop.format("ext4", "ROTA-B");
  std::stop_source stop;
  stop.request_stop();
  const disk::WipePlan plan = disk::plan_wipe(look(loop.node()), {});
  CHECK(kind_of([&] { wipe(loop, plan, stop.get_token()); }) == base::ErrorKind::interrupted);
  CHECK(look(loop.node()).signatures.empty());
}

TEST_CASE("an encrypted disk loses its keys at once", "[wipe]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  LoopDisk loop(48 << 20);
  TempDir dir;
  const disk::LuksSecrets secrets{dir / "key", disk::new_recovery_passphrase()};
  disk::make_disk_key(secrets.key_file);
  disk::luks_format(loop.node(), secrets, base::real_processes());
  const std::string header = read(loop.image()).substr(0, 16 << 20);
  const disk::WipePlan plan = disk::plan_wipe(look(loop.node()), {});
  CHECK(plan.method == disk::WipeMethod::erase_keys);
  wipe(loop, plan);
  CHECK(look(loop.node()).signatures.empty());
  // The slots' key material begins at 32 KiB: nothing of it may be left, though signatures alone
  // would make the container unseen.
  const std::string after = read(loop.image());
  const bool gone = after.substr(32 << 10, 128 << 10) != header.substr(32 << 10, 128 << 10);
  CHECK(gone);
}

TEST_CASE("a container beside plain data is no reason to keep the data", "[wipe]") {
  udev::BlockDevice disk;
  disk.node = "/dev/sdz";
  disk.size = 1'000'000'000'000;
  std::vector<udev::BlockDevice> parts(2);
  parts[0].fs_type = "crypto_LUKS";
  parts[1].fs_type = "ext4";
  CHECK(disk::plan_wipe(disk, parts).method == disk::WipeMethod::overwrite);
  CHECK(disk::plan_wipe(disk, parts).sentence.find("2 h 46 min") != std::string::npos);
  parts.pop_back();
  CHECK(disk::plan_wipe(disk, parts).method == disk::WipeMethod::erase_keys);
}

TEST_CASE("a disk in use is not wiped", "[wipe]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  LoopDisk loop(16 << 20);
  loop.format("ext4", "ROTA-B");
  const disk::WipePlan plan = disk::plan_wipe(look(loop.node()), {});
  disk::DiskMount mount(loop.node(), "ext4", disk::MountMode::read_write);
  CHECK(kind_of([&] { wipe(loop, plan); }) == base::ErrorKind::refused);
  CHECK(look(loop.node()).label == "ROTA-B");
}
