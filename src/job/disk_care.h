#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/sqlite_wait.h"
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
  void take_up(const disk::DiskMount& mount);
  void note(std::vector<Verified>& verified);

  const Surroundings around_;
  ledger::Ledger ledger_;
  ledger::Disks disks_;
  const base::WriterWait patient_;
  DiskLog log_;
  DiskSession session_;
};

}  // namespace rota::job
