#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "disk/check_result.h"
#include "disk/mount.h"
#include "disk/scrub.h"
#include "job/disk_events.h"
#include "job/disk_session.h"

namespace rota::job {

/// What a check found, as a phrase.
std::string check_text(const disk::CheckResult& check);

/// Copies of one server that were read again.
struct Scrubbed {
  std::string server;
  disk::ScrubState state;
  disk::ScrubResult result;
};

/// Reads copies on a mounted disk back and records what was found.
///
/// A disk that was pulled out meanwhile is not damaged: nothing is recorded of it, and Error(io) is
/// thrown.
class DiskChecks {
 public:
  /// session: of the disk; outlives this.
  DiskChecks(ledger::Disks& disks, DiskLog& log, const DiskSession& session,
             const Surroundings& around);

  /// directory: the copy's, ".partial" included. bytes: to be read, for the time left; 0: unknown.
  disk::CheckResult verify(const disk::DiskMount& mount, const std::string& server,
                           const std::string& directory, ledger::CheckKind what,
                           std::uint64_t bytes);

  /// Reads sealed copies of all servers again, least recently read first, for so long at most.
  /// Damage is a warning, an alarm, and a bad check of each copy that has the file.
  std::vector<Scrubbed> scrub(const disk::DiskMount& mount, std::chrono::seconds budget);

  /// Notes on the disk, which is mounted read-write now, how far scrub() came and what it found.
  void keep(const disk::DiskMount& mount, const std::vector<Scrubbed>& scrubbed);

 private:
  void require_disk(const disk::CheckResult& check) const;
  void record_damage(const disk::DiskMount& mount, const Scrubbed& scrubbed);

  ledger::Disks& disks_;
  DiskLog& log_;
  const DiskSession& session_;
  const std::string& disk_;  ///< its name
  const Surroundings around_;
};

}  // namespace rota::job
