#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/process.h"
#include "base/progress.h"
#include "base/time.h"
#include "ledger/ledger.h"
#include "profile/places.h"
#include "udev/device_probe.h"

namespace rota::job {

/// The driver of a disk may be loaded, and the disk may spin up, only when the machine is already
/// up and its first look at a disk is no plug-in then.
inline constexpr std::chrono::seconds kSettling{20};

/// How long a machine counts as being started at most, from when its systemd began: disks that are
/// there are found within that, however long some service goes on with its work.
inline constexpr std::chrono::minutes kStarting{2};

/// Whether a device was at its port already when this machine was started: udev's database says so
/// (90-rota.rules marks what it first hears of by a synthetic event), or systemd was still starting
/// the machine, or had just done so, when udev first saw the device. When nobody knows, it was not.
bool is_there_since_boot(const udev::BlockDevice& device, base::ProcessRunner& processes);

/// The part of it that is pure. times: what `systemctl show` prints of UserspaceTimestampMonotonic
/// and FinishTimestampMonotonic (0: it is not finished). seen: udev's USEC_INITIALIZED of the
/// device. All in microseconds since the kernel began.
bool was_seen_at_boot(std::string_view times, std::string_view seen);

/// Notes that nothing is to be copied to a disk before it is plugged in again. It was prepared at
/// the port where it is, and its new label, which udev sees sooner or later, must start no copy; or
/// it was copied to since it was plugged in, and the job that waited meanwhile need not. A note
/// that cannot be written is a warning; at worst there is a copy too many.
void note_plug_in(const profile::Places& places, const std::string& disk,
                  const udev::BlockDevice& device, base::Warnings& warnings);

/// Whether the disk has not been unplugged since note_plug_in().
bool is_as_noted(const profile::Places& places, const std::string& disk,
                 const udev::BlockDevice& device);

/// Records that a disk is connected and waits, unless that, or that it may be unplugged, was the
/// last thing seen of it.
void observe_waiting(ledger::Ledger& ledger, const std::string& disk,
                     const udev::BlockDevice& device, const std::string& why, base::Instant now);

}  // namespace rota::job
