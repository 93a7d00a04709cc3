#include "job/known_runs.h"

#include <map>
#include <utility>
#include <vector>

#include "base/error.h"

namespace rota::job {

namespace {

ledger::RunKind kind_of(chain::RunKind kind) {
  return kind == chain::RunKind::full ? ledger::RunKind::full : ledger::RunKind::increment;
}

/// Nothing when its record is damaged: then it cannot be restored.
std::optional<ledger::RunRow> read_row(const std::string& profile, const chain::Catalog& catalog,
                                       const chain::RunInfo& run) {
  try {
    ledger::RunRow row = run_row(profile, catalog.record(run), 0);
    row.stored += run.record_size;  // a record does not know its own
    return row;
  } catch (const chain::NoKeyError&) {
    ledger::RunRow row;
    row.profile = profile;
    row.name = run.run;
    row.chain = run.chain;
    row.kind = kind_of(run.kind);
    row.time = run.time;
    row.stored = run.record_size;
    return row;
  } catch (const base::Error& error) {
    if (error.kind() != base::ErrorKind::corrupt && error.kind() != base::ErrorKind::not_found) {
      throw;
    }
    return std::nullopt;
  }
}

}  // namespace

ledger::RunRow run_row(const std::string& profile, const chain::RunRecord& record,
                       std::int64_t seconds) {
  ledger::RunRow row;
  row.profile = profile;
  row.name = record.run;
  row.chain = record.chain;
  row.kind = kind_of(record.kind);
  row.time = record.time;
  row.files = record.files;
  row.bytes = record.bytes;
  row.stored = record.stored;
  row.warnings = record.warnings;
  row.seconds = seconds;
  return row;
}

void note_runs(ledger::Ledger& ledger, const std::string& profile, const chain::Catalog& catalog,
               const std::optional<chain::LocalState::Last>& last) {
  if (last ? catalog.find(last->run) == nullptr : catalog.empty()) return;
  std::map<std::string, ledger::RunRow> known;
  for (ledger::RunRow& row : ledger.runs(profile)) {
    if (row.known_well()) known.emplace(row.name, std::move(row));
  }
  std::vector<ledger::RunRow> rows;
  for (const chain::ChainInfo& chain : catalog.chains()) {
    for (const chain::RunInfo& run : chain.runs) {
      if (const auto row = known.find(run.run); row != known.end()) {
        rows.push_back(row->second);
      } else if (auto read = read_row(profile, catalog, run)) {
        rows.push_back(std::move(*read));
      }
    }
  }
  ledger.set_runs(profile, rows);
}

}  // namespace rota::job
