#include "disk/recognise.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"

namespace rota::disk {

namespace {

using base::printable;
using udev::BlockDevice;

bool is_container(const BlockDevice& device) { return device.fs_type == "crypto_LUKS"; }

const KnownDisk* find_known(std::span<const KnownDisk> known, std::string_view label) {
  const auto found = std::ranges::find(known, label, &KnownDisk::label);
  return found == known.end() ? nullptr : &*found;
}

/// Another device that shows the same label, or the same UUID under whatever label.
///
/// A container and the filesystem that was opened from it are one disk; so are a whole disk and its
/// partition where a superblock can be read from both (both start at the same byte).
const BlockDevice* find_second(const BlockDevice& device, std::span<const BlockDevice> all,
                               const BlockDevice* container) {
  for (const BlockDevice& other : all) {
    if (other.node == device.node || other.mapper || (container && other.node == container->node)) {
      continue;
    }
    const std::string& own_disk = container ? container->disk_node : device.disk_node;
    if (other.kind != device.kind && other.disk_node == own_disk) continue;
    const bool same_label = other.label == device.label;
    const bool same_uuid = !device.uuid.empty() && other.uuid == device.uuid;
    if (same_label || same_uuid) return &other;
  }
  return nullptr;
}

std::string describe(const BlockDevice& device) {
  std::string text = device.node;
  if (!device.model.empty()) text += fmt::format(", {}", printable(device.model));
  if (!device.serial.empty()) text += fmt::format(", serial {}", printable(device.serial));
  return text;
}

Recognition say(Verdict verdict, std::string name, std::string message) {
  return {verdict, std::move(name), std::move(message), false};
}

}  // namespace

Recognition recognise(const BlockDevice& device, const std::optional<Identity>& identity,
                      bool mounted, std::span<const KnownDisk> known,
                      std::span<const BlockDevice> all, const BlockDevice* container) {
  const auto name = name_of_label(device.label);
  if (!name) {
    return say(Verdict::no_rotation_disk, "",
               fmt::format("{} is no rotation disk: it has no label ROTA-<name>; prepare it with "
                           "`rota disk prepare`",
                           device.node));
  }
  if (const BlockDevice* second = find_second(device, all, container)) {
    return say(Verdict::duplicate, *name,
               fmt::format("two devices say that they are disk {}: {} ({}) and {} ({}). One is a "
                           "copy of the other; neither is touched. Unplug the one that is not the "
                           "disk",
                           *name, device.node, describe(device), second->node, describe(*second)));
  }
  const KnownDisk* disk = find_known(known, device.label);
  if (disk == nullptr) {
    return say(Verdict::stranger, *name,
               fmt::format("{} is labelled {}, but this station's ledger knows no such disk; it is "
                           "not written to. If it comes from a station that is lost, take it over "
                           "with `rota disk adopt {}`",
                           describe(device), device.label, device.node));
  }
  const std::string& uuid = is_container(device) ? disk->luks_uuid : disk->fs_uuid;
  const bool other_kind = is_container(device) == disk->luks_uuid.empty() && container == nullptr;
  const bool other_container = container != nullptr && container->uuid != disk->luks_uuid;
  if (device.uuid != uuid || other_kind || other_container) {
    return say(
        Verdict::cloned_label, *name,
        fmt::format("{} has the label of disk {}, but is another {}: its UUID is {}, and the "
                    "ledger has {}. It is not written to",
                    describe(device), *name, is_container(device) ? "container" : "filesystem",
                    printable(device.uuid), uuid.empty() ? "none" : uuid));
  }
  if (is_container(device)) return say(Verdict::container, *name, "");

  Recognition result{Verdict::known, *name, "", false};
  if (mounted) {
    const std::string hash = identity ? token_hash(identity->token) : "";
    const bool current = identity && hash == disk->token_hash;
    const bool next = identity && !disk->next_token_hash.empty() && hash == disk->next_token_hash;
    const bool same = identity && identity->name == *name && identity->fs_uuid == disk->fs_uuid;
    if ((!current && !next) || !same) {
      return say(Verdict::stale, *name,
                 fmt::format("{} looks like disk {}, but {}: it is an old clone or a restored "
                             "image, or another station wrote to it. It is not written to; find "
                             "the disk that was last sealed. If this station's ledger was made "
                             "again from an older disk, and this is the disk itself, take it over "
                             "with `rota disk adopt {}`",
                             describe(device), *name,
                             !identity           ? "has no identity file"
                             : !current && !next ? "does not have the token of its last seal"
                                                 : "its identity file names another disk",
                             container != nullptr ? container->node : device.node));
    }
    result.has_next_token = next && !current;
  }
  const std::string& serial = container != nullptr ? container->serial : device.serial;
  if (!disk->serial.empty() && serial != disk->serial) {
    result.verdict = Verdict::serial_changed;
    result.message = fmt::format(
        "disk {} now reports the serial number {} instead of {}: a dock reports its "
        "own, but a copy would too. If it is the same disk, say so with `rota disk attach {} "
        "--accept-serial`",
        *name, serial.empty() ? "none" : printable(serial), printable(disk->serial), *name);
  }
  return result;
}

}  // namespace rota::disk
