#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ledger/disk_rows.h"
#include "udev/device_probe.h"

namespace rota::status {

/// Names of those disks that are at a port now, each once. Nothing without root, who alone can read
/// media.
std::optional<std::vector<std::string>> connected(std::span<const ledger::DiskRow> disks,
                                                  udev::DeviceProbe& devices);

}  // namespace rota::status
