#include <fmt/core.h>

#include "base/error.h"
#include "ledger/fields.h"
#include "ledger/history.h"
#include "ledger/row_json.h"
#include "ledger/row_table.h"

namespace rota::ledger {

namespace {

using base::Database;
using base::Error;
using base::ErrorKind;

void require_disk(Database& database, const std::string& name) {
  if (!rows_where<DiskRow>(database, "name = ?", {name}).empty()) return;
  throw Error(ErrorKind::corrupt, fmt::format("it names the disk {}, which is not there", name));
}

void require_parents(Database&, const DiskRow&) {}
void require_parents(Database&, const AlarmRow&) {}
// A copy may be drilled where nobody ever saw its disk.
void require_parents(Database&, const DrillRow&) {}
void require_parents(Database& database, const ClaimRow& row) { require_disk(database, row.disk); }
void require_parents(Database& database, const ObservationRow& row) {
  require_disk(database, row.disk);
}
void require_parents(Database& database, const CopyRow& row) { require_disk(database, row.disk); }
void require_parents(Database& database, const CheckRow& row) {
  if (!rows_where<CopyRow>(database, "disk = ? AND server = ? AND snapshot = ?",
                           {row.disk, row.server, row.snapshot})
           .empty()) {
    return;
  }
  throw Error(ErrorKind::corrupt, fmt::format("it names the copy {}/{} on {}, which is not there",
                                              row.server, row.snapshot, row.disk));
}

template <typename Row>
bool applied(Database& database, const HistoryRow& row) {
  if (row.kind != kTable<Row>.kind) return false;
  const Row fields = from_text<Row>(row.data, row.people, row.number);
  require_parents(database, fields);
  put_row(database, fields);
  return true;
}

}  // namespace

void apply(Database& database, const HistoryRow& row) {
  try {
    const bool known = row.kind == "begin" || row.withheld() || applied<DiskRow>(database, row) ||
                       applied<ClaimRow>(database, row) || applied<ObservationRow>(database, row) ||
                       applied<CopyRow>(database, row) || applied<CheckRow>(database, row) ||
                       applied<AlarmRow>(database, row) || applied<DrillRow>(database, row);
    if (!known) throw Error(ErrorKind::corrupt, "it is of a kind that this rota does not know");
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::corrupt) throw;
    throw Error(ErrorKind::corrupt,
                fmt::format("row {} of the history: {}", row.number, error.what()));
  }
}

}  // namespace rota::ledger
