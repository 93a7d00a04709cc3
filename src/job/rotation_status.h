#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ledger/disks.h"
#include "ledger/ledger.h"
#include "profile/places.h"
#include "profile/rotation.h"
#include "rotation/status.h"
#include "udev/device_probe.h"

namespace rota::job {

/// The sets of rotation.toml, as src/rotation takes them.
std::vector<rotation::SetPolicy> set_policies(const profile::Rotation& rotation);

/// What status asks about drills: those of the ledger, and how often they are to be made.
void add_drills(const profile::Rotation& rotation, ledger::Ledger& ledger,
                rotation::RotationInput& input);

/// Looks which disks of the ledger are at a port, and records of those that were there last that
/// they are away. Nothing is known where the media cannot be read, without root.
std::optional<std::vector<std::string>> look_at_ports(ledger::Disks& disks,
                                                      udev::DeviceProbe& devices,
                                                      base::Instant now);

/// Reads what status is worked out from, and works it out. profiles: those to tell of, see
/// RotationInput::told; of the others only the names are read. devices: looked at first, as
/// look_at_ports() does. Throws Error(config) for a profile or a rotation.toml that cannot be used.
rotation::Status read_status(const profile::Places& places, ledger::Ledger& ledger,
                             std::span<const std::string> profiles, udev::DeviceProbe& devices,
                             base::Instant now);

}  // namespace rota::job
