#include "ledger/drills.h"

#include <algorithm>

#include "ledger/advice.h"
#include "ledger/change.h"
#include "ledger/row_table.h"

namespace rota::ledger {

const char* word(DrillSource value) {
  switch (value) {
    case DrillSource::store:
      return "store";
    case DrillSource::disk:
      return "disk";
  }
  return "";
}

std::optional<std::uint64_t> DrillRow::rate() const {
  if (restore_seconds == 0) return std::nullopt;
  return bytes / restore_seconds;
}

std::optional<std::uint64_t> DrillRow::whole_seconds() const {
  if (restore_seconds == 0 || bytes == 0) return std::nullopt;
  const double times = static_cast<double>(whole_bytes) / static_cast<double>(bytes);
  constexpr double kMost = 1e12;  // whatever an export says
  return static_cast<std::uint64_t>(std::min(static_cast<double>(restore_seconds) * times, kMost));
}

std::string where_from(const DrillRow& drill) {
  if (drill.source == DrillSource::store) return "from the store";
  return drill.disk.empty() ? "from a copy" : "from disk " + drill.disk;
}

void Drills::add(const DrillRow& drill, base::Instant now) {
  base::Database& database = ledger_.database();
  advised(database.path(), [&] {
    Change change(database, now);
    change.add(drill);
    change.commit();
  });
}

std::vector<DrillRow> Drills::all() {
  base::Database& database = ledger_.database();
  return advised(database.path(),
                 [&] { return rows_where<DrillRow>(database, "true ORDER BY id", {}); });
}

}  // namespace rota::ledger
