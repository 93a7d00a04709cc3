#include "disk/superblock.h"

#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "base/kind_of.h"
#include "disk/mount.h"
#include "support/loop_disk.h"
#include "support/skip.h"

using namespace rota;
using namespace rota::test;
using disk::FilesystemState;
using disk::inspect_filesystem;

namespace {

std::uint64_t size_for(const std::string& fs) { return fs == "xfs" ? 320 << 20 : 128 << 20; }

void run_ok(const std::vector<std::string>& argv) {
  const auto result = base::real_processes().run({argv, {}});
  INFO(result.output);
  REQUIRE(result.status == 0);
}

void poke(const LoopDisk& disk, std::uint64_t offset, const std::vector<unsigned char>& bytes) {
  const base::Fd fd(::open(disk.node().c_str(), O_WRONLY | O_CLOEXEC));
  REQUIRE(::pwrite(fd.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset)) ==
          static_cast<ssize_t>(bytes.size()));
}

std::string check(const LoopDisk& disk, const std::string& fs) {
  return disk::check_filesystem(disk.node(), fs, base::real_processes());
}

}  // namespace

TEST_CASE("a filesystem that was unmounted in good order is clean", "[superblock]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  const std::string fs = GENERATE("ext4", "xfs", "btrfs");
  LoopDisk disk(size_for(fs));
  disk.format(fs, "ROTA-B");
  CHECK(inspect_filesystem(disk.node(), fs).state == FilesystemState::clean);
  disk::DiskMount(disk.node(), fs, disk::MountMode::read_write).close();
  CHECK(inspect_filesystem(disk.node(), fs).state == FilesystemState::clean);
  CHECK(check(disk, fs).empty());
}

TEST_CASE("a disk that was pulled out needs its journal replayed", "[superblock]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  const std::string fs = GENERATE("ext4", "btrfs");
  LoopDisk disk(size_for(fs));
  disk.format(fs, "ROTA-B");
  {
    disk::DiskMount mount(disk.node(), fs, disk::MountMode::read_write);
    write(mount.path() + "/a", "text");
    const base::Fd file(::openat(mount.fd(), "a", O_RDONLY | O_CLOEXEC));
    REQUIRE(::fsync(file.get()) == 0);
    disk.yank();
  }
  disk.push_in();
  CHECK(inspect_filesystem(disk.node(), fs).state == FilesystemState::needs_replay);
  disk::DiskMount(disk.node(), fs, disk::MountMode::read_write).close();
  CHECK(inspect_filesystem(disk.node(), fs).state == FilesystemState::clean);
}

TEST_CASE("an ext4 with errors is flagged, and clean after the full check", "[superblock]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  LoopDisk disk(64 << 20);
  disk.format("ext4", "ROTA-B");
  run_ok({"debugfs", "-w", "-R", "ssv state 2", disk.node()});
  CHECK(inspect_filesystem(disk.node(), "ext4").state == FilesystemState::flagged);
  check(disk, "ext4");
  CHECK(inspect_filesystem(disk.node(), "ext4").state == FilesystemState::clean);
}

TEST_CASE("errors that an ext4 counted are seen although its state is good", "[superblock]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  LoopDisk disk(64 << 20);
  disk.format("ext4", "ROTA-B");
  run_ok({"debugfs", "-w", "-R", "ssv error_count 3", disk.node()});
  CHECK(inspect_filesystem(disk.node(), "ext4").state == FilesystemState::flagged);
}

TEST_CASE("a damage that a check mends is told, and one that it cannot is refused",
          "[superblock]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  LoopDisk disk(64 << 20);
  disk.format("ext4", "ROTA-B");
  run_ok({"debugfs", "-w", "-R", "ssv free_blocks_count 5", disk.node()});
  run_ok({"debugfs", "-w", "-R", "ssv state 2", disk.node()});
  CHECK_FALSE(check(disk, "ext4").empty());
  CHECK(check(disk, "ext4").empty());
  // The root is no directory any more: e2fsck -p leaves such a decision to a person.
  run_ok({"debugfs", "-w", "-R", "set_inode_field <2> mode 0100644", disk.node()});
  const auto checking = [&] { check(disk, "ext4"); };
  CHECK(kind_of(checking) == base::ErrorKind::corrupt);
  CHECK(message_of(checking).find("`e2fsck -f " + disk.node() + "`") != std::string::npos);
}

TEST_CASE("an XFS that needs a repair is flagged, and a damaged one refused", "[superblock]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  LoopDisk disk(320 << 20);
  disk.format("xfs", "ROTA-B");
  run_ok({"xfs_db", "-x", "-c", "sb 0", "-c", "write features_incompat 0x1f", disk.node()});
  CHECK(inspect_filesystem(disk.node(), "xfs").state == FilesystemState::flagged);
  const auto checking = [&] { check(disk, "xfs"); };
  CHECK(kind_of(checking) == base::ErrorKind::corrupt);
  CHECK(message_of(checking).find("`xfs_repair ") != std::string::npos);
  poke(disk, 126, {1});
  CHECK(inspect_filesystem(disk.node(), "xfs").state == FilesystemState::flagged);
}

TEST_CASE("a damaged btrfs is refused by its check", "[superblock]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  LoopDisk disk(128 << 20);
  disk.format("btrfs", "ROTA-B");
  poke(disk, (64 << 10) + 0x38, {5});  // BTRFS_HEADER_FLAG_WRITTEN | BTRFS_SUPER_FLAG_ERROR
  CHECK(inspect_filesystem(disk.node(), "btrfs").state == FilesystemState::flagged);
  const auto checking = [&] { check(disk, "btrfs"); };
  CHECK(kind_of(checking) == base::ErrorKind::corrupt);
}

TEST_CASE("what holds no superblock of the kind is corrupt, however short", "[superblock]") {
  const std::string fs = GENERATE("ext4", "xfs", "btrfs");
  for (const std::size_t size : {std::size_t{0}, std::size_t{100}, std::size_t{1500},
                                 std::size_t{65'700}, std::size_t{128 << 10}}) {
    const std::vector<std::byte> head(size);
    CHECK(kind_of([&] { disk::judge_superblock(head, fs); }) == base::ErrorKind::corrupt);
  }
  CHECK(kind_of([] { inspect_filesystem("/dev/null", "vfat"); }) == base::ErrorKind::refused);
  CHECK(kind_of([] { inspect_filesystem("/dev/absent", "ext4"); }) == base::ErrorKind::not_found);
}
