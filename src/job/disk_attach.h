#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "disk/check_result.h"
#include "disk/copy_writer.h"
#include "disk/power.h"
#include "disk/tripwire.h"
#include "job/disk_check.h"
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

/// What became of one server's copy.
struct ServerCopy {
  std::string server;
  enum class End {
    sealed,
    held,  ///< a tripwire: it waits for a person; written where there is room beside the older
    up_to_date,  ///< from a chain: the newest run is on the disk already
    damaged,     ///< it could not be read back as it was written
    failed       ///< not copied: see problem; an attempt may be on the disk, and is gone on with
  } end = End::sealed;
  /// A copy lies on the disk that this job wrote.
  bool is_written() const {
    return end != End::up_to_date && end != End::failed && !summary.directory.empty();
  }
  std::string snapshot;
  disk::CopySummary summary;
  std::string problem;  ///< why it failed or is held: a sentence
  /// What people should know although it did not keep the copy from being made: sentences.
  std::vector<std::string> notes;
  disk::CheckResult check;
  std::vector<disk::Tripwire> tripwires;
  std::vector<std::string> accepted;  ///< those that a person let pass: a sentence each
};

struct AttachReport {
  std::string disk;
  std::vector<ServerCopy> copies;
  std::vector<std::string> pruned;  ///< "web/20260924T030000Z"
  std::vector<Scrubbed> scrubbed;
  std::vector<disk::PowerStep> power;
  bool safe_to_unplug = false;
  bool all_sealed() const;
  bool any(ServerCopy::End end) const;
  std::string notes() const;     ///< of all copies, each behind a space
  std::string failures() const;  ///< which servers were not copied, and why; empty: none
  /// Which copies are held, and why, and what was removed all the same; empty: none.
  std::string held() const;
  /// What a person let pass, in one phrase; empty: nothing.
  std::string accepted() const;
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
