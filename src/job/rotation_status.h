#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ledger/disks.h"
#include "ledger/ledger.h"
#include "profile/places.h"
#include "rotation/status.h"
#include "udev/device_probe.h"

namespace rota::job {

/// Looks which disks of the ledger are at a port, and records of those that were there last that
/// they are away. Nothing is known where the media cannot be read, without root.
std::optional<std::vector<std::string>> look_at_ports(ledger::Disks& disks,
                                                      udev::DeviceProbe& devices,
                                                      base::Instant now);

/// Status as it is now, ports included: see status::read_facts() and look_at_ports().
rotation::Status read_status(const profile::Places& places, ledger::Ledger& ledger,
                             udev::DeviceProbe& devices, base::Instant now,
                             std::span<const std::string> told = {});

}  // namespace rota::job
