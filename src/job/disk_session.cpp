#include "job/disk_session.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "disk/lock.h"
#include "disk/superblock.h"
#include "job/disk_events.h"

namespace rota::job {

using base::Error;
using base::ErrorKind;
using disk::MountMode;
using udev::BlockDevice;

namespace {

constexpr const char* kSerialAlarm = "serial number";

/// The devices that a word may mean: all that bear the label of a name, or the parts of a node.
std::vector<BlockDevice> meant(udev::DeviceProbe& devices, const std::vector<BlockDevice>& all,
                               const std::string& word) {
  std::vector<BlockDevice> found;
  if (word.find('/') == std::string::npos) {
    const std::string label = disk::name_of_label(word) ? word : disk::disk_label(word);
    std::ranges::copy_if(all, std::back_inserter(found),
                         [&](const BlockDevice& device) { return device.label == label; });
    // Of an opened container both bear it: the container is the disk.
    std::erase_if(found, [](const BlockDevice& device) { return device.mapper; });
    return found;
  }
  const auto named = devices.find(word);
  if (!named) return found;
  std::ranges::copy_if(all, std::back_inserter(found), [&](const BlockDevice& device) {
    return (device.node == named->node || device.disk_node == named->node) &&
           disk::name_of_label(device.label).has_value();
  });
  if (found.empty()) found.push_back(*named);
  return found;
}

}  // namespace

std::vector<disk::KnownDisk> known_disks(ledger::Disks& disks) {
  std::vector<disk::KnownDisk> known;
  for (const ledger::DiskRow& row : disks.all()) {
    known.push_back({row.name, row.label, row.uuid, row.luks_uuid, row.token_sha256,
                     row.next_token_sha256, row.serial});
  }
  return known;
}

std::string key_file_of(const profile::Places& places, const std::string& disk) {
  const profile::Rotation rotation = profile::load_rotation(places);
  const profile::DiskSet* set = rotation.set_of(disk);
  if (set != nullptr && !set->key_file.empty()) return set->key_file;
  return fmt::format("{}/keys/{}.key", places.config, disk);
}

void refuse_if_ended(const ledger::DiskRow& row) {
  if (row.end == ledger::DiskEnd::in_use) return;
  const std::string advice =
      row.end == ledger::DiskEnd::retired
          ? "prepare a new one under another name"
          : fmt::format("`rota disk release {}` takes it back into the rotation", row.name);
  throw Error(ErrorKind::refused,
              fmt::format("disk {} is {} ({}), and nothing is written to it; {}", row.name,
                          word(row.end), base::printable(row.end_reason), advice));
}

DiskSession::DiskSession(const profile::Places& places, ledger::Disks& disks,
                         udev::DeviceProbe& devices, const std::string& word,
                         const SessionOptions& options, const Surroundings& around, DiskLog* log)
    : places_(places), disks_(disks), devices_(devices), around_(around), options_(options) {
  find(word);
  try {
    recognise(options);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::refused) throw;
    // What a disk that is gone makes fail says that a file or the filesystem is broken.
    const bool read = error.kind() == ErrorKind::io || error.kind() == ErrorKind::corrupt;
    const auto patience =
        read ? std::chrono::milliseconds(kVanishing) : std::chrono::milliseconds(0);
    if (is_at_its_port(patience)) {
      record(error, log);
      throw;
    }
    throw Error(ErrorKind::not_found,
                fmt::format("{} was pulled out, or lost its power, before it was recognised; its "
                            "copies are as they were",
                            base::printable(device_.label)));
  }
}

/// Its label and UUID say which disk it is, though nothing more could be asked of it: what the
/// ledger knew of its copies is in doubt.
void DiskSession::record(const Error& error, DiskLog* log) {
  if (log == nullptr || row_.name.empty()) return;
  log->open(row_.name, device_.node, device_.serial);
  log->observe(error.kind() == ErrorKind::corrupt ? ledger::Observed::damaged
                                                  : ledger::Observed::interrupted,
               error.what());
}

void DiskSession::find(const std::string& word) {
  all_ = devices_.devices();
  std::vector<BlockDevice> found = meant(devices_, all_, word);
  if (!found.empty()) device_ = std::move(found.front());
  const std::string name = disk::name_of_label(device_.label).value_or("");
  // The label of a disk that is being pulled out cannot be read.
  if (found.empty() || (name.empty() && !is_at_its_port(kVanishing))) {
    throw Error(ErrorKind::not_found,
                fmt::format("no disk {} is plugged in; `rota disk list` shows the disks that there "
                            "are and where each should be",
                            base::printable(word)));
  }
  if (name.empty()) {
    throw Error(ErrorKind::refused,
                fmt::format("{} is no rotation disk: it has no label that begins with {}; `rota "
                            "disk prepare` makes one of it",
                            base::printable(device_.node), disk::kLabelPrefix));
  }
  lock_ = options_.held.disk == name
              ? options_.held.lock
              : std::make_shared<const base::LockFile>(disk::lock_disk(places_.run, name));
  for (const BlockDevice& other : all_) {
    const auto other_name = disk::name_of_label(other.label);
    if (other_name && *other_name != name && disks_.find(*other_name) &&
        std::ranges::find(others_, *other_name) == others_.end()) {
      others_.push_back(*other_name);
    }
  }
}

void DiskSession::refuse(const disk::Recognition& recognition) {
  const bool serial = recognition.verdict == disk::Verdict::serial_changed;
  raise_alarm(disks_, around_.clock.now(), serial ? kSerialAlarm : kUnknownDisk,
              ledger::Severity::alarm, recognition.name, "", recognition.message);
  throw Error(ErrorKind::refused, recognition.message);
}

void DiskSession::recognise(const SessionOptions& options) {
  const disk::Recognition seen =
      disk::recognise(device_, std::nullopt, false, known_disks(disks_), all_);
  if (!seen.is_ours() && seen.verdict != disk::Verdict::container) refuse(seen);
  row_ = disks_.get(seen.name);
  if (seen.verdict == disk::Verdict::container) open_container();
  take(untouched_identity(), options);
  look_at_filesystem();
}

void DiskSession::open_container() {
  mapping_.emplace(device_.node, disk::LuksSecrets{key_file_of(places_, row_.name), ""}, row_.name,
                   around_.processes);
  inner_ = devices_.find(mapping_->node());
  if (!inner_) {
    throw Error(ErrorKind::io, fmt::format("the opened container of disk {} has no device {}",
                                           row_.name, mapping_->node()));
  }
}

/// Nothing at all is written to a disk before it is known to be ours.
std::optional<disk::Identity> DiskSession::untouched_identity() {
  try {
    disk::DiskMount look(filesystem().node, filesystem().fs_type, MountMode::untouched);
    std::optional<disk::Identity> identity = disk::read_identity(look.fd());
    look.close();
    return identity;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::corrupt) throw;
    throw Error(ErrorKind::corrupt,
                fmt::format("disk {} cannot be recognised, so that nothing was repaired on it: {}",
                            row_.name, error.what()));
  }
}

/// Goes on with the disk if this identity is that of ours.
void DiskSession::take(const std::optional<disk::Identity>& identity,
                       const SessionOptions& options) {
  const disk::Recognition seen = disk::recognise(filesystem(), identity, true, known_disks(disks_),
                                                 all_, inner_ ? &device_ : nullptr);
  if (!seen.is_ours()) refuse(seen);
  identity_ = *identity;
  if (seen.has_next_token) {
    disks_.confirm_token(row_.name, around_.clock.now());
    row_ = disks_.get(row_.name);
  }
  if (seen.verdict == disk::Verdict::serial_changed) accept_serial(options, seen);
}

void DiskSession::accept_serial(const SessionOptions& options, const disk::Recognition& seen) {
  if (!options.accept_serial) refuse(seen);
  row_.serial = device_.serial;
  disks_.change(row_, around_.clock.now());
  for (const ledger::AlarmRow& alarm : disks_.alarms(row_.name, true)) {
    if (alarm.kind == kSerialAlarm) disks_.close_alarm(alarm.id, around_.clock.now());
  }
}

void DiskSession::look_at_filesystem() {
  const disk::FilesystemReport report =
      disk::inspect_filesystem(filesystem().node, filesystem().fs_type);
  if (report.state != disk::FilesystemState::clean) note_ = report.detail;
  if (report.state != disk::FilesystemState::flagged || !is_in_use()) return;
  around_.progress.set_activity("checking the filesystem");
  const std::string repaired =
      disk::check_filesystem(filesystem().node, filesystem().fs_type, around_.processes);
  if (!repaired.empty()) note_ += "; the check repaired it: " + repaired;
}

bool DiskSession::is_at_its_port(std::chrono::milliseconds patience) const {
  constexpr std::chrono::milliseconds kLook(200);
  for (std::chrono::milliseconds waited(0);; waited += kLook) {
    const auto now_there = devices_.find(device_.node);
    if (!now_there || now_there->sequence != device_.sequence) return false;
    if (waited >= patience) return true;
    around_.clock.sleep(kLook, {});
  }
}

udev::BlockDevice DiskSession::whole() const {
  const auto found = std::ranges::find(all_, device_.disk_node, &BlockDevice::node);
  return found == all_.end() ? device_ : *found;
}

disk::DiskMount& DiskSession::mount(MountMode mode) {
  unmount();
  if (mode == MountMode::read_only && !is_in_use()) mode = MountMode::untouched;
  require_same_device();
  mount_.emplace(filesystem().node, filesystem().fs_type, mode);
  try {
    require_same_device();
    // Nothing is written before this says that it is the disk. The identity that was seen first is
    // the one before the journal was replayed: a seal that lost its power may show another one now,
    // which must not be forgotten for the next one.
    if (mode != MountMode::untouched) take(disk::read_identity(mount_->fd()), options_);
  } catch (const Error&) {
    mount_.reset();
    throw;
  }
  return *mount_;
}

/// A mount goes by the node, which another disk may have by now.
void DiskSession::require_same_device() const {
  const auto now_there = devices_.find(filesystem().node);
  // Files of btrfs have device numbers of their own.
  const bool same_number =
      !mount_ || filesystem().fs_type == "btrfs" || mount_->device() == filesystem().number;
  if (is_at_its_port(std::chrono::milliseconds(0)) && now_there &&
      now_there->number == filesystem().number && same_number) {
    return;
  }
  throw Error(ErrorKind::not_found,
              fmt::format("disk {} is no longer at {}: it was pulled out, or lost its power; plug "
                          "it in again",
                          row_.name, base::printable(device_.node)));
}

void DiskSession::unmount() {
  if (!mount_) return;
  mount_->close();
  mount_.reset();
}

void DiskSession::close() {
  unmount();
  if (mapping_) mapping_->close();
  mapping_.reset();
}

}  // namespace rota::job
