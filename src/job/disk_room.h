#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "disk/copy_record.h"
#include "disk/mount.h"
#include "job/disk_events.h"
#include "profile/rotation.h"

namespace rota::job {

/// The ledger's row of a copy, from what COPY.json says of it. Its state is partial.
ledger::CopyRow copy_row(const std::string& disk, const disk::CopyRecord& record);

/// Brings the ledger in line with what a disk really holds: copies that it does not know (a ledger
/// that was restored, a crash between the seal and its record) and such as are gone. The disk is
/// the truth. Copies that were to be removed are removed to the end where the mount is writable.
void reconcile(ledger::Disks& disks, DiskLog& log, const std::string& disk,
               const disk::DiskMount& mount, const Surroundings& around);

/// Removes copies from a mounted disk, oldest first, in the way that keeps the newest.
class DiskRoom {
 public:
  DiskRoom(ledger::Disks& disks, DiskLog& log, const profile::DiskSet& set, std::string disk,
           std::vector<std::string> set_disks, const Surroundings& around);

  /// Prunes until `needed` bytes and the set's reserve are free. Throws Error(refused) when what
  /// may be pruned does not suffice, or something would have to and must not (`may_prune` off):
  /// with the figures and what to do. The disk is then `full`.
  void make(const disk::DiskMount& mount, std::uint64_t needed, bool may_prune,
            const std::string& server);
  /// Prunes what must go by the policy: too many copies or too old ones.
  void apply_policy(const disk::DiskMount& mount, const std::string& server);

  /// What was pruned so far: "web/20260924T030000Z".
  const std::vector<std::string>& pruned() const { return pruned_; }

 private:
  std::vector<ledger::CopyRow> copies_of(const std::string& server);
  void prune(const disk::DiskMount& mount, const ledger::CopyRow& copy, const std::string& why);

  ledger::Disks& disks_;
  DiskLog& log_;
  const profile::DiskSet& set_;
  std::string disk_;
  std::vector<std::string> set_disks_;
  const Surroundings around_;
  std::vector<std::string> pruned_;
};

}  // namespace rota::job
