#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "udev/device_probe.h"

namespace rota::disk {

enum class StepResult { done, failed, not_applicable };

/// One step on the way to "unplug now".
struct PowerStep {
  std::string what;  ///< "flush", "stop", "detach", "remove"
  StepResult result = StepResult::done;
  std::string detail;  ///< why it failed or does not apply; empty when done
};

/// Lets go of an unmounted disk: flushes the kernel's buffers, stops the SCSI disk, detaches it,
/// and removes its USB device, so that the port is powered down where the hub can. A step that
/// fails is reported and the next one tried: bridges differ. The USB device stays where another
/// disk hangs on it. A loop device or a fixed disk is only flushed.
///
/// sysfs: where sysfs is mounted; for tests. Never throws for the device.
std::vector<PowerStep> power_down(const udev::BlockDevice& disk, const std::string& sysfs = "/sys");

/// True when everything that applied was done: it is certain that the disk may be unplugged.
bool is_safe_to_unplug(const std::vector<PowerStep>& steps);

/// The room on a mounted disk, in bytes. free: what may still be written.
struct Usage {
  std::uint64_t size = 0;
  std::uint64_t used = 0;
  std::uint64_t free = 0;
};

/// root: a descriptor of its root directory. Throws Error(io).
Usage usage(int root);

}  // namespace rota::disk
