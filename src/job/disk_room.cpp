#include "job/disk_room.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "disk/copies.h"
#include "disk/make_filesystem.h"
#include "disk/power.h"
#include "rotation/rotation.h"

namespace rota::job {

using base::Error;
using base::ErrorKind;
using ledger::CopyRow;

namespace {

std::string snapshot_of(const disk::CopyInfo& info) { return base::compact(info.time); }

bool is_older(const CopyRow& a, const CopyRow& b) { return a.snapshot < b.snapshot; }

}  // namespace

ledger::CopyRow copy_row(const std::string& disk, const disk::CopyRecord& record) {
  CopyRow row;
  row.disk = disk;
  row.server = record.server;
  row.snapshot = base::compact(record.time);
  row.source = record.source;
  row.entries = record.entries;
  row.bytes = record.bytes;
  row.new_bytes = record.new_bytes;
  row.warnings = record.warnings;
  row.changed = record.changed;
  row.added = record.added;
  row.removed = record.removed;
  row.sums_sha256 = base::to_hex(record.sums_sha256);
  return row;
}

void reconcile(ledger::Disks& disks, DiskLog& log, const std::string& disk,
               const disk::DiskMount& mount, const Surroundings& around) {
  const base::Instant now = around.clock.now();
  const std::vector<disk::CopyInfo> there = disk::list_copies(mount.fd());
  for (const CopyRow& row : disks.copies(disk)) {
    const auto found = std::ranges::find_if(there, [&](const disk::CopyInfo& info) {
      return info.server == row.server && snapshot_of(info) == row.snapshot &&
             info.state != disk::CopyState::leftover;
    });
    const bool sealed_there = found != there.end() && found->state == disk::CopyState::sealed;
    CopyRow right = row;
    if (found == there.end()) {
      // A partial one is replaced by the next attempt, under another name: that is no loss.
      right.state = ledger::CopyState::pruned;
      disks.put_copy(right, now);
      if (row.state == ledger::CopyState::sealed) {
        raise_alarm(
            disks, now, "missing copy", ledger::Severity::alarm, disk, row.server,
            fmt::format("the copy {} of {} is no longer on disk {}, and rota did not remove "
                        "it: find out who did",
                        row.snapshot, row.server, disk));
      }
    } else if (sealed_there && row.state == ledger::CopyState::partial) {
      // The seal came onto the medium, its record did not come into the ledger. It was read back
      // before, as every copy is.
      right.state = ledger::CopyState::sealed;
      right.sealed_time = now;
      right.verified = true;
      disks.put_copy(right, now);
      log.done("seal", "found on the disk, recorded now", row.server);
    }
  }
  for (const disk::CopyInfo& info : there) {
    if (info.state != disk::CopyState::sealed || !info.record) continue;
    const auto known = disks.copy(disk, info.server, snapshot_of(info));
    if (known && known->state != ledger::CopyState::pruned) continue;
    CopyRow row = copy_row(disk, *info.record);
    row.server = info.server;  // where it lies decides, whatever the file says
    row.snapshot = snapshot_of(info);
    row.state = ledger::CopyState::sealed;
    row.sealed_time = info.record->finished;
    // Nothing is sealed that was not read back.
    row.verified = true;
    row.last_good = true;
    row.last_verified = row.sealed_time;
    disks.put_copy(row, now);
    log.done("take up",
             fmt::format("the copy {} of {} was not in the ledger", row.snapshot, row.server),
             row.server);
  }
  if (mount.mode() != disk::MountMode::read_write) return;
  for (const disk::CopyInfo& info : there) {
    if (info.state != disk::CopyState::leftover) continue;
    disk::remove_copy(mount.fd(), info.server, info.directory, around.progress, around.stop);
  }
}

DiskRoom::DiskRoom(ledger::Disks& disks, DiskLog& log, const profile::DiskSet& set,
                   std::string disk, std::vector<std::string> set_disks, const Surroundings& around)
    : disks_(disks),
      log_(log),
      set_(set),
      disk_(std::move(disk)),
      set_disks_(std::move(set_disks)),
      around_(around) {}

std::vector<CopyRow> DiskRoom::copies_of(const std::string& server) {
  std::vector<CopyRow> copies;
  for (const std::string& disk : set_disks_) {
    std::ranges::copy_if(disks_.copies(disk), std::back_inserter(copies),
                         [&](const CopyRow& copy) { return copy.server == server; });
  }
  std::ranges::stable_sort(copies, is_older);
  return copies;
}

void DiskRoom::prune(const disk::DiskMount& mount, const CopyRow& copy, const std::string& why) {
  log_.begins("prune", copy.server);
  disk::remove_copy(mount.fd(), copy.server, copy.snapshot, around_.progress, around_.stop);
  CopyRow gone = copy;
  gone.state = ledger::CopyState::pruned;
  disks_.put_copy(gone, around_.clock.now());
  pruned_.push_back(copy.server + "/" + copy.snapshot);
  log_.done("prune", fmt::format("{}, {}", copy.snapshot, why), copy.server);
}

void DiskRoom::make(const disk::DiskMount& mount, std::uint64_t needed, bool may_prune,
                    const std::string& server) {
  const auto free = [&] { return disk::usage(mount.fd()).free; };
  const std::uint64_t wanted = needed + set_.reserve;
  if (free() >= wanted) return;
  // Clean-up needs room itself on some filesystems: that is what the reserve file is for.
  disk::release_reserve(mount.fd());
  while (free() < wanted) {
    std::vector<CopyRow> candidates;
    for (const ledger::CopyRow& row : disks_.copies(disk_)) {
      const auto same = std::ranges::find(candidates, row.server, &CopyRow::server);
      if (same != candidates.end()) continue;
      const std::vector<CopyRow> of_server = rotation::may_prune(copies_of(row.server), disk_);
      candidates.insert(candidates.end(), of_server.begin(), of_server.end());
    }
    if (!may_prune || candidates.empty()) {
      disk::make_reserve(mount.fd());
      const std::uint64_t have = free();
      log_.observe(ledger::Observed::full,
                   fmt::format("{} needs {}, {} are free", server, base::human_size(wanted),
                               base::human_size(have)));
      throw Error(
          ErrorKind::refused,
          fmt::format(
              "disk {} has no room for the copy of {}: it needs {} ({} of them kept free as "
              "rotation.toml says), and {} are free; {}",
              disk_, server, base::human_size(wanted), base::human_size(set_.reserve),
              base::human_size(have),
              may_prune ? "no older copy may be removed, so take a larger disk, or leave "
                          "more out with `exclude`"
                        : "older copies stay as long as a copy is held: look at it with "
                          "`rota disk show`, then `rota disk accept`"));
    }
    const CopyRow oldest = *std::ranges::min_element(candidates, is_older);
    prune(mount, oldest, "to make room");
  }
  disk::make_reserve(mount.fd());
}

void DiskRoom::apply_policy(const disk::DiskMount& mount, const std::string& server) {
  rotation::SetPolicy policy;
  policy.keep = set_.keep;
  policy.max_age = set_.max_age;
  for (const CopyRow& copy :
       rotation::must_prune(copies_of(server), disk_, policy, around_.clock.now())) {
    prune(mount, copy, "as rotation.toml says");
  }
}

}  // namespace rota::job
