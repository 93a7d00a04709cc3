#include "job/disk_room.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "disk/copies.h"
#include "disk/freeable.h"
#include "disk/make_filesystem.h"
#include "disk/power.h"
#include "rotation/clock.h"
#include "rotation/rotation.h"

namespace rota::job {

using base::Error;
using base::ErrorKind;
using ledger::CopyRow;

namespace {

std::string snapshot_of(const disk::CopyInfo& info) { return base::compact(info.time); }

bool is_older(const CopyRow& a, const CopyRow& b) { return a.snapshot < b.snapshot; }

/// What removing these copies frees at the most.
std::uint64_t most_freed(const disk::DiskMount& mount, const std::vector<CopyRow>& copies) {
  std::map<std::string, std::set<base::Instant>> of_servers;
  for (const CopyRow& copy : copies) of_servers[copy.server].insert(copy.snapshot_time());
  std::uint64_t most = 0;
  for (const auto& [server, going] : of_servers) {
    most += disk::freeable(mount.fd(), server, going);
  }
  return most;
}

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

ledger::CopyRow sealed_row(const std::string& disk, const disk::CopyRecord& record,
                           base::Instant now) {
  ledger::CopyRow row = copy_row(disk, record);
  row.state = ledger::CopyState::sealed;
  row.sealed_time = now;
  row.verified = true;
  row.last_verified = now;
  row.last_good = true;
  row.oldest_read = now;
  return row;
}

void close_tripwires(ledger::Disks& disks, const std::string& disk, const std::string& server,
                     base::Instant opened_by, base::Instant now) {
  for (const ledger::AlarmRow& alarm : disks.alarms(disk, false)) {
    // One with a date of the future was opened before, too, by a clock that was ahead.
    const bool before = alarm.opened <= opened_by || alarm.opened > now + rotation::kClockSlack;
    if (alarm.kind == kTripwire && alarm.server == server && !alarm.closed && before) {
      disks.close_alarm(alarm.id, now);
    }
  }
}

void reconcile(ledger::Disks& disks, DiskLog& log, const std::string& disk,
               const disk::DiskMount& mount, const Surroundings& around) {
  const base::Instant now = around.clock.now();
  const std::vector<disk::CopyInfo> there = disk::list_copies(mount.fd());
  for (const CopyRow& row : disks.copies(disk)) {
    const auto is_it = [&](const disk::CopyInfo& info) {
      return info.server == row.server && snapshot_of(info) == row.snapshot;
    };
    const auto found = std::ranges::find_if(there, [&](const disk::CopyInfo& info) {
      return is_it(info) && info.state != disk::CopyState::leftover;
    });
    const bool sealed_there = found != there.end() && found->state == disk::CopyState::sealed;
    CopyRow right = row;
    if (found == there.end()) {
      // A partial one is replaced by the next attempt, under another name: that is no loss.
      right.state = ledger::CopyState::pruned;
      disks.put_copy(right, now);
      // What only lost its name is what rota was about to remove.
      if (row.state != ledger::CopyState::partial && std::ranges::none_of(there, is_it)) {
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
      close_tripwires(disks, disk, row.server, now, now);
      log.done("seal", "found on the disk, recorded now", row.server);
    }
  }
  for (const disk::CopyInfo& info : there) {
    if (info.state != disk::CopyState::sealed || !info.record) continue;
    const auto known = disks.copy(disk, info.server, snapshot_of(info));
    if (known && known->state != ledger::CopyState::pruned) continue;
    // Nothing is sealed that was not read back.
    CopyRow row = sealed_row(disk, *info.record, info.record->finished);
    row.server = info.server;  // where it lies decides, whatever the file says
    row.snapshot = snapshot_of(info);
    disks.put_copy(row, now);
    // It may be an old one: what was held behind it still waits.
    close_tripwires(disks, disk, row.server, info.record->finished, now);
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

DiskRoom::DiskRoom(ledger::Disks& disks, DiskLog& log, const profile::Rotation& rotation,
                   std::string disk, const Surroundings& around)
    : disks_(disks),
      log_(log),
      set_(*rotation.set_of(disk)),
      disk_(std::move(disk)),
      around_(around) {
  for (const ledger::DiskRow& row : disks_.all()) {
    if (rotation.set_of(row.name) == &set_) set_disks_.push_back(row.name);
  }
}

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
  const std::string leftover =
      disk::set_aside(mount.fd(), copy.server, copy.snapshot, around_.progress, around_.stop);
  CopyRow gone = copy;
  gone.state = ledger::CopyState::pruned;
  disks_.put_copy(gone, around_.clock.now());
  pruned_.push_back(copy.server + "/" + copy.snapshot);
  disk::remove_copy(mount.fd(), copy.server, leftover, around_.progress, around_.stop);
  log_.done("prune", fmt::format("{}, {}", copy.snapshot, why), copy.server);
}

bool DiskRoom::has(const disk::DiskMount& mount, std::uint64_t needed) const {
  const std::uint64_t wanted = needed + set_.reserve;
  if (disk::usage(mount.fd()).free >= wanted) return true;
  disk::release_reserve(mount.fd());
  const bool enough = disk::usage(mount.fd()).free >= wanted;
  disk::make_reserve(mount.fd());
  return enough;
}

/// What may go, of all servers.
std::vector<CopyRow> DiskRoom::candidates() {
  std::vector<CopyRow> all;
  std::set<std::string> seen = spared_;
  for (const CopyRow& row : disks_.copies(disk_)) {
    if (!seen.insert(row.server).second) continue;
    const std::vector<CopyRow> of_server =
        rotation::may_prune(copies_of(row.server), disk_, around_.clock.now());
    all.insert(all.end(), of_server.begin(), of_server.end());
  }
  return all;
}

void DiskRoom::full(const disk::DiskMount& mount, std::uint64_t wanted, const std::string& server) {
  const std::string have = base::human_size(disk::usage(mount.fd()).free);
  log_.observe(ledger::Observed::full,
               fmt::format("{} needs {}, {} are free", server, base::human_size(wanted), have));
  std::string advice =
      "no older copy may be removed, so take a larger disk, or leave more out with "
      "`exclude`";
  if (!spared_.empty()) {
    std::string names;
    for (const std::string& name : spared_) names += (names.empty() ? "" : ", ") + name;
    advice = fmt::format(
        "older copies of {} stay until somebody has looked at what is held: `rota disk show {}`, "
        "then `rota disk accept`",
        names, disk_);
  }
  std::string gone;
  for (const std::string& name : pruned_) gone += (gone.empty() ? "" : ", ") + name;
  if (!gone.empty()) gone = "; removed before, to make room: " + gone;
  throw Error(
      ErrorKind::refused,
      fmt::format("disk {} has no room for the copy of {}: it needs {} ({} of them are kept "
                  "free, the `reserve` of its set), and {} are free{}; {}",
                  disk_, server, base::human_size(wanted), base::human_size(set_.reserve), have,
                  gone, advice));
}

void DiskRoom::make(const disk::DiskMount& mount, std::uint64_t needed, const std::string& server) {
  const auto free = [&] { return disk::usage(mount.fd()).free; };
  const std::uint64_t wanted = needed + set_.reserve;
  if (free() >= wanted) return;
  // Clean-up needs room itself on some filesystems: that is what the reserve file is for.
  disk::release_reserve(mount.fd());
  while (free() < wanted) {
    const std::vector<CopyRow> may_go = candidates();
    // Nothing goes in vain.
    if (may_go.empty() || free() + most_freed(mount, may_go) < wanted) {
      disk::make_reserve(mount.fd());
      full(mount, wanted, server);
    }
    prune(mount, *std::ranges::min_element(may_go, is_older), "to make room");
  }
  disk::make_reserve(mount.fd());
}

void DiskRoom::apply_policy(const disk::DiskMount& mount, const std::string& server) {
  rotation::SetPolicy policy;
  policy.keep = set_.keep;
  policy.max_age = set_.max_age;
  for (const CopyRow& copy :
       rotation::must_prune(copies_of(server), disk_, policy, around_.clock.now())) {
    prune(mount, copy, "by the policy of its set");
  }
}

}  // namespace rota::job
