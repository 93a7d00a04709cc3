#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "job/server.h"
#include "ledger/drills.h"
#include "recovery/drill_sample.h"
#include "tree/source.h"

namespace rota::recovery {

/// What a drill restores: a run of a chain, or a copy on a disk.
struct DrillTree {
  std::string server;
  ledger::DrillSource source = ledger::DrillSource::store;
  std::string disk;  ///< see ledger::DrillRow
  std::string run;
  base::Instant snapshot{};
  std::uint64_t entries = 0;  ///< as its record says
  std::uint64_t bytes = 0;
  /// Begins a new pass over the tree; there are two or more. Damage of its index is thrown.
  std::function<std::unique_ptr<tree::Source>()> open;
  /// Looks for the run and fills in all of the above but server, source and disk; null when they
  /// are known. What it throws is judged like what open() throws: that a store does not answer, or
  /// shows nothing, is the drill's result.
  std::function<void(DrillTree&)> find;
};

struct DrillOptions {
  std::string scratch = "/var/tmp";  ///< an existing directory
  std::optional<SampleSize> sample;  ///< nothing: everything is restored
  bool keep = false;                 ///< what was restored stays
  std::string check;                 ///< the operator's program, absolute; empty: none
  std::chrono::seconds check_timeout{3600};
};

struct DrillResult {
  ledger::DrillRow row;               ///< as it was recorded
  std::vector<std::string> problems;  ///< empty when it passed; a phrase each
  bool bad_data = false;              ///< what came back is not what was backed up
  std::string check_output;           ///< when the check program failed; its last 64 KiB
  std::string kept;                   ///< where what was restored stays; empty: it is gone
};

/// Restores into a new scratch directory, reads that back and compares it with what it came from,
/// has the operator's program look at it, removes it and records the drill.
///
/// Recorded are drills that came to a result: passed, or failed because of what is stored (damaged
/// or out of reach) or because of the check. What is wrong with this machine (no room, a check
/// program that may not be run, an interruption) is thrown, and no drill was made.
///
/// One at a time of each server; throws Error(locked). While it works, <run>/drill-<server>.json
/// tells how far it is (base::ProgressFile).
DrillResult drill(const profile::Places& places, const DrillTree& tree, const DrillOptions& options,
                  const job::Surroundings& around);

/// For the recovery plan: "restored 400 GB in 1 h 10 min", and of a sample what all would take.
std::string restored_text(const ledger::DrillRow& row);
/// The end of what the check program said, each line set in, for a terminal.
std::string check_output_text(const DrillResult& result);
/// The result for people: what was restored from where, how long it took, and the like.
std::string drill_text(const DrillResult& result);
/// What failed, in one sentence.
std::string failure_text(const DrillResult& result);

}  // namespace rota::recovery
