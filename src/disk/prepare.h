#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/process.h"
#include "base/time.h"
#include "udev/device_probe.h"

namespace rota::disk {

/// What somebody who is about to lose a disk's content must see first.
struct PrepareTarget {
  udev::BlockDevice disk;
  std::vector<udev::BlockDevice> partitions;
  /// What is on it, a line each: "partition 1, 2 TB: ext4, label \"photos\"". Empty: nothing.
  std::vector<std::string> contents;
};

struct PrepareOptions {
  std::string name;  ///< is_disk_name()
  std::string set;   ///< is_set_name(), or empty: the only one
  std::string fs_type = "ext4";
  bool encrypt = false;
  std::string key_file;      ///< where the new key is put, when encrypt
  bool allow_fixed = false;  ///< also a disk that is neither attached by USB nor removable
  bool wipe = false;         ///< also a disk that is not empty; the name was typed for it
  std::string lock_directory = "/run/rota";
};

/// All that the ledger should know of a new disk.
struct PreparedDisk {
  std::string name;
  std::string label;
  std::string set;
  std::string fs_type;
  std::string fs_uuid;
  std::string luks_uuid;       ///< empty for a plain disk
  std::string partition_node;  ///< "/dev/sdb1", as long as it is plugged in
  std::string token_hash;
  std::string vendor;
  std::string model;
  std::string serial;
  std::uint64_t size = 0;  ///< of the whole disk, bytes
  base::Instant prepared{};
  std::string key_file;             ///< on this host; empty for a plain disk
  std::string recovery_passphrase;  ///< to be shown once and kept nowhere; empty for a plain disk
};

/// What preparing needs of its surroundings.
struct PrepareTools {
  udev::DeviceProbe& devices;
  base::ProcessRunner& processes;
  base::Clock& clock;
  /// Told before each step: "making the partition".
  std::function<void(const std::string&)> step = nullptr;
  /// Puts the disk into the ledger, when it is complete and still under its lock. If it throws, the
  /// disk is unlabelled again.
  std::function<void(const PreparedDisk&)> record = nullptr;
};

/// Looks at what is to become a rotation disk: a whole disk, by node or link.
/// Throws Error: not_found, or usage when it is a partition.
PrepareTarget look_at(udev::DeviceProbe& devices, const std::string& node);

/// Throws Error(refused) unless each of these devices is still the one that a person was shown: a
/// disk may be changed while a question waits for its answer.
void refuse_if_changed(udev::DeviceProbe& devices, std::span<const udev::BlockDevice> shown);

/// Throws Error(refused) when the disk must not be prepared, saying why and what would help: it or
/// a part of it is mounted, in use, or the system's; it is read-only or too small; it is not empty
/// (and no `wipe`); it is neither attached by USB nor removable (and no `allow_fixed`). And
/// Error(usage) for a name or a filesystem that cannot be. Pure.
void check_target(const PrepareTarget& target, const PrepareOptions& options);

/// Makes the disk: GPT with one partition, the LUKS container if asked for, the filesystem, the
/// identity and the reserve file, and, last of all, the label. Whatever goes wrong before that
/// leaves a disk without a rotation label, and the error says that its old content is gone.
///
/// Holds the disk's lock and the device's (flock, as udev respects it) throughout, and the disk's
/// until udevd has seen the label, so that its own label starts nothing. Looks at the target once
/// more under the lock.
/// Throws Error: as check_target(); locked; io.
PreparedDisk prepare(const std::string& node, const PrepareOptions& options, PrepareTools& tools);

/// The smallest disk that each filesystem can be made on, in bytes.
std::uint64_t smallest_disk(const std::string& fs_type);

}  // namespace rota::disk
