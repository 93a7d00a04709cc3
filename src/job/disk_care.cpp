#include "job/disk_care.h"

#include <fcntl.h>
#include <fmt/core.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "disk/copies.h"
#include "disk/lock.h"
#include "disk/verify_copy.h"
#include "job/disk_finish.h"
#include "job/disk_room.h"
#include "ledger/export.h"
#include "tree/beneath.h"

namespace rota::job {

using base::Error;
using base::ErrorKind;
using disk::MountMode;
using ledger::Observed;

DiskCare::DiskCare(const profile::Places& places, udev::DeviceProbe& devices,
                   const std::string& word, const SessionOptions& options,
                   const OnDiskEvent& listener, const Surroundings& around)
    : around_(around),
      ledger_(ledger_path(places)),
      disks_(ledger_),
      session_(places, disks_, devices, word, options, around),
      log_(places, disks_, around, listener) {
  log_.open(name(), session_.device().node, session_.device().serial);
  log_.observe(Observed::connected, session_.filesystem_note());
}

std::vector<DiskCare::Verified> DiskCare::verify(const std::string& server, bool all) {
  const disk::DiskMount& mount = session_.mount(MountMode::read_only);
  log_.observe(Observed::verifying);
  DiskChecks checks(disks_, log_, session_, around_);
  std::vector<Verified> verified;
  const std::vector<disk::CopyInfo> copies = disk::list_copies(mount.fd());
  for (const disk::CopyInfo& info : copies) {
    if (info.state != disk::CopyState::sealed) continue;
    if (!server.empty() && info.server != server) continue;
    if (!all && disk::newest_sealed(copies, info.server)->directory != info.directory) continue;
    verified.push_back({info.server, base::compact(info.time),
                        checks.verify(mount, info.server, info.directory, ledger::CheckKind::full,
                                      info.record ? info.record->bytes : 0)});
  }
  note(verified);
  session_.close();
  log_.observe(Observed::connected, "verified");
  if (verified.empty()) {
    throw Error(ErrorKind::not_found, server.empty()
                                          ? fmt::format("disk {} holds no sealed copy yet", name())
                                          : fmt::format("disk {} holds no sealed copy of {}",
                                                        name(), base::printable(server)));
  }
  return verified;
}

/// Nothing is written to a disk that is held, lost or retired, and none that takes no more writes
/// can be told: it is damaged all the same.
void DiskCare::note(std::vector<Verified>& verified) {
  const auto damaged = [](const Verified& one) { return !one.check.good(); };
  const bool in_use = session_.row().end == ledger::DiskEnd::in_use;
  if (!in_use || std::ranges::none_of(verified, damaged)) return;
  try {
    const disk::DiskMount& mount = session_.mount(MountMode::read_write);
    for (Verified& one : verified) {
      if (damaged(one)) disk::note_damage(mount.fd(), one.server, one.check);
    }
    session_.unmount();
    for (Verified& one : verified) one.noted = damaged(one);
  } catch (const Error& error) {
    around_.warnings.warn(
        name(), fmt::format("what is damaged could not be noted on the disk: {}", error.what()));
  }
}

std::vector<Scrubbed> DiskCare::scrub(std::chrono::seconds budget) {
  DiskChecks checks(disks_, log_, session_, around_);
  log_.observe(Observed::verifying);
  std::vector<Scrubbed> scrubbed = checks.scrub(session_.mount(MountMode::read_only), budget);
  checks.keep(session_.mount(MountMode::read_write), scrubbed);
  session_.close();
  log_.observe(Observed::connected, "scrubbed");
  return scrubbed;
}

std::vector<disk::PowerStep> DiskCare::eject() {
  const udev::BlockDevice whole = session_.whole();
  session_.close();
  const std::vector<disk::PowerStep> steps = disk::power_down(whole);
  log_.observe(Observed::safe_to_remove, "ejected");
  return steps;
}

namespace {

/// The filesystem's identity and, where it is there, the ledger of the station that wrote it.
struct Found {
  std::optional<disk::Identity> identity;
  std::string ledger;
};

Found look(const udev::BlockDevice& device) {
  Found found;
  disk::DiskMount mount(device.node, device.fs_type, MountMode::untouched);
  found.identity = disk::read_identity(mount.fd());
  if (base::Fd file = tree::open_beneath(mount.fd(), kLedgerFile, O_RDONLY | O_NONBLOCK);
      file.valid()) {
    found.ledger = base::read_file(fmt::format("/proc/self/fd/{}", file.get()), ledger::kMaxExport);
  }
  mount.close();
  return found;
}

/// From the disk alone: for a ledger that has a history of its own.
ledger::DiskRow row_from(const udev::BlockDevice& device, const udev::BlockDevice& filesystem,
                         const disk::Identity& identity) {
  ledger::DiskRow row;
  row.name = identity.name;
  row.label = disk::disk_label(identity.name);
  row.uuid = filesystem.uuid;
  if (filesystem.node != device.node) row.luks_uuid = device.uuid;
  row.filesystem = filesystem.fs_type;
  row.token_sha256 = disk::token_hash(identity.token);
  row.serial = device.serial;
  row.model = device.model;
  row.size = device.size;
  row.set = identity.set;
  row.prepared = identity.prepared;
  return row;
}

}  // namespace

std::string adopt_disk(const profile::Places& places, udev::DeviceProbe& devices,
                       const std::string& word, const DiskKey& key, const Surroundings& around) {
  const auto device = devices.find(word);
  if (!device || !disk::name_of_label(device->label)) {
    throw Error(ErrorKind::not_found,
                fmt::format("{} is no device with a rotation disk's label; give the partition as "
                            "`lsblk -o NAME,LABEL` shows it",
                            base::printable(word)));
  }
  const std::string name = *disk::name_of_label(device->label);
  const base::LockFile lock = disk::lock_disk(places.run, name);
  ledger::Ledger ledger(ledger_path(places));
  ledger::Disks disks(ledger);
  if (disks.find(name)) {
    throw Error(ErrorKind::refused,
                fmt::format("this machine has a disk {} already; two disks of one name cannot be "
                            "told apart",
                            name));
  }
  std::optional<disk::LuksMapping> mapping;
  std::optional<udev::BlockDevice> filesystem = device;
  if (device->fs_type == "crypto_LUKS") {
    mapping.emplace(device->node, opener_of(places, name, key), name, around.processes);
    filesystem = devices.find(mapping->node());
  }
  const Found found = look(*filesystem);
  if (!found.identity || found.identity->name != name ||
      found.identity->fs_uuid != filesystem->uuid) {
    throw Error(ErrorKind::refused,
                fmt::format("{} has the label of a rotation disk, but nothing on it proves that it "
                            "is one: it may be a clone, or was never prepared by rota",
                            base::printable(word)));
  }
  if (disks.all().empty() && !found.ledger.empty()) {
    try {
      const ledger::Exported exported = ledger::parse_export(found.ledger, "disk " + name);
      // What this machine recorded before it knew of any disk is that this one was refused.
      ledger::rebuild(ledger, std::span(&exported, 1), true);
    } catch (const Error& error) {
      around.warnings.warn(
          name, fmt::format("{}; the disk is taken over without its history", error.what()));
    }
  }
  if (!disks.find(name))
    disks.add(row_from(*device, *filesystem, *found.identity), around.clock.now());
  return name;
}

}  // namespace rota::job
