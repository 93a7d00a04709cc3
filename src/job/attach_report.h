#pragma once

#include <string>
#include <vector>

#include "disk/check_result.h"
#include "disk/copy_writer.h"
#include "disk/power.h"
#include "disk/tripwire.h"
#include "job/disk_check.h"

namespace rota::job {

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

}  // namespace rota::job
