#include "disk/mount.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "base/kind_of.h"
#include "base/process.h"
#include "support/files.h"
#include "support/loop_disk.h"
#include "support/skip.h"

using namespace rota;
using namespace rota::test;
using disk::DiskMount;
using disk::MountMode;

namespace {

std::uint64_t size_for(const std::string& fs) { return fs == "xfs" ? 320 << 20 : 128 << 20; }

bool succeeds(const std::vector<std::string>& argv) {
  return base::real_processes().run({argv, {}}).status == 0;
}

}  // namespace

TEST_CASE("a mounted disk is seen by nobody else, and is free when it is closed", "[mount]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  const std::string fs = GENERATE("ext4", "xfs", "btrfs");
  LoopDisk disk(size_for(fs));
  disk.format(fs, "ROTA-B");
  {
    DiskMount mount(disk.node(), fs, MountMode::read_write);
    CHECK(read("/proc/self/mountinfo").find(disk.node()) == std::string::npos);
    write(mount.path() + "/a/b", "text");
    struct stat st {};
    REQUIRE(::fstatat(mount.fd(), "a/b", &st, 0) == 0);
    CHECK(st.st_dev == mount.device());
    struct statvfs vfs {};
    REQUIRE(::fstatvfs(mount.fd(), &vfs) == 0);
    constexpr unsigned long kFlags = ST_NOSUID | ST_NODEV | ST_NOEXEC | ST_NOATIME;
    CHECK((vfs.f_flag & kFlags) == kFlags);
    CHECK((vfs.f_flag & ST_RDONLY) == 0);
    mount.sync();
    mount.close();
    mount.close();
    CHECK(base::Fd(::open(disk.node().c_str(), O_RDONLY | O_EXCL | O_CLOEXEC)).valid());
  }
  DiskMount again(disk.node(), fs, MountMode::read_only);
  CHECK(read(again.path() + "/a/b") == "text");
  CHECK(::openat(again.fd(), "c", O_CREAT | O_WRONLY | O_CLOEXEC, 0600) < 0);
  CHECK(errno == EROFS);
  again.close();
}

TEST_CASE("a disk that is mounted already is refused, by us or by anybody", "[mount]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  const std::string fs = GENERATE("ext4", "xfs", "btrfs");
  LoopDisk disk(size_for(fs));
  disk.format(fs, "ROTA-B");
  const auto mount_it = [&] { DiskMount(disk.node(), fs, MountMode::read_write); };
  {
    DiskMount first(disk.node(), fs, MountMode::read_write);
    CHECK(kind_of(mount_it) == base::ErrorKind::refused);
  }
  TempDir point;
  REQUIRE(::mount(disk.node().c_str(), point.path().c_str(), fs.c_str(), 0, nullptr) == 0);
  CHECK(message_of(mount_it).find("it is mounted, or") != std::string::npos);
  ::umount(point.path().c_str());
  CHECK_FALSE(kind_of(mount_it));
}

TEST_CASE("a file that is still open keeps a disk from being reported as free", "[mount]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  LoopDisk disk(64 << 20);
  disk.format("ext4", "ROTA-B");
  DiskMount mount(disk.node(), "ext4", MountMode::read_write);
  const base::Fd held(::openat(mount.fd(), "held", O_CREAT | O_RDWR | O_CLOEXEC, 0600));
  CHECK(kind_of([&] { mount.close(); }) == base::ErrorKind::refused);
}

TEST_CASE("a disk goes free when the process that mounted it is killed", "[mount]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  LoopDisk disk(64 << 20);
  disk.format("ext4", "ROTA-B");
  int ready[2];
  REQUIRE(::pipe2(ready, O_CLOEXEC) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    DiskMount mount(disk.node(), "ext4", MountMode::read_write);
    [[maybe_unused]] const ssize_t n = ::write(ready[1], "x", 1);
    ::pause();
  }
  char byte = 0;
  REQUIRE(::read(ready[0], &byte, 1) == 1);
  ::close(ready[0]);
  ::close(ready[1]);
  CHECK(kind_of([&] { DiskMount(disk.node(), "ext4", MountMode::read_write); }) ==
        base::ErrorKind::refused);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  DiskMount(disk.node(), "ext4", MountMode::read_write).close();
}

TEST_CASE("a disk that is not ours is looked at without one byte being written", "[mount]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  const std::string fs = GENERATE("ext4", "xfs", "btrfs");
  LoopDisk disk(size_for(fs));
  disk.format(fs, "ROTA-B");
  {
    DiskMount mount(disk.node(), fs, MountMode::read_write);
    write(mount.path() + "/early", "text");
    mount.close();
  }
  {  // pulled out in the middle: there is something in its journal
    DiskMount mount(disk.node(), fs, MountMode::read_write);
    write(mount.path() + "/late", "text");
    const base::Fd late(::openat(mount.fd(), "late", O_RDONLY | O_CLOEXEC));
    ::fsync(late.get());
    disk.yank();
  }
  disk.push_in();
  disk.detach();
  disk.attach();
  TempDir dir(fast_directory());
  REQUIRE(succeeds({"cp", "--sparse=always", disk.image(), dir / "before"}));
  {
    DiskMount mount(disk.node(), fs, MountMode::untouched);
    CHECK(read(mount.path() + "/early") == "text");
    mount.close();
  }
  disk.detach();
  CHECK(succeeds({"cmp", "-s", disk.image(), dir / "before"}));
  disk.attach();
  DiskMount mount(disk.node(), fs, MountMode::read_write);
  CHECK(read(mount.path() + "/late") == "text");
}

TEST_CASE("a yanked disk is told of when it is closed", "[mount]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  LoopDisk disk(64 << 20);
  disk.format("ext4", "ROTA-B");
  {
    DiskMount mount(disk.node(), "ext4", MountMode::read_write);
    write(mount.path() + "/a", "text");
    disk.yank();
    CHECK(kind_of([&] { mount.close(); }) == base::ErrorKind::io);
  }
  disk.push_in();
}

TEST_CASE("what cannot be mounted says why", "[mount]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  LoopDisk disk(64 << 20);
  disk.format("ext4", "ROTA-B");
  const auto mounting = [](const std::string& node, const std::string& fs, MountMode mode) {
    return [=] { DiskMount(node, fs, mode); };
  };
  CHECK(kind_of(mounting(disk.node(), "vfat", MountMode::read_only)) == base::ErrorKind::refused);
  CHECK(kind_of(mounting(disk.node() + "p9", "ext4", MountMode::read_only)) ==
        base::ErrorKind::not_found);
  CHECK(kind_of(mounting(disk.node(), "xfs", MountMode::read_only)) == base::ErrorKind::corrupt);

  disk.detach();
  disk.attach(true);
  CHECK(message_of(mounting(disk.node(), "ext4", MountMode::read_write)).find("read-only") !=
        std::string::npos);

  // The inode count of the superblock, which its checksum no longer fits.
  disk.detach();
  disk.attach();
  disk.flip_bit(1024);
  const auto damaged = mounting(disk.node(), "ext4", MountMode::read_only);
  CHECK(kind_of(damaged) == base::ErrorKind::corrupt);
  CHECK(message_of(damaged).find("e2fsck -f " + disk.node()) != std::string::npos);

  const auto no_disk = mounting("/dev/null", "ext4", MountMode::read_only);
  CHECK(kind_of(no_disk) == base::ErrorKind::io);
  CHECK(message_of(no_disk).find("the kernel: ") != std::string::npos);
}
