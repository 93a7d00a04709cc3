#pragma once

#include <sys/types.h>

#include <string>

#include "base/file.h"

namespace rota::disk {

/// untouched: read-only, and the journal is not replayed either, so that nothing at all is written:
/// for a disk that is not ours. What the journal would have completed is not seen.
enum class MountMode { read_only, read_write, untouched };

/// A filesystem mounted for this process alone.
///
/// The mount is detached: it stands nowhere in the tree of names, no other process can see it,
/// nothing can be mounted over it, and when the process dies it is gone. Everything goes through
/// fd(). nosuid, nodev, noexec, noatime; ext4 goes read-only at the first error.
class DiskMount {
 public:
  /// node: the block device; fs_type: "ext4", "xfs" or "btrfs".
  ///
  /// Throws Error: refused when somebody has it mounted or holds it, and for another kind of
  /// filesystem; corrupt when the filesystem is damaged; not_found when there is no such device;
  /// unavailable when the medium does not answer; io otherwise. The kernel's own words are in it.
  DiskMount(const std::string& node, const std::string& fs_type, MountMode mode);
  DiskMount(DiskMount&&) = default;
  DiskMount& operator=(DiskMount&&) = delete;
  /// Unmounts without telling of trouble: what must have arrived is closed with close().
  ~DiskMount() = default;

  /// An open descriptor of the root directory (O_RDONLY | O_DIRECTORY).
  int fd() const { return root_.get(); }
  /// st_dev of the root: what everything on this filesystem has (but for subvolumes of btrfs).
  dev_t device() const { return device_; }
  /// "/proc/self/fd/N": the root as a path, for this process only.
  std::string path() const;
  const std::string& node() const { return node_; }
  const std::string& fs_type() const { return fs_type_; }
  MountMode mode() const { return mode_; }

  /// Returns when everything is on the medium. Throws Error(io), also for what failed earlier.
  void sync();
  /// Syncs and unmounts, and returns when the device is free. Throws Error(io) when not everything
  /// arrived, and locked when some descriptor keeps the filesystem in use; unmounted or about to be
  /// it is in any case. Does nothing the second time.
  void close();

 private:
  std::string node_;
  std::string fs_type_;
  MountMode mode_;
  dev_t device_ = 0;
  base::Fd mount_;
  base::Fd root_;
};

}  // namespace rota::disk
