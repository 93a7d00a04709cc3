#pragma once

#include "ledger/ledger.h"
#include "profile/places.h"
#include "tui/rows.h"
#include "udev/device_probe.h"

namespace rota::tui {

std::string ledger_path(const profile::Places& places);

/// Reads what the screen is made of, without the jobs. It only looks: what is to be recorded, such
/// as a disk that is no longer there, the commands record. Throws Error(config) for a profile or a
/// rotation.toml that cannot be used.
Rows read_rows(const profile::Places& places, ledger::Ledger& ledger,
               const std::optional<std::vector<std::string>>& connected, base::Instant now);

/// Names of the ledger's disks that are at a port now. Nothing without root, who alone can read
/// media.
std::optional<std::vector<std::string>> connected_disks(ledger::Ledger& ledger,
                                                        udev::DeviceProbe& devices);

}  // namespace rota::tui
