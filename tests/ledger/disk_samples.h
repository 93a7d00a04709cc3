#pragma once

#include <fmt/core.h>

#include <string>

#include "ledger/disks.h"
#include "ledger/drills.h"
#include "ledger/export.h"

namespace rota::test {

inline base::Instant when(const std::string& text) { return *base::parse_iso(text); }

/// "B": label ROTA-B, UUID "uuid-B", token "token-B".
inline ledger::DiskRow some_disk(const std::string& name,
                                 const std::string& prepared = "2026-01-01T12:00:00Z") {
  ledger::DiskRow disk;
  disk.name = name;
  disk.label = fmt::format("ROTA-{}", name);
  disk.uuid = fmt::format("uuid-{}", name);
  disk.luks_uuid = fmt::format("luks-{}", name);
  disk.filesystem = "ext4";
  disk.token_sha256 = fmt::format("token-{}", name);
  disk.serial = fmt::format("serial-{}", name);
  disk.model = "Portable SSD";
  disk.size = 2'000'000'000'000;
  disk.prepared = when(prepared);
  return disk;
}

/// A copy that is sealed and was read back.
inline ledger::CopyRow some_copy(const std::string& disk, const std::string& snapshot,
                                 const std::string& server = "web") {
  ledger::CopyRow copy;
  copy.disk = disk;
  copy.server = server;
  copy.snapshot = snapshot;
  copy.state = ledger::CopyState::sealed;
  copy.source.assign(1, '/');  // g++ 12 warns falsely of = "/"
  copy.entries = 250'000;
  copy.bytes = 400'000'000'000;
  copy.new_bytes = 10'000'000'000;
  copy.changed = 900;
  copy.added = 100;
  copy.removed = 20;
  copy.verified = true;
  copy.sealed_time = copy.snapshot_time() + std::chrono::hours(2);
  copy.oldest_read = copy.sealed_time;
  return copy;
}

inline ledger::ObservationRow seen(const std::string& disk, ledger::Observed state,
                                   const std::string& time) {
  ledger::ObservationRow row;
  row.disk = disk;
  row.time = when(time);
  row.state = state;
  row.device = "/dev/sdb1";
  row.serial = fmt::format("serial-{}", disk);
  return row;
}

inline ledger::ClaimRow claimed(const std::string& disk, ledger::Claimed state,
                                const std::string& time, const std::string& place = "") {
  ledger::ClaimRow row;
  row.disk = disk;
  row.time = when(time);
  row.state = state;
  row.place = place;
  row.by = "jo";
  return row;
}

/// A ledger's history as it would be from before there were commitments.
inline ledger::Exported without_commitments(ledger::Ledger& ledger) {
  ledger::Exported old{"an old ledger", ledger::History(ledger).rows()};
  std::string previous(ledger::kNoHash);
  for (ledger::HistoryRow& row : old.rows) {
    row.commitment.clear();
    row.hash = row_hash(previous, row);
    previous = row.hash;
  }
  return old;
}

/// A drill of the whole server from the store that passed.
inline ledger::DrillRow some_drill(const std::string& server, const std::string& time) {
  ledger::DrillRow row;
  row.server = server;
  row.run = "20261023T030000Z-abcd";
  row.time = when(time);
  row.snapshot = row.time - std::chrono::hours(31);
  row.files = 250'000;
  row.bytes = row.whole_bytes = 400'000'000'000;
  row.restore_seconds = 4'200;
  row.seconds = 6'000;
  row.checked = true;
  row.passed = true;
  return row;
}

}  // namespace rota::test
