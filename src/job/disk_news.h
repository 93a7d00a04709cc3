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
/// that was just prepared, or copied to since it was plugged in, unless a person says so. Unless a
/// person does, another rota that works on the disk is waited for.
///
/// at_terminal: see Notifier::tell(). say: given what is told of a job that ends without an error,
/// unless a person started it: for the journal. Throws what attach() throws.
std::optional<AttachReport> attach_and_tell(
    const profile::Places& places, udev::DeviceProbe& devices, const AttachOptions& options,
    StartedBy started_by, bool at_terminal, const std::function<void(const Message&)>& say,
    const OnDiskEvent& listener, const Surroundings& around);

/// True for what a disk is while a job works on it.
bool is_in_a_job(ledger::Observed state);

/// A job with a disk was killed, and could tell nobody: records it, and returns what there is to
/// say. node: where the disk was; disk: its name, if it is known; how: "it was killed by signal 9".
Message killed(const profile::Places& places, udev::DeviceProbe& devices, const std::string& node,
               const std::string& disk, const std::string& how, const Surroundings& around);

}  // namespace rota::job
