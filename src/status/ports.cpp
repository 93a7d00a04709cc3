#include "status/ports.h"

#include <unistd.h>

#include <algorithm>

namespace rota::status {

std::optional<std::vector<std::string>> connected(std::span<const ledger::DiskRow> disks,
                                                  udev::DeviceProbe& devices) {
  if (::geteuid() != 0) return std::nullopt;
  std::vector<std::string> names;
  if (disks.empty()) return names;
  const std::vector<udev::BlockDevice> all = devices.devices();
  for (const ledger::DiskRow& disk : disks) {
    const bool there = std::ranges::any_of(all, [&](const udev::BlockDevice& device) {
      return !device.uuid.empty() && (device.uuid == disk.uuid || device.uuid == disk.luks_uuid);
    });
    if (there) names.push_back(disk.name);
  }
  return names;
}

}  // namespace rota::status
