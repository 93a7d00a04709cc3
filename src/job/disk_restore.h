#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "disk/copies.h"
#include "disk/index_source.h"
#include "disk/luks.h"
#include "disk/mount.h"
#include "job/disk_key.h"
#include "job/server.h"
#include "udev/device_probe.h"

namespace rota::job {

/// Copies on a rotation disk that is only to be read: also on a machine that has never seen it.
///
/// A disk that the ledger of this machine does not know is mounted without touching it, so that
/// what its journal would still have to complete is not seen.
class DiskReader {
 public:
  /// word: a disk's name or label, or a device. key: of an encrypted one. Throws Error: not_found,
  /// locked, refused, corrupt.
  DiskReader(const profile::Places& places, udev::DeviceProbe& devices, const std::string& word,
             const DiskKey& key, const Surroundings& around);

  /// The disk's, by its label; empty: it has none of rota's.
  const std::string& name() const { return name_; }
  /// Why this is not the disk that the ledger knows by this name, though it looks like it: an old
  /// clone, a restored image. A sentence; empty: it is, or this machine knows none of that name.
  const std::string& doubt() const { return doubt_; }
  /// Sealed ones, by server and time.
  std::vector<disk::CopyInfo> copies() const;
  /// The copy that shows a server as it was at a moment: the newest that is not later; `at` empty:
  /// the newest. server may be empty where all copies are of one. Throws Error(not_found, usage)
  /// with what there is.
  disk::CopyInfo select(const std::string& server, const std::string& at, base::Instant now) const;
  std::unique_ptr<disk::IndexSource> open(const disk::CopyInfo& copy, base::Warnings& warnings);

 private:
  void compare_with_ledger(const profile::Places& places, udev::DeviceProbe& devices,
                           const udev::BlockDevice& device, const udev::BlockDevice* container);

  std::string name_;
  std::string doubt_;
  std::optional<base::LockFile> lock_;
  std::optional<disk::LuksMapping> mapping_;
  std::optional<disk::DiskMount> mount_;
};

/// The copy whose own directory, with `tree` and `index` in it, is mounted somewhere.
std::unique_ptr<disk::IndexSource> open_copy_directory(const std::string& directory,
                                                       base::Warnings& warnings);

/// What that copy is, by its COPY.json. Throws Error(not_found, corrupt).
disk::CopyRecord copy_record_in(const std::string& directory);

/// The name of the rotation disk on which `path` lies; empty: on none.
std::string disk_of(udev::DeviceProbe& devices, const std::string& path);

/// Throws Error(refused) when `path`, or where it will lie, is on a rotation disk.
void check_no_rotation_disk(udev::DeviceProbe& devices, const std::string& path);

}  // namespace rota::job
