#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "support/files.h"
#include "udev/partitions.h"

namespace rota::test {

/// A disk that can be formatted, mounted, pulled out and damaged: a loop device on a sparse image.
///
///   if (const auto why = LoopDisk::missing()) return skip(*why);
///   LoopDisk disk(128 << 20);
///   disk.format("ext4", "ROTA-B");
///
/// Detached in the destructor; and by the kernel (autoclear) when the process dies. The smallest
/// sizes: ext4 8 MiB, btrfs 128 MiB, XFS 320 MiB; what is not written takes no room.
class LoopDisk {
 public:
  /// Why there can be none here (not root, no loop driver); nothing when there can.
  static std::optional<std::string> missing();
  /// Why there can be no LUKS mapping here; nothing when there can.
  static std::optional<std::string> no_mapper();

  explicit LoopDisk(std::uint64_t size);
  LoopDisk(const LoopDisk&) = delete;
  LoopDisk& operator=(const LoopDisk&) = delete;
  ~LoopDisk();

  /// "/dev/loop3". After detach() and attach() it may be another.
  const std::string& node() const { return node_; }
  /// The node of a partition, which the kernel is made to know if it does not yet.
  std::string partition(int number);
  /// The file behind it.
  std::string image() const { return directory_ / "disk.img"; }

  /// Makes a filesystem on the whole disk, or on `node`; fs: "ext4", "xfs" or "btrfs".
  void format(const std::string& fs, const std::string& label, const std::string& node = "");

  /// Unplugged in good order, and plugged in again: partitions are known as before.
  void detach();
  void attach(bool read_only = false);

  /// Pulled out while in use: from now on every read and write of the device fails.
  void yank();
  /// The end of yank(), for whoever still has the device open.
  void push_in();
  /// The device refuses writes, as a failing stick does.
  void set_read_only(bool value);
  /// Turns over one bit of the medium behind the back of whoever has it open. A page that is cached
  /// above the device still has the old bit.
  void flip_bit(std::uint64_t offset);

 private:
  void set_limit(std::uint64_t bytes);
  void resize(const udev::Partition& part, std::uint64_t size);

  TempDir directory_;
  std::string node_;
  base::Fd device_;
  std::vector<udev::Partition> partitions_;  ///< as they were before yank()
};

}  // namespace rota::test
