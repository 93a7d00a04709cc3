#include <fmt/core.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "disk/identity.h"
#include "disk/make_filesystem.h"
#include "disk/prepare.h"
#include "udev/medium.h"

namespace rota::disk {

namespace {

using base::Error;
using base::ErrorKind;
using base::printable;
using udev::BlockDevice;

std::string describe_content(const BlockDevice& device) {
  std::string text;
  for (const std::string& signature : device.signatures) {
    if (signature == device.table) continue;
    text += fmt::format("{}{}", text.empty() ? "" : ", ", printable(signature));
  }
  if (!device.label.empty()) text += fmt::format(", label \"{}\"", printable(device.label));
  return text;
}

std::vector<std::string> contents_of(const PrepareTarget& target) {
  std::vector<std::string> lines;
  if (!target.disk.table.empty()) {
    lines.push_back(fmt::format("a partition table ({})", printable(target.disk.table)));
  }
  if (const std::string text = describe_content(target.disk); !text.empty()) {
    lines.push_back("the whole disk: " + text);
  }
  for (const BlockDevice& part : target.partitions) {
    const std::string text = describe_content(part);
    lines.push_back(fmt::format("{}, {}: {}", part.node, base::human_size(part.size),
                                text.empty() ? "nothing that is known" : text));
  }
  if (lines.empty() && !udev::is_blank(target.disk.node)) {
    lines.emplace_back("data of a kind that is not known (an encrypted disk looks like this)");
  }
  return lines;
}

[[noreturn]] void refuse(const std::string& message) { throw Error(ErrorKind::refused, message); }

void check_free(const BlockDevice& device) {
  if (!device.mount_points.empty()) {
    const bool system = std::ranges::count(device.mount_points, "/") > 0;
    refuse(fmt::format("{} is mounted at {}{}", device.node, printable(device.mount_points.front()),
                       system ? ": it is this system's own disk" : "; unmount it first"));
  }
  if (!device.holders.empty()) {
    const std::string& holder = device.holders.front();
    refuse(fmt::format("{} is in use {}", device.node,
                       holder == "swap" ? "as swap space; run swapoff first"
                                        : "by " + printable(holder) + "; close that first"));
  }
}

}  // namespace

std::uint64_t smallest_disk(const std::string& fs_type) {
  constexpr std::uint64_t kMiB = 1 << 20;
  if (fs_type == "xfs") return 320 * kMiB;  // mkfs.xfs asks for 300
  if (fs_type == "btrfs") return 160 * kMiB;
  return 64 * kMiB;
}

PrepareTarget look_at(udev::DeviceProbe& devices, const std::string& node) {
  const auto disk = devices.find(node);
  if (!disk) {
    throw Error(ErrorKind::not_found,
                fmt::format("{} is no disk, or has no medium; `lsblk` shows the disks that there "
                            "are",
                            printable(node)));
  }
  if (disk->kind == udev::DeviceKind::partition) {
    throw Error(ErrorKind::usage,
                fmt::format("{} is a partition; a rotation disk is a whole one: {}", disk->node,
                            disk->disk_node));
  }
  PrepareTarget target;
  target.disk = *disk;
  for (const std::string& child : disk->children) {
    if (auto part = devices.find(child)) target.partitions.push_back(std::move(*part));
  }
  target.contents = contents_of(target);
  return target;
}

void refuse_if_changed(udev::DeviceProbe& devices, std::span<const udev::BlockDevice> shown) {
  for (const udev::BlockDevice& before : shown) {
    const auto now = devices.find(before.node);
    const bool same = now && now->sequence == before.sequence && now->serial == before.serial &&
                      now->uuid == before.uuid && now->size == before.size &&
                      now->children == before.children;
    if (same) continue;
    throw Error(ErrorKind::refused,
                fmt::format("{} is not what it was when the question was asked: the disk was taken "
                            "out or changed; nothing was changed on it",
                            before.node));
  }
}

void check_target(const PrepareTarget& target, const PrepareOptions& options) {
  if (!is_disk_name(options.name)) {
    throw Error(ErrorKind::usage,
                fmt::format("\"{}\" cannot be the name of a disk: 1 to {} of A-Z and 0-9, such as "
                            "B or BANK2",
                            printable(options.name), kMaxDiskName));
  }
  if (!options.set.empty() && !is_set_name(options.set)) {
    throw Error(ErrorKind::usage,
                fmt::format("\"{}\" cannot be the name of a set", printable(options.set)));
  }
  if (!is_disk_filesystem(options.fs_type)) {
    throw Error(ErrorKind::usage, fmt::format("a rotation disk has ext4, xfs or btrfs, not \"{}\"",
                                              printable(options.fs_type)));
  }
  const BlockDevice& disk = target.disk;
  check_free(disk);
  std::ranges::for_each(target.partitions, check_free);
  if (disk.mapper) {
    refuse(
        fmt::format("{} is made by the device mapper or md; a rotation disk is a plain one that "
                    "can be unplugged",
                    disk.node));
  }
  if (disk.read_only) refuse(fmt::format("{} is read-only; look for a switch on it", disk.node));
  if (!disk.usb && !disk.removable && !options.allow_fixed) {
    refuse(
        fmt::format("{} ({}) is neither attached by USB nor removable: it may well be a disk of "
                    "this machine. If it is the right one (eSATA, a hot-swap bay), say "
                    "--allow-fixed",
                    disk.node, disk.model.empty() ? "no model" : printable(disk.model)));
  }
  if (disk.size < smallest_disk(options.fs_type)) {
    refuse(fmt::format("{} has {}, and {} needs {}", disk.node, base::human_size(disk.size),
                       options.fs_type, base::human_size(smallest_disk(options.fs_type))));
  }
  if (!target.contents.empty() && !options.wipe) {
    std::string list;
    for (const std::string& line : target.contents) list += (list.empty() ? "" : "; ") + line;
    refuse(
        fmt::format("{} is not empty ({}); if nobody needs that any more, say --wipe, and type "
                    "the name when you are asked",
                    disk.node, list));
  }
}

}  // namespace rota::disk
