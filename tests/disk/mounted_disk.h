#pragma once

#include <unistd.h>

#include <optional>
#include <string>

#include "disk/copy_fixture.h"
#include "disk/mount.h"
#include "support/loop_disk.h"

namespace rota::test {

/// A loop device with a filesystem, mounted and unmounted in turn.
class MountedDisk {
 public:
  MountedDisk(const std::string& fs, std::uint64_t size) : disk(size), fs_(fs) {
    disk.format(fs, "ROTA-T");
    mount();
  }
  void mount(disk::MountMode mode = disk::MountMode::read_write) {
    mount_.emplace(disk.node(), fs_, mode);
    place.emplace(path());
  }
  void unmount() {
    place.reset();
    mount_->close();
    mount_.reset();
  }
  void remount(disk::MountMode mode = disk::MountMode::read_write) {
    unmount();
    mount(mode);
  }
  /// After the device failed: what cannot be written any more does not count.
  void let_go() {
    place.reset();
    mount_.reset();
  }
  /// As other programs find it, while it is mounted.
  std::string path() const {
    return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(mount_->fd());
  }

  LoopDisk disk;

 private:
  std::string fs_;
  std::optional<disk::DiskMount> mount_;

 public:
  std::optional<CopyPlace> place;  ///< while it is mounted
};

}  // namespace rota::test
