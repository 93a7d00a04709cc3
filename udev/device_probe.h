#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace rota::udev {

enum class DeviceKind { disk, partition };

/// One block device as it is at this moment. All texts are as the device or the medium gives them,
/// without white space at the ends: show them through base::printable().
struct BlockDevice {
  std::string node;   ///< "/dev/sdb1"
  std::string sysfs;  ///< "/sys/devices/.../block/sdb/sdb1"
  dev_t number = 0;   ///< major and minor, as in stat's st_rdev
  DeviceKind kind = DeviceKind::disk;
  std::string disk_node;   ///< the whole disk's; its own for a disk
  std::uint64_t size = 0;  ///< bytes
  std::string vendor;      ///< of the whole disk, as are the next two; each may be empty
  std::string model;
  std::string serial;      ///< the disk's own where the bridge tells it, else the bridge's
  bool usb = false;        ///< attached by USB, however far up
  bool removable = false;  ///< the kernel says that the medium can be taken out
  bool read_only = false;
  bool loop = false;
  /// The kernel's number for the medium, which counts up whenever one comes (diskseq); 0: it has
  /// none. Of the whole disk.
  std::uint64_t sequence = 0;
  bool mapper = false;  ///< made by the device mapper (an opened LUKS container, LVM) or md

  /// What libblkid reads from the medium. fs_type: "ext4", "xfs", "crypto_LUKS" ...; empty when
  /// there is nothing, or when it is not clear what it is (then `signatures` has the candidates).
  std::string fs_type;
  std::string label;           ///< of the filesystem, or of a LUKS2 container
  std::string uuid;            ///< of the same
  std::string table;           ///< the kind of the partition table: "gpt", "dos"; empty without one
  std::string partition_name;  ///< of a GPT partition
  /// Every signature that is found: filesystems, containers, RAID members, swap, tables.
  std::vector<std::string> signatures;

  /// Where it is mounted, in this process's mount namespace or in that of process 1. A detached
  /// mount is seen by nobody but its owner: to be sure, open the node with O_EXCL.
  std::vector<std::string> mount_points;
  /// Who else holds it: "dm-0", "md127", "swap".
  std::vector<std::string> holders;
  /// Nodes of a disk's partitions, by their number.
  std::vector<std::string> children;
};

/// The seam to the machine's block devices. One real implementation, a fake in tests.
class DeviceProbe {
 public:
  virtual ~DeviceProbe() = default;
  /// All disks and partitions that have a medium, disks before their partitions. A device that
  /// cannot be read stands there without what is on it. Throws Error(io) when sysfs is missing.
  virtual std::vector<BlockDevice> devices() = 0;
  /// The device behind a node or a link to one ("/dev/disk/by-label/ROTA-B"); nothing when it is
  /// no block device, or has no medium.
  virtual std::optional<BlockDevice> find(const std::string& node_or_link) = 0;
};

/// The real one: sysfs by libudev, the media by libblkid. Needs no running udevd and uses nothing
/// that udevd has written down, so that it answers the same with and without it. Keeps no state.
DeviceProbe& real_devices();

}  // namespace rota::udev
