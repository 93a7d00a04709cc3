#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "job/attach_report.h"
#include "job/disk_events.h"
#include "job/disk_session.h"

namespace rota::job {

struct AttachOptions {
  std::string disk;                   ///< name, label or node
  std::vector<std::string> profiles;  ///< only these of those that the disk is for; empty: all
  bool from_chain = false;            ///< copy the newest run of each chain, not this machine
  std::string from_copy;              ///< copy this copy of another disk, a directory; empty: no
  bool power_down = true;             ///< let go of the port at the end
  std::optional<std::chrono::seconds> scrub_budget;  ///< nothing: as the set says
  SessionOptions session;
  /// Makes PLAN.txt of a disk, after its copies were recorded; may throw Error, which is a warning.
  /// Null: none is written. (The text comes from a level above this.)
  std::function<std::string(ledger::Ledger& ledger, const ledger::DiskRow& disk, base::Instant now)>
      plan;
  /// Called when a copy was sealed and the disk was let go of: prints the disk's monthly label or
  /// offers it. Must not throw. Null: nobody prints here.
  struct LabelResult {
    std::string state;   ///< of the event "label": "offered", "done", "failed"
    std::string detail;  ///< a phrase
  };
  std::function<LabelResult(const std::string& disk)> label;
};

/// The disk left its port while its job worked on it: somebody pulled it out, or it lost its power.
/// The text says what that means for its copies.
class PulledOut : public base::Error {
 public:
  PulledOut(const std::string& disk, const std::string& message)
      : Error(base::ErrorKind::io, message), disk_(disk) {}
  const std::string& disk() const { return disk_; }

 private:
  std::string disk_;
};

/// The whole of what a rotation disk is plugged in for: recognised, copied to, read back, sealed
/// and let go of, in the order that loses nothing (docs/architecture.md, "A disk at the port").
///
/// Earlier copies stay whole whatever happens, and what was begun is gone on with at the next time.
/// Warnings (files that could not be read) go to `around.warnings`. Throws what stopped it, with
/// the disk's state recorded: then the disk is unmounted, but its port is not powered down. What a
/// disk that is gone made fail is thrown as PulledOut.
AttachReport attach(const profile::Places& places, udev::DeviceProbe& devices,
                    const AttachOptions& options, const OnDiskEvent& listener,
                    const Surroundings& around);

}  // namespace rota::job
