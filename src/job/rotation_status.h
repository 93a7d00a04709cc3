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

/// The kind of the alarm about two disks that are at a port at once.
inline constexpr const char* kTwoConnected = "two connected";

/// Closes those that are over: the disk that they are about is away, or alone.
/// connected: names of all disks that are at a port.
void close_two_connected(ledger::Disks& disks, std::span<const std::string> connected,
                         base::Instant now);

/// Looks which disks of the ledger are at a port, and records of those that were there last that
/// they are away; what was said of two at once ends with that. Nothing is known where the media
/// cannot be read, without root.
std::optional<std::vector<std::string>> look_at_ports(ledger::Disks& disks,
                                                      udev::DeviceProbe& devices,
                                                      base::Instant now);

/// Status as it is now, ports included: see status::read_facts() and look_at_ports().
rotation::Status read_status(const profile::Places& places, ledger::Ledger& ledger,
                             udev::DeviceProbe& devices, base::Instant now,
                             std::span<const std::string> told = {});

}  // namespace rota::job
