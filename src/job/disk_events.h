#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/progress_file.h"
#include "base/sqlite_wait.h"
#include "job/server.h"
#include "ledger/disks.h"

namespace rota::job {

/// What happens to a disk while a job works on it, for people and for programs.
struct DiskEvent {
  base::Instant time{};
  std::string disk;    ///< its name
  std::string server;  ///< the profile that is copied; empty: the disk as a whole
  std::string step;    ///< "mount", "copy", "read back", "seal", …: see docs/manual.md
  std::string state;   ///< "begins", "waits", "done", "skipped", "held", "failed"
  std::string detail;  ///< a phrase or a sentence; may be empty
};

/// One line of JSON, without the line feed.
std::string to_json(const DiskEvent& event);

/// Receives events as they happen, on the job's thread.
using OnDiskEvent = std::function<void(const DiskEvent&)>;

/// Records the steps of a job on a disk: in the ledger, in the progress file that the screen
/// follows (<run>/disk-<name>.json), and with whoever started the job.
class DiskLog {
 public:
  DiskLog(const profile::Places& places, ledger::Disks& disks, const Surroundings& around,
          OnDiskEvent listener);

  /// From now on it is about this disk; before, nothing can be recorded.
  void open(const std::string& disk, const std::string& device, const std::string& serial);

  /// What the disk is doing from now on, as the ledger knows it.
  void observe(ledger::Observed state, const std::string& detail = "");
  /// A step: told and shown, and recorded with the present state. begins() is only shown.
  void begins(const std::string& step, const std::string& server = "");
  void done(const std::string& step, const std::string& detail = "",
            const std::string& server = "");
  void event(const std::string& step, const std::string& state, const std::string& detail = "",
             const std::string& server = "");

  ledger::Observed state() const { return state_; }

 private:
  void tell(const std::string& step, const std::string& state, const std::string& detail,
            const std::string& server);

  const profile::Places& places_;
  ledger::Disks& disks_;
  const Surroundings around_;
  OnDiskEvent listener_;
  std::string disk_;
  std::string device_;
  std::string serial_;
  ledger::Observed state_ = ledger::Observed::connected;
  std::unique_ptr<base::ProgressFile> file_;
};

/// A job of hours does not end because somebody holds the ledger for a while: while this lives it
/// waits for that one, an hour at most, and a warning says so.
base::WriterWait wait_for_writers(ledger::Ledger& ledger, const Surroundings& around);

/// Opens an alarm, unless one that says the same is open already. Returns its id.
std::int64_t raise_alarm(ledger::Disks& disks, const ledger::AlarmRow& alarm);
std::int64_t raise_alarm(ledger::Disks& disks, base::Instant now, const std::string& kind,
                         ledger::Severity severity, const std::string& disk,
                         const std::string& server, const std::string& message,
                         const std::vector<std::string>& details = {});

}  // namespace rota::job
