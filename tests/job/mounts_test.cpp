#include "job/mounts.h"

#include <catch2/catch.hpp>

#include "support/files.h"

using namespace rota;
using Paths = std::vector<std::string>;

namespace {

constexpr const char* kMountinfo =
    "22 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw\n"
    "23 22 0:21 / /proc rw - proc proc rw\n"
    "24 22 8:3 / /home rw shared:2 master:1 - xfs /dev/sda3 rw\n"
    "25 22 8:4 / /srv/a\\040b rw - btrfs /dev/sda4 rw\n"
    "26 22 0:30 / /tmp rw - tmpfs tmpfs rw\n"
    "27 22 0:31 / /run/media/x rw - vfat /dev/sdb1 rw\n"
    "28 22 7:1 / /snap/core/1 ro - squashfs /dev/loop1 ro\n"
    "29 24 0:40 / /home/x/.gvfs rw - fuse.gvfsd-fuse gvfsd-fuse rw\n"
    "30 22 0:41 / /srv/nfs rw - nfs4 host:/export rw\n"
    "a line that makes no sense\n";

}  // namespace

TEST_CASE("mounts that hold data are told from those of the kernel", "[mounts]") {
  CHECK(job::data_mounts(kMountinfo, "/") == Paths{"/", "/home", "/srv/a b", "/srv/nfs"});
  CHECK(job::data_mounts(kMountinfo, "/srv") == Paths{"/srv/a b", "/srv/nfs"});
  CHECK(job::data_mounts("", "/").empty());
}

TEST_CASE("mounts are remembered with any name", "[mounts]") {
  const test::TempDir dir;
  const profile::Places places{dir / "c", dir / "s", dir / "k", dir / "r"};
  CHECK_FALSE(job::remembered_mounts(places, "web", job::MountMemory::copy));
  const Paths mounts{"/", "/a\nb\\040c", "/\xff"};
  job::remember_mounts(places, "web", job::MountMemory::copy, mounts);
  CHECK(job::remembered_mounts(places, "web", job::MountMemory::copy) == mounts);
}
