#include <fmt/core.h>

#include "base/error.h"
#include "base/text.h"
#include "ledger/advice.h"
#include "ledger/change.h"
#include "ledger/disks.h"
#include "ledger/names.h"
#include "ledger/row_table.h"

namespace rota::ledger {

namespace {

using base::Error;
using base::ErrorKind;

void require_names(const CopyRow& copy) {
  if (is_server_name(copy.server) && base::parse_compact(copy.snapshot)) return;
  throw Error(
      ErrorKind::usage,
      fmt::format("\"{}/{}\" cannot name a copy: it is the name of a server and a time such "
                  "as 20261024T030000Z",
                  base::printable(copy.server), base::printable(copy.snapshot)));
}

}  // namespace

void Disks::put_copy(const CopyRow& copy, base::Instant now) {
  require_names(copy);
  base::Database& database = ledger_.database();
  advised(database.path(), [&] {
    Change change(database, now);
    get(copy.disk);
    change.add(copy);
    change.commit();
  });
}

void Disks::seal(const CopyRow& copy, base::Instant now) {
  require_names(copy);
  base::Database& database = ledger_.database();
  advised(database.path(), [&] {
    Change change(database, now);
    DiskRow disk = get(copy.disk);
    CopyRow sealed = copy;
    sealed.state = CopyState::sealed;
    sealed.sealed_time = now;
    change.add(sealed);
    if (!disk.next_token_sha256.empty()) {
      disk.token_sha256 = disk.next_token_sha256;
      disk.next_token_sha256.clear();
      change.add(disk, "token confirmed");
    }
    ObservationRow observation;
    observation.disk = copy.disk;
    observation.time = now;
    observation.state = Observed::sealed;
    observation.detail = fmt::format("{}/{}", copy.server, copy.snapshot);
    change.add(observation);
    change.commit();
  });
}

std::vector<CopyRow> Disks::copies(const std::string& disk, bool present_only) {
  base::Database& database = ledger_.database();
  return advised(database.path(), [&] {
    return rows_where<CopyRow>(database,
                               fmt::format("disk = ?1 {} ORDER BY snapshot, server",
                                           present_only ? "AND state <> 'pruned'" : ""),
                               {disk});
  });
}

std::optional<CopyRow> Disks::copy(const std::string& disk, const std::string& server,
                                   const std::string& snapshot) {
  base::Database& database = ledger_.database();
  return advised(database.path(), [&]() -> std::optional<CopyRow> {
    auto rows = rows_where<CopyRow>(database, "disk = ? AND server = ? AND snapshot = ?",
                                    {disk, server, snapshot});
    if (rows.empty()) return std::nullopt;
    return std::move(rows.front());
  });
}

std::optional<CopyRow> Disks::newest_sealed(const std::string& disk, const std::string& server) {
  base::Database& database = ledger_.database();
  return advised(database.path(), [&]() -> std::optional<CopyRow> {
    auto rows = rows_where<CopyRow>(
        database, "disk = ? AND server = ? AND state = 'sealed' ORDER BY snapshot DESC LIMIT 1",
        {disk, server});
    if (rows.empty()) return std::nullopt;
    return std::move(rows.front());
  });
}

std::vector<CopyRow> Disks::last_sealed(const std::string& server, int limit) {
  base::Database& database = ledger_.database();
  return advised(database.path(), [&] {
    return rows_where<CopyRow>(database,
                               fmt::format("server = ? AND sealed_time IS NOT NULL ORDER BY "
                                           "snapshot DESC, disk LIMIT {}",
                                           limit),
                               {server});
  });
}

void Disks::add_check(const CheckRow& check) {
  base::Database& database = ledger_.database();
  advised(database.path(), [&] {
    Change change(database, check.time);
    std::optional<CopyRow> copy = this->copy(check.disk, check.server, check.snapshot);
    if (!copy) {
      throw Error(ErrorKind::not_found,
                  fmt::format("the ledger knows no copy {}/{} on the disk {}",
                              base::printable(check.server), base::printable(check.snapshot),
                              base::printable(check.disk)));
    }
    CheckRow row = check;
    row.id = 0;
    change.add(row);
    copy->last_verified = check.time;
    copy->last_good = check.good;
    if (check.good && check.what != CheckKind::scrub) copy->oldest_read = check.time;
    if (check.what == CheckKind::seal) copy->verified = check.good;
    const bool damaged = !check.good && check.what != CheckKind::seal;
    if (damaged) copy->state = CopyState::damaged;
    if (check.good && check.what == CheckKind::full && copy->state == CopyState::damaged) {
      copy->state = CopyState::sealed;
      copy->verified = true;
    }
    change.add(*copy);
    if (damaged && check.what != CheckKind::scrub) {
      AlarmRow alarm;
      alarm.kind = "damaged copy";
      alarm.disk = check.disk;
      alarm.server = check.server;
      alarm.opened = check.time;
      alarm.message = fmt::format(
          "The copy {}/{} on the disk {} is damaged ({}): keep the other disks safe, and do not "
          "rely on this one.",
          check.server, check.snapshot, check.disk,
          check.problem.empty() ? "no reason was recorded" : base::printable(check.problem));
      change.add(alarm);
    }
    change.commit();
  });
}

std::vector<CheckRow> Disks::checks(const std::string& disk, const std::string& server,
                                    const std::string& snapshot) {
  base::Database& database = ledger_.database();
  return advised(database.path(), [&] {
    return rows_where<CheckRow>(database, "disk = ? AND server = ? AND snapshot = ? ORDER BY id",
                                {disk, server, snapshot});
  });
}

}  // namespace rota::ledger
