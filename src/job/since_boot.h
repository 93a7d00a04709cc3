#pragma once

#include <string>

#include "base/process.h"
#include "base/time.h"
#include "ledger/ledger.h"
#include "udev/device_probe.h"

namespace rota::job {

/// Whether a device was at its port already when this machine was started: udev's database says so
/// (90-rota.rules marks what it first hears of by a synthetic event), or systemd is still starting
/// the machine. When nobody knows, it was not.
bool is_there_since_boot(const udev::BlockDevice& device, base::ProcessRunner& processes);

/// Records that a disk is connected and waits, unless that, or that it may be unplugged, was the
/// last thing seen of it.
void observe_waiting(ledger::Ledger& ledger, const std::string& disk,
                     const udev::BlockDevice& device, const std::string& why, base::Instant now);

}  // namespace rota::job
