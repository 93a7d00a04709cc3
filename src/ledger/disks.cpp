#include "ledger/disks.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "ledger/advice.h"
#include "ledger/change.h"
#include "ledger/contradictions.h"
#include "ledger/row_table.h"

namespace rota::ledger {

using base::Error;
using base::ErrorKind;
using base::Instant;

namespace {

[[noreturn]] void refuse_known(const DiskRow& known, const std::string& what) {
  const bool gone = known.end == DiskEnd::lost || known.end == DiskEnd::retired;
  throw Error(
      ErrorKind::refused,
      fmt::format("the ledger knows a disk with this {} already: {}, {}; {}", what, known.name,
                  word(known.end),
                  gone ? "a name is never used twice, because an old disk and its label may "
                         "turn up again: choose another"
                       : "choose another, or see `rota disk show " + known.name + "`"));
}

}  // namespace

void Disks::add(const DiskRow& disk, Instant now) {
  check_disk_name(disk.name);
  base::Database& database = ledger_.database();
  advised(database.path(), [&] {
    Change change(database, now);
    for (const DiskRow& known : all()) {
      if (known.name == disk.name) refuse_known(known, "name");
      if (!disk.label.empty() && known.label == disk.label) refuse_known(known, "label");
      if (!disk.uuid.empty() && known.uuid == disk.uuid) refuse_known(known, "filesystem UUID");
      if (!disk.luks_uuid.empty() && known.luks_uuid == disk.luks_uuid) {
        refuse_known(known, "LUKS UUID");
      }
    }
    change.add(disk, "added");
    change.commit();
  });
}

void Disks::change(const DiskRow& disk, Instant now) {
  alter(disk.name, "changed", now, [&](DiskRow& row) { row = disk; });
}

template <typename Alter>
void Disks::alter(const std::string& disk, const char* note, Instant now, Alter action) {
  base::Database& database = ledger_.database();
  advised(database.path(), [&] {
    Change change(database, now);
    const DiskRow before = get(disk);
    DiskRow after = before;
    action(after);
    if (after == before) return;
    change.add(after, note);
    change.commit();
  });
}

std::vector<DiskRow> Disks::all() {
  base::Database& database = ledger_.database();
  return advised(database.path(),
                 [&] { return rows_where<DiskRow>(database, "true ORDER BY name", {}); });
}

std::optional<DiskRow> Disks::one(const std::string& where, std::string_view value) {
  if (value.empty()) return std::nullopt;
  base::Database& database = ledger_.database();
  return advised(database.path(), [&]() -> std::optional<DiskRow> {
    auto rows = rows_where<DiskRow>(database, where, {std::string(value)});
    if (rows.empty()) return std::nullopt;
    return std::move(rows.front());
  });
}

std::optional<DiskRow> Disks::find(std::string_view name) { return one("name = ?1", name); }
std::optional<DiskRow> Disks::with_label(std::string_view label) {
  return one("label = ?1", label);
}
std::optional<DiskRow> Disks::with_uuid(std::string_view uuid) {
  return one("uuid = ?1 OR luks_uuid = ?1", uuid);
}
std::optional<DiskRow> Disks::with_token(std::string_view sha256) {
  return one("token_sha256 = ?1 OR next_token_sha256 = ?1", sha256);
}

DiskRow Disks::get(std::string_view name) {
  if (auto disk = find(name)) return *disk;
  std::vector<std::string> known;
  for (const DiskRow& disk : all()) known.push_back(disk.name);
  const std::string missing = fmt::format("the ledger knows no disk \"{}\"", base::printable(name));
  throw Error(ErrorKind::not_found,
              known.empty() ? missing + ", nor any other; `rota disk prepare` makes one"
                            : fmt::format("{}; there are: {}", missing, fmt::join(known, ", ")));
}

void Disks::announce_token(const std::string& disk, const std::string& sha256, Instant now) {
  alter(disk, "token announced", now, [&](DiskRow& row) { row.next_token_sha256 = sha256; });
}

void Disks::confirm_token(const std::string& disk, Instant now) {
  alter(disk, "token confirmed", now, [](DiskRow& row) {
    if (row.next_token_sha256.empty()) return;
    row.token_sha256 = row.next_token_sha256;
    row.next_token_sha256.clear();
  });
}

void Disks::set_room(const std::string& disk, std::uint64_t capacity, std::uint64_t used,
                     std::uint64_t next_copy, Instant now) {
  alter(disk, "room", now, [&](DiskRow& row) {
    row.capacity = capacity;
    row.used = used;
    row.next_copy = next_copy;
  });
}

void Disks::end(const std::string& disk, DiskEnd end, const std::string& reason,
                const std::string& by, Instant now) {
  base::Database& database = ledger_.database();
  advised(database.path(), [&] {
    Change change(database, now);
    DiskRow row = get(disk);
    if (row.end == DiskEnd::retired) {
      throw Error(ErrorKind::refused,
                  fmt::format("the disk {} is retired, and that is final: prepare it again under "
                              "another name",
                              disk));
    }
    const bool found = row.end == DiskEnd::lost && (end == DiskEnd::in_use || end == DiskEnd::held);
    row.end = end;
    row.end_time = end == DiskEnd::in_use ? std::nullopt : std::optional(now);
    row.end_reason = reason;
    row.end_by = by;
    change.add(row, word(end));
    if (found) {
      ClaimRow claim;
      claim.disk = disk;
      claim.time = now;
      claim.state = Claimed::on_site;
      claim.by = by;
      claim.note = "found again";
      change.add(claim);
    }
    close_contradictions(change, alarms(disk, true), now);
    change.commit();
  });
}

std::vector<DiskState> Disks::states() {
  base::Database& database = ledger_.database();
  return advised(database.path(), [&] {
    std::vector<DiskState> states;
    for (const DiskRow& disk : all()) {
      DiskState& state = states.emplace_back();
      state.disk = disk;
      state.claim = last_claim(disk.name);
      state.observation = last_observation(disk.name);
      state.claim_holds = state.claim && !seen_since(disk.name, state.claim->id);
      state.result = last_result(disk.name);
      if (state.observation) state.last_seen = state.observation->time;
      state.copies = copies(disk.name);
    }
    return states;
  });
}

}  // namespace rota::ledger
