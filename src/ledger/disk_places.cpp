#include <fmt/core.h>

#include "base/error.h"
#include "ledger/advice.h"
#include "ledger/change.h"
#include "ledger/contradictions.h"
#include "ledger/disks.h"
#include "ledger/row_table.h"

namespace rota::ledger {

namespace {

using base::Error;
using base::ErrorKind;

constexpr const char* kLast = "disk = ? ORDER BY id DESC LIMIT 1";

template <typename Row>
std::optional<Row> last(base::Database& database, const std::string& disk) {
  auto rows = rows_where<Row>(database, kLast, {disk});
  if (rows.empty()) return std::nullopt;
  return std::move(rows.front());
}

template <typename Row>
std::vector<Row> since(base::Database& database, const char* table, base::Instant time) {
  const std::string from = std::to_string(time.time_since_epoch().count());
  return rows_where<Row>(database,
                         fmt::format("time >= CAST(? AS INTEGER) OR id IN (SELECT max(id) FROM {} "
                                     "WHERE time < CAST(? AS INTEGER) GROUP BY disk) ORDER BY id",
                                     table),
                         {from, from});
}

/// A word about where a disk is that is lost would say nothing of its turn, and of a retired one
/// nobody asks.
void refuse_gone(const DiskRow& disk) {
  const std::string since =
      disk.end_time ? fmt::format(" since {}", base::local(*disk.end_time).substr(0, 10)) : "";
  if (disk.end == DiskEnd::lost) {
    throw Error(ErrorKind::refused,
                fmt::format("disk {0} is lost{1}: if it was found, `rota disk release {0}` first",
                            disk.name, since));
  }
  if (disk.end == DiskEnd::retired) {
    throw Error(ErrorKind::refused,
                fmt::format("disk {} is retired{}, and that is final: where it is, is not recorded "
                            "any more",
                            disk.name, since));
  }
}

}  // namespace

void close_contradictions(Change& change, std::vector<AlarmRow> open, base::Instant now) {
  for (AlarmRow& alarm : open) {
    if (alarm.kind != kContradiction) continue;
    alarm.closed = now;
    change.add(alarm);
  }
}

void Disks::claim(const ClaimRow& claim, base::Instant now) {
  base::Database& database = ledger_.database();
  advised(database.path(), [&] {
    Change change(database, now);
    refuse_gone(get(claim.disk));
    ClaimRow row = claim;
    row.id = 0;
    change.add(row);
    close_contradictions(change, alarms(claim.disk, true), now);
    change.commit();
  });
}

std::string Disks::contradiction(const DiskRow& disk, const ObservationRow& observation) {
  if (observation.state == Observed::away) return "";
  if (disk.end == DiskEnd::lost) {
    for (const AlarmRow& alarm : alarms(disk.name, true)) {
      if (alarm.kind == kContradiction) return "";
    }
    return fmt::format(
        "The disk {0} was said to be lost on {1}, but is plugged in here: look at it, and give it "
        "its "
        "turn again with `rota disk release {0}`.",
        disk.name, base::local(disk.end_time.value_or(disk.prepared)));
  }
  const std::optional<ClaimRow> claim = last_claim(disk.name);
  if (!claim || claim->state != Claimed::off_site || seen_since(disk.name, claim->id)) return "";
  return fmt::format(
      "The disk {0} was claimed off site since {1}, but is plugged in here: say who brought it "
      "back "
      "with `rota disk move {0} on-site --by NAME`.",
      disk.name, base::local(claim->time));
}

void Disks::observe(const ObservationRow& observation) {
  base::Database& database = ledger_.database();
  advised(database.path(), [&] {
    Change change(database, observation.time);
    AlarmRow alarm;
    alarm.message = contradiction(get(observation.disk), observation);
    ObservationRow row = observation;
    row.id = 0;
    change.add(row);
    if (!alarm.message.empty()) {
      alarm.kind = kContradiction;
      alarm.disk = observation.disk;
      alarm.opened = observation.time;
      alarm.severity = Severity::warning;
      change.add(alarm);
    }
    change.commit();
  });
}

std::vector<ClaimRow> Disks::claims_since(base::Instant time) {
  base::Database& database = ledger_.database();
  return advised(database.path(), [&] { return since<ClaimRow>(database, "claim", time); });
}

std::vector<ObservationRow> Disks::observations_since(base::Instant time) {
  base::Database& database = ledger_.database();
  return advised(database.path(),
                 [&] { return since<ObservationRow>(database, "observation", time); });
}

std::optional<ClaimRow> Disks::last_claim(const std::string& disk) {
  base::Database& database = ledger_.database();
  return advised(database.path(), [&] { return last<ClaimRow>(database, disk); });
}

std::optional<ObservationRow> Disks::last_observation(const std::string& disk) {
  base::Database& database = ledger_.database();
  return advised(database.path(), [&] { return last<ObservationRow>(database, disk); });
}

std::optional<ObservationRow> Disks::last_result(const std::string& disk) {
  base::Database& database = ledger_.database();
  return advised(database.path(), [&]() -> std::optional<ObservationRow> {
    auto rows = rows_where<ObservationRow>(
        database,
        "disk = ? AND (state IN ('sealed', 'interrupted', 'suspect', 'damaged', 'full') OR "
        "(state = 'safe to remove' AND detail <> ?)) ORDER BY id DESC LIMIT 1",
        {disk, kEjected});
    if (rows.empty()) return std::nullopt;
    return std::move(rows.front());
  });
}

bool Disks::seen_since(const std::string& disk, std::int64_t id) {
  base::Database& database = ledger_.database();
  return advised(database.path(), [&] {
    base::Statement row(
        database, "SELECT 1 FROM observation WHERE disk = ? AND id > ? AND state <> ? LIMIT 1");
    row.bind(1, disk).bind(2, id).bind(3, std::string_view(word(Observed::away)));
    return row.step();
  });
}

}  // namespace rota::ledger
