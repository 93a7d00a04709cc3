#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/lock.h"
#include "disk/luks.h"
#include "disk/mount.h"
#include "disk/recognise.h"
#include "job/server.h"
#include "ledger/disks.h"
#include "profile/rotation.h"
#include "udev/device_probe.h"

namespace rota::job {

/// What the ledger knows of all disks, as recognise() takes it.
std::vector<disk::KnownDisk> known_disks(ledger::Disks& disks);

/// Throws Error(refused) for a disk that is lost, retired or held: nothing is written to it.
void refuse_if_ended(const ledger::DiskRow& row);

class DiskLog;

/// The kind of the alarm about a disk with a rotation label that is not ours, or not to be trusted.
inline constexpr const char* kUnknownDisk = "unknown disk";

/// How long a device may outlive the disk that was pulled out.
inline constexpr std::chrono::seconds kVanishing{2};

/// The lock of a disk, and its name.
struct HeldLock {
  std::string disk;
  std::shared_ptr<const base::LockFile> lock;
};

/// What makes DiskSession refuse a device or let it pass.
struct SessionOptions {
  /// A person says that the disk is right though its serial number is another: it is recorded.
  bool accept_serial = false;
  /// Of who has waited for it: between two locks somebody else might come. Else DiskSession takes
  /// the lock itself, without waiting.
  HeldLock held;
};

/// One rotation disk at a port: found, locked, recognised, and from then on mounted as it is
/// needed.
///
/// Nothing is written to a disk that is not the one that the ledger knows by UUID and token. While
/// this object lives no other rota works on the disk.
class DiskSession {
 public:
  /// word: the disk's name, its label, or a node of it or of its partition. Locks and recognises
  /// it; an encrypted one is opened. Only then is a filesystem checked, and repaired, that says
  /// that it needs it; that of a disk which is lost, retired or held never.
  ///
  /// log: where it is recorded that a disk with a known label and UUID could not be worked with;
  /// the log is opened for that. May be null.
  ///
  /// Throws Error: not_found when no such disk is at a port, or none any more; locked; refused for
  /// one that is not ours or not to be trusted (then the ledger has an alarm about it); corrupt
  /// when the filesystem is damaged.
  DiskSession(const profile::Places& places, ledger::Disks& disks, udev::DeviceProbe& devices,
              const std::string& word, const SessionOptions& options, const Surroundings& around,
              DiskLog* log = nullptr);

  const ledger::DiskRow& row() const { return row_; }
  /// The partition or disk that has the filesystem or is the container.
  const udev::BlockDevice& device() const { return device_; }
  /// The whole disk.
  udev::BlockDevice whole() const;
  const disk::Identity& identity() const { return identity_; }
  /// Names of other known disks that are at a port too.
  const std::vector<std::string>& others() const { return others_; }
  /// False when it was pulled out since, also if it is back, or is within `patience`: what a disk
  /// that is gone makes fail may fail a moment before the kernel has taken the device away.
  bool is_at_its_port(std::chrono::milliseconds patience) const;
  /// What the filesystem said of itself, and what a check repaired; empty when all was well.
  const std::string& filesystem_note() const { return note_; }

  /// Mounts it, after unmounting it where it is mounted: what was written is on the medium then,
  /// and what is read comes from there. A disk that is lost, retired or held is not touched by
  /// `read_only` either.
  ///
  /// Throws Error(not_found) when the device is no longer the one that was recognised, and
  /// Error(refused) when its identity is not that of the disk: before anything is written.
  disk::DiskMount& mount(disk::MountMode mode);
  /// Null while it is not mounted.
  disk::DiskMount* mounted() { return mount_ ? &*mount_ : nullptr; }
  /// Unmounts. Throws Error(io) when not everything arrived.
  void unmount();
  /// Unmounts and closes the container.
  void close();

 private:
  void find(const std::string& word);
  [[noreturn]] void refuse(const disk::Recognition& recognition);
  void open_container();
  std::optional<disk::Identity> untouched_identity();
  void take(const std::optional<disk::Identity>& identity, const SessionOptions& options);
  void accept_serial(const SessionOptions& options, const disk::Recognition& seen);
  void look_at_filesystem();
  void recognise(const SessionOptions& options);
  void record(const base::Error& error, DiskLog* log);
  void require_same_device() const;
  bool is_in_use() const { return row_.end == ledger::DiskEnd::in_use; }
  const udev::BlockDevice& filesystem() const { return inner_ ? *inner_ : device_; }

  const profile::Places& places_;
  ledger::Disks& disks_;
  udev::DeviceProbe& devices_;
  const Surroundings around_;
  std::vector<udev::BlockDevice> all_;
  udev::BlockDevice device_;
  std::optional<udev::BlockDevice> inner_;  ///< the filesystem in an opened container
  ledger::DiskRow row_;
  disk::Identity identity_;
  std::vector<std::string> others_;
  std::string note_;
  SessionOptions options_;
  std::shared_ptr<const base::LockFile> lock_;
  std::optional<disk::LuksMapping> mapping_;
  std::optional<disk::DiskMount> mount_;
};

/// Where the key of an encrypted disk lies: <config>/keys/<name>.key, unless its set says else.
std::string key_file_of(const profile::Places& places, const std::string& disk);

}  // namespace rota::job
