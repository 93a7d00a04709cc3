#pragma once

#include <functional>
#include <string>

#include "job/disk_key.h"
#include "job/server.h"
#include "udev/device_probe.h"

namespace rota::job {

/// Asks a person for the disk's name, telling them `warning` first. Throws Error(refused) for
/// another answer.
using ConfirmAdoption = std::function<void(const std::string& disk, const std::string& warning)>;

/// Takes over a disk that this machine's ledger does not know: of a station that is lost, or whose
/// ledger is. The ledger is made again from the export on the disk where this machine has none of
/// its own; else the disk is added to it. Nothing is written to the disk.
///
/// One that is known by its name and UUID, but has another token than the ledger says, is taken
/// over too: a ledger that was made again from an older disk knows less than this one. If the
/// history on the disk holds all that the ledger does, it replaces the ledger; else the token of
/// the disk is taken, when a person has confirmed it.
///
/// Its copies are recorded as they lie on it. Returns the disk's name. Throws Error: not_found;
/// refused for a disk without an identity that fits its filesystem, or one that is known already.
std::string adopt_disk(const profile::Places& places, udev::DeviceProbe& devices,
                       const std::string& word, const ConfirmAdoption& confirm, const DiskKey& key,
                       const Surroundings& around);

}  // namespace rota::job
