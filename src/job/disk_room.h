#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "disk/copy_record.h"
#include "disk/mount.h"
#include "job/disk_events.h"
#include "profile/rotation.h"

namespace rota::job {

/// The ledger's row of a copy, from what COPY.json says of it. Its state is partial.
ledger::CopyRow copy_row(const std::string& disk, const disk::CopyRecord& record);
/// The same of a copy that was read back whole and sealed just now.
ledger::CopyRow sealed_row(const std::string& disk, const disk::CopyRecord& record,
                           base::Instant now);

/// Brings the ledger in line with what a disk really holds: copies that it does not know (a ledger
/// that was restored, a crash between the seal and its record) and such as are gone. The disk is
/// the truth. Copies that were to be removed are removed to the end where the mount is writable.
void reconcile(ledger::Disks& disks, DiskLog& log, const std::string& disk,
               const disk::DiskMount& mount, const Surroundings& around);

/// The kind of the alarms that hold a copy.
inline constexpr const char* kTripwire = "tripwire";

/// A copy of the server was sealed on the disk: what held earlier ones, opened until `opened_by`,
/// is settled, and a person's word about it used up.
void close_tripwires(ledger::Disks& disks, const std::string& disk, const std::string& server,
                     base::Instant opened_by, base::Instant now);

/// Removes copies from a mounted disk, oldest first, in the way that keeps the newest.
class DiskRoom {
 public:
  /// rotation: one of its sets has the disk.
  DiskRoom(ledger::Disks& disks, DiskLog& log, const profile::Rotation& rotation, std::string disk,
           const Surroundings& around);

  /// A new copy of the server waits for a person: make() removes none of its older ones.
  void spare(const std::string& server) { spared_.insert(server); }
  /// Whether `needed` bytes and the set's reserve are free, with nothing pruned.
  bool has(const disk::DiskMount& mount, std::uint64_t needed) const;
  /// Prunes until they are. Throws Error(refused) when what may be pruned does not suffice: with
  /// the figures and what to do. The disk is then `full`.
  void make(const disk::DiskMount& mount, std::uint64_t needed, const std::string& server);
  /// Prunes what must go by the policy: too many copies or too old ones.
  void apply_policy(const disk::DiskMount& mount, const std::string& server);

  /// Of the set that the disk belongs to.
  const base::Span& interval() const { return set_.interval; }
  /// What was pruned so far: "web/20260924T030000Z".
  const std::vector<std::string>& pruned() const { return pruned_; }

 private:
  std::vector<ledger::CopyRow> copies_of(const std::string& server);
  std::vector<ledger::CopyRow> candidates();
  [[noreturn]] void full(const disk::DiskMount& mount, std::uint64_t wanted,
                         const std::string& server);
  void prune(const disk::DiskMount& mount, const ledger::CopyRow& copy, const std::string& why);

  ledger::Disks& disks_;
  DiskLog& log_;
  const profile::DiskSet& set_;
  const std::string disk_;
  std::vector<std::string> set_disks_;  ///< all of its set
  const Surroundings around_;
  std::set<std::string> spared_;
  std::vector<std::string> pruned_;
};

}  // namespace rota::job
