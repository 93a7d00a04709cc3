#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "disk/power.h"
#include "job/disk_check.h"
#include "job/disk_key.h"
#include "job/disk_session.h"

namespace rota::job {

/// What may be done with a disk at the port beside copying to it. Each is a job of its own: the
/// disk is found, locked, recognised, and let go of in the end; its steps are recorded.
class DiskCare {
 public:
  /// word, options: as DiskSession takes them.
  DiskCare(const profile::Places& places, udev::DeviceProbe& devices, const std::string& word,
           const SessionOptions& options, const OnDiskEvent& listener, const Surroundings& around);

  const std::string& name() const { return session_.row().name; }

  struct Verified {
    std::string server;
    std::string snapshot;
    disk::CheckResult check;
    bool noted = false;  ///< on the disk: the next copy writes anew what is damaged
  };
  /// Reads every byte of sealed copies: of one server or, with an empty name, all; only the newest
  /// of each, or `all` of them. What is damaged is noted on the disk, unless that is out of its
  /// turn.
  std::vector<Verified> verify(const std::string& server, bool all);

  /// Reads older copies again, least recently read first.
  std::vector<Scrubbed> scrub(std::chrono::seconds budget);

  /// Switches the port off, so that the disk may be unplugged.
  std::vector<disk::PowerStep> eject();

 private:
  void note(std::vector<Verified>& verified);

  const Surroundings around_;
  ledger::Ledger ledger_;
  ledger::Disks disks_;
  DiskSession session_;
  DiskLog log_;
};

/// Takes over a disk that this machine's ledger does not know: of a station that is lost, or whose
/// ledger is. The ledger is made again from the export on the disk where this machine has none of
/// its own; else the disk is added to it. Nothing is written to the disk.
///
/// Returns the disk's name. Throws Error: not_found; refused for a disk without an identity that
/// fits its filesystem, or one that is known already.
std::string adopt_disk(const profile::Places& places, udev::DeviceProbe& devices,
                       const std::string& word, const DiskKey& key, const Surroundings& around);

}  // namespace rota::job
