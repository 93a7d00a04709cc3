#include "job/disk_restore.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "disk/identity.h"
#include "disk/lock.h"
#include "disk/recognise.h"
#include "disk/small_file.h"
#include "job/disk_session.h"

namespace rota::job {

using base::Error;
using base::ErrorKind;
using disk::CopyInfo;

namespace {

udev::BlockDevice find_device(udev::DeviceProbe& devices, const std::string& word) {
  if (word.find('/') != std::string::npos) {
    if (auto device = devices.find(word)) {
      if (!device->fs_type.empty() || device->children.empty()) return *device;
      // A whole disk: its one partition is what is meant.
      if (auto part = devices.find(device->children.front())) return *part;
    }
  } else {
    const std::string label = disk::name_of_label(word) ? word : disk::disk_label(word);
    std::vector<udev::BlockDevice> found;
    for (udev::BlockDevice& device : devices.devices()) {
      if (device.label == label && !device.mapper) found.push_back(std::move(device));
    }
    if (found.size() > 1) {
      throw Error(ErrorKind::refused,
                  fmt::format("{} and {} both have the label {}: give the device that is meant",
                              found[0].node, found[1].node, label));
    }
    if (!found.empty()) return found.front();
  }
  throw Error(ErrorKind::not_found,
              fmt::format("no disk {} is plugged in; `lsblk -o NAME,LABEL` shows what is",
                          base::printable(word)));
}

std::string list_of(const std::vector<CopyInfo>& copies) {
  std::string text;
  for (const CopyInfo& copy : copies) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", copy.server, base::compact(copy.time));
  }
  return text;
}

}  // namespace

DiskReader::DiskReader(const profile::Places& places, udev::DeviceProbe& devices,
                       const std::string& word, const DiskKey& key, const Surroundings& around) {
  udev::BlockDevice device = find_device(devices, word);
  name_ = disk::name_of_label(device.label).value_or("");
  if (!name_.empty()) lock_.emplace(disk::lock_disk(places.run, name_));
  bool ours = false;
  if (base::exists(places.ledger())) {
    ledger::Ledger ledger(places.ledger());
    ours = !name_.empty() && ledger::Disks(ledger).with_uuid(device.uuid).has_value();
  }
  std::optional<udev::BlockDevice> container;
  if (device.fs_type == "crypto_LUKS") {
    container = device;
    mapping_.emplace(device.node, opener_of(places, name_, key), name_.empty() ? "restore" : name_,
                     around.processes);
    device = find_device(devices, mapping_->node());
  }
  mount_.emplace(device.node, device.fs_type,
                 ours ? disk::MountMode::read_only : disk::MountMode::untouched);
  if (ours) compare_with_ledger(places, devices, device, container ? &*container : nullptr);
}

void DiskReader::compare_with_ledger(const profile::Places& places, udev::DeviceProbe& devices,
                                     const udev::BlockDevice& device,
                                     const udev::BlockDevice* container) {
  ledger::Ledger ledger(places.ledger());
  ledger::Disks disks(ledger);
  std::optional<disk::Identity> identity;
  try {
    identity = disk::read_identity(mount_->fd());
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::corrupt) throw;
  }
  const disk::Recognition seen =
      disk::recognise(device, identity, true, known_disks(disks), devices.devices(), container);
  if (!seen.is_ours()) doubt_ = seen.message;
}

std::vector<CopyInfo> DiskReader::copies() const {
  std::vector<CopyInfo> sealed;
  for (CopyInfo& copy : disk::list_copies(mount_->fd())) {
    if (copy.state == disk::CopyState::sealed) sealed.push_back(std::move(copy));
  }
  return sealed;
}

CopyInfo DiskReader::select(const std::string& server, const std::string& at,
                            base::Instant now) const {
  std::vector<CopyInfo> all = copies();
  std::set<std::string> servers;
  for (const CopyInfo& copy : all) servers.insert(copy.server);
  if (all.empty()) {
    throw Error(ErrorKind::not_found, "there is no sealed copy on this disk");
  }
  if (server.empty() && servers.size() > 1) {
    throw Error(ErrorKind::usage,
                fmt::format("which server? Name one: the disk holds {}", list_of(all)));
  }
  base::Instant when = base::Instant::max();
  if (!at.empty()) {
    const auto exact = base::parse_compact(at);
    const auto moment = exact ? exact : base::parse_moment(at, now);
    if (!moment) {
      throw Error(ErrorKind::usage,
                  fmt::format("\"{}\" is no moment; say 2026-10-24, 3D (three days ago), or a "
                              "copy's name: {}",
                              base::printable(at), list_of(all)));
    }
    when = *moment;
  }
  const CopyInfo* best = nullptr;
  for (const CopyInfo& copy : all) {
    if ((server.empty() || copy.server == server) && copy.time <= when &&
        (best == nullptr || copy.time >= best->time)) {
      best = &copy;
    }
  }
  if (best == nullptr) {
    throw Error(ErrorKind::not_found,
                fmt::format("there is no such copy; the disk holds {}", list_of(all)));
  }
  return *best;
}

std::unique_ptr<disk::IndexSource> DiskReader::open(const CopyInfo& copy,
                                                    base::Warnings& warnings) {
  return std::make_unique<disk::IndexSource>(mount_->fd(), copy.server, copy.directory, warnings);
}

std::unique_ptr<disk::IndexSource> open_copy_directory(const std::string& directory,
                                                       base::Warnings& warnings) {
  base::Fd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) base::throw_os("cannot open the copy", directory, errno);
  return std::make_unique<disk::IndexSource>(std::move(fd), directory, warnings);
}

disk::CopyRecord copy_record_in(const std::string& directory) {
  const base::Fd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) base::throw_os("cannot open the copy", directory, errno);
  return disk::parse_copy_record(disk::read_small_file(
      fd.get(), disk::kRecord, disk::kMaxRecordBytes, directory + "/" + disk::kRecord));
}

std::string disk_of(udev::DeviceProbe& devices, const std::string& path) {
  std::string existing = path;
  struct stat st {};
  while (::stat(existing.c_str(), &st) != 0) {
    if (errno != ENOENT || existing == "/" || existing == ".") return "";
    existing = base::parent_directory(existing);
  }
  for (const udev::BlockDevice& device : devices.devices()) {
    if (device.number != st.st_dev) continue;
    if (const auto name = disk::name_of_label(device.label)) return *name;
  }
  return "";
}

void check_no_rotation_disk(udev::DeviceProbe& devices, const std::string& path) {
  const std::string name = disk_of(devices, path);
  if (name.empty()) return;
  throw Error(ErrorKind::refused,
              fmt::format("{} is on the rotation disk {}, which may hold the last copy: restore "
                          "to another disk",
                          base::printable(path), disk::disk_label(name)));
}

}  // namespace rota::job
