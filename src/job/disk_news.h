#pragma once

#include "job/disk_attach.h"
#include "job/notify.h"

namespace rota::job {

/// Who started a job with a disk.
enum class StartedBy {
  person,
  watch,  ///< `rota watch`, which knows that the disk was plugged in just now
  udev    ///< the systemd unit, at boot too
};

/// attach(), and people are told how it ended, once. The machine is kept awake meanwhile, where
/// logind can do that.
///
/// A disk that was there since boot is not copied to when udev started this: it is recorded and
/// told, and waits for a person or to be plugged in again; nothing is returned then. Nor is a disk
/// that was just prepared, unless a person says so.
/// at_terminal: see Notifier::tell(). Throws what attach() throws.
std::optional<AttachReport> attach_and_tell(const profile::Places& places,
                                            udev::DeviceProbe& devices,
                                            const AttachOptions& options, StartedBy started_by,
                                            bool at_terminal, const OnDiskEvent& listener,
                                            const Surroundings& around);

}  // namespace rota::job
