#include "job/disk_adopt.h"

#include <fcntl.h>
#include <fmt/core.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "disk/lock.h"
#include "disk/luks.h"
#include "disk/mount.h"
#include "job/disk_finish.h"
#include "job/disk_room.h"
#include "job/disk_session.h"
#include "ledger/export.h"
#include "tree/beneath.h"

namespace rota::job {

using base::Error;
using base::ErrorKind;
using ledger::HistoryRow;

namespace {

/// One run of adopt_disk().
class Adoption {
 public:
  Adoption(const profile::Places& places, udev::DeviceProbe& devices, const std::string& word,
           const ConfirmAdoption& confirm, const DiskKey& key, const Surroundings& around)
      : places_(places),
        devices_(devices),
        word_(word),
        confirm_(confirm),
        key_(key),
        around_(around),
        ledger_(places.ledger()),
        disks_(ledger_) {}

  std::string run();

 private:
  void find();
  void look();
  void check_known(const ledger::DiskRow& row) const;
  void take_over();
  void take_over_known(const ledger::DiskRow& row);
  std::optional<ledger::Exported> on_disk() const;
  ledger::DiskRow row_from_disk() const;
  base::Instant now() const { return around_.clock.now(); }

  const profile::Places& places_;
  udev::DeviceProbe& devices_;
  const std::string& word_;
  const ConfirmAdoption& confirm_;
  const DiskKey& key_;
  const Surroundings& around_;
  ledger::Ledger ledger_;
  ledger::Disks disks_;
  std::string name_;
  udev::BlockDevice device_;
  udev::BlockDevice filesystem_;  ///< the device, or what its container holds
  std::optional<base::LockFile> lock_;
  std::optional<disk::LuksMapping> mapping_;
  std::optional<disk::DiskMount> mount_;
  std::optional<disk::Identity> identity_;
  std::string export_;  ///< the ledger of the station that wrote the disk; empty: none
};

void Adoption::find() {
  const auto device = devices_.find(word_);
  if (!device || !disk::name_of_label(device->label)) {
    throw Error(ErrorKind::not_found,
                fmt::format("{} is no device with a rotation disk's label; give the partition as "
                            "`lsblk -o NAME,LABEL` shows it",
                            base::printable(word_)));
  }
  device_ = *device;
  name_ = *disk::name_of_label(device->label);
  lock_.emplace(disk::lock_disk(places_.run, name_));
}

/// Opens and mounts it; nothing at all is written to it.
void Adoption::look() {
  filesystem_ = device_;
  if (device_.fs_type == "crypto_LUKS") {
    mapping_.emplace(device_.node, opener_of(places_, name_, key_), name_, around_.processes);
    if (auto inner = devices_.find(mapping_->node())) filesystem_ = std::move(*inner);
  }
  mount_.emplace(filesystem_.node, filesystem_.fs_type, disk::MountMode::untouched);
  identity_ = disk::read_identity(mount_->fd());
  if (base::Fd file = tree::open_beneath(mount_->fd(), kLedgerFile, O_RDONLY | O_NONBLOCK);
      file.valid()) {
    export_ = base::read_file(fmt::format("/proc/self/fd/{}", file.get()), ledger::kMaxExport);
  }
  if (!identity_ || identity_->name != name_ || identity_->fs_uuid != filesystem_.uuid) {
    throw Error(ErrorKind::refused,
                fmt::format("{} has the label of a rotation disk, but nothing on it proves that it "
                            "is one: it may be a clone, or was never prepared by rota",
                            base::printable(word_)));
  }
}

/// From the disk alone: for a ledger that has a history of its own.
ledger::DiskRow Adoption::row_from_disk() const {
  ledger::DiskRow row;
  row.name = identity_->name;
  row.label = disk::disk_label(identity_->name);
  row.uuid = filesystem_.uuid;
  if (filesystem_.node != device_.node) row.luks_uuid = device_.uuid;
  row.filesystem = filesystem_.fs_type;
  row.token_sha256 = disk::token_hash(identity_->token);
  row.serial = device_.serial;
  row.model = device_.model;
  row.size = device_.size;
  row.set = identity_->set;
  row.prepared = identity_->prepared;
  return row;
}

std::optional<ledger::Exported> Adoption::on_disk() const {
  if (export_.empty()) return std::nullopt;
  try {
    return ledger::parse_export(export_, "disk " + name_);
  } catch (const Error& error) {
    around_.warnings.warn(
        name_, fmt::format("{}; the disk is taken over without its history", error.what()));
    return std::nullopt;
  }
}

/// The same name on another filesystem is another disk.
void Adoption::check_known(const ledger::DiskRow& row) const {
  const std::string& uuid = row.luks_uuid.empty() ? row.uuid : row.luks_uuid;
  if (device_.uuid != uuid) {
    throw Error(ErrorKind::refused,
                fmt::format("this machine has a disk {} already; two disks of one name cannot be "
                            "told apart",
                            name_));
  }
}

/// Whether nothing that a person said or that rota wrote to a disk is lost with the ledger's own
/// rows: what the machine saw meanwhile (disks that come and go, alarms, copies that were read)
/// shows again.
bool holds_all_of(const std::vector<HistoryRow>& theirs, const std::vector<HistoryRow>& ours) {
  if (theirs.size() <= ours.size()) return false;
  const auto parting =
      std::ranges::mismatch(ours, theirs, {}, &HistoryRow::hash, &HistoryRow::hash);
  if (parting.in1 == ours.begin()) return false;  // that of another machine
  return std::none_of(parting.in1, ours.end(), [](const HistoryRow& row) {
    return row.kind == "disk" || row.kind == "claim" || row.kind == "drill";
  });
}

void Adoption::take_over_known(const ledger::DiskRow& row) {
  const std::string token = disk::token_hash(identity_->token);
  if (token == row.token_sha256 || token == row.next_token_sha256) {
    throw Error(
        ErrorKind::refused,
        fmt::format("disk {0} is known here as it is; `rota disk attach {0}` copies to it", name_));
  }
  const std::optional<ledger::Exported> exported = on_disk();
  if (exported && holds_all_of(exported->rows, ledger::History(ledger_).rows())) {
    ledger::rebuild(ledger_, std::span(&*exported, 1), true);
    const auto again = disks_.find(name_);
    if (again && again->token_sha256 == token) return;
  }
  confirm_(name_, fmt::format("This machine's ledger knows another state of disk {0} than this "
                              "one, and its history is not the beginning of that on the disk. If "
                              "this is an old clone or a restored image, and the disk itself is "
                              "elsewhere, that one will be refused from now on.",
                              name_));
  ledger::DiskRow fresh = disks_.get(name_);
  fresh.token_sha256 = token;
  fresh.next_token_sha256.clear();
  disks_.change(fresh, now());
}

void Adoption::take_over() {
  if (const auto row = disks_.find(name_)) {
    check_known(*row);
    take_over_known(*row);
    return;
  }
  if (disks_.all().empty()) {
    if (const auto exported = on_disk()) {
      // What this machine recorded before it knew of any disk is that this one was refused.
      ledger::rebuild(ledger_, std::span(&*exported, 1), true);
    }
  }
  if (!disks_.find(name_)) disks_.add(row_from_disk(), now());
}

std::string Adoption::run() {
  find();
  if (const auto row = disks_.find(name_)) check_known(*row);
  look();
  take_over();
  // What was said of it before is settled.
  for (const ledger::AlarmRow& alarm : disks_.alarms(name_, true)) {
    if (alarm.kind == kUnknownDisk) disks_.close_alarm(alarm.id, now());
  }
  DiskLog log(places_, disks_, around_, nullptr);
  log.open(name_, device_.node, device_.serial);
  reconcile(disks_, log, name_, *mount_, around_);
  mount_->close();
  return name_;
}

}  // namespace

std::string adopt_disk(const profile::Places& places, udev::DeviceProbe& devices,
                       const std::string& word, const ConfirmAdoption& confirm, const DiskKey& key,
                       const Surroundings& around) {
  return Adoption(places, devices, word, confirm, key, around).run();
}

}  // namespace rota::job
