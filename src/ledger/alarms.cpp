#include <fmt/core.h>

#include "base/error.h"
#include "ledger/advice.h"
#include "ledger/change.h"
#include "ledger/disks.h"
#include "ledger/row_table.h"

namespace rota::ledger {

namespace {

using base::Error;
using base::ErrorKind;

AlarmRow alarm_with(base::Database& database, std::int64_t id) {
  auto rows = rows_where<AlarmRow>(database, "id = ?", {std::to_string(id)});
  if (rows.empty()) {
    throw Error(ErrorKind::not_found, fmt::format("the ledger knows no alarm {}", id));
  }
  return std::move(rows.front());
}

}  // namespace

std::int64_t Disks::open_alarm(const AlarmRow& alarm) {
  base::Database& database = ledger_.database();
  return advised(database.path(), [&] {
    Change change(database, alarm.opened);
    AlarmRow row = alarm;
    row.id = 0;
    if (row.details.size() > kMaxDetails) {
      const std::size_t more = row.details.size() - kMaxDetails;
      row.details.resize(kMaxDetails);
      row.details.push_back(fmt::format("… and {} more", more));
    }
    const std::int64_t id = change.add(row);
    change.commit();
    return id;
  });
}

void Disks::acknowledge(std::int64_t id, const std::string& by, const std::string& reason,
                        base::Instant now) {
  base::Database& database = ledger_.database();
  advised(database.path(), [&] {
    Change change(database, now);
    AlarmRow alarm = alarm_with(database, id);
    if (alarm.acknowledged) return;
    alarm.acknowledged = now;
    alarm.acknowledged_by = by;
    alarm.reason = reason;
    change.add(alarm);
    change.commit();
  });
}

void Disks::close_alarm(std::int64_t id, base::Instant now) {
  base::Database& database = ledger_.database();
  advised(database.path(), [&] {
    Change change(database, now);
    AlarmRow alarm = alarm_with(database, id);
    if (alarm.closed) return;
    alarm.closed = now;
    change.add(alarm);
    change.commit();
  });
}

std::vector<AlarmRow> Disks::alarms(const std::string& disk, bool open_only) {
  base::Database& database = ledger_.database();
  return advised(database.path(), [&] {
    return rows_where<AlarmRow>(
        database,
        fmt::format("(?1 = '' OR disk = ?1) {} ORDER BY id",
                    open_only ? "AND acknowledged IS NULL AND closed IS NULL" : ""),
        {disk});
  });
}

}  // namespace rota::ledger
