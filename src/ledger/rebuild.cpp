#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "base/error.h"
#include "ledger/advice.h"
#include "ledger/change.h"
#include "ledger/export.h"
#include "ledger/ledger.h"
#include "ledger/schema.h"

namespace rota::ledger {

namespace {

using base::Error;
using base::ErrorKind;

/// The number of the first row in which the two differ; 0: one is the beginning of the other.
std::int64_t parting(const std::vector<HistoryRow>& a, const std::vector<HistoryRow>& b) {
  const std::size_t common = std::min(a.size(), b.size());
  for (std::size_t i = 0; i < common; ++i) {
    if (a[i].hash != b[i].hash) return static_cast<std::int64_t>(i) + 1;
  }
  return 0;
}

/// What one history tells and another withholds: rows, and names and places, each by its hash.
struct Known {
  std::map<std::string, HistoryRow> rows;
  std::map<std::string, std::string> people;

  void collect(const std::vector<HistoryRow>& from) {
    for (const HistoryRow& row : from) {
      if (!row.withheld()) rows.emplace(row.hash, row);
      if (!row.people.empty()) people.emplace(row.people_sha256, row.people);
    }
  }
};

void replace_history(base::Database& database, const std::vector<HistoryRow>& rows) {
  base::Transaction transaction(database);
  lift_guards(database);
  database.execute(
      "DELETE FROM copy_check; DELETE FROM copy; DELETE FROM observation; DELETE FROM claim; "
      "DELETE FROM alarm; DELETE FROM drill; DELETE FROM disk; DELETE FROM history; "
      "DELETE FROM history_head");
  for (const HistoryRow& row : rows) {
    store_row(database, row);
    apply(database, row);
  }
  set_guards(database);
  transaction.commit();
}

}  // namespace

Rebuilt rebuild(Ledger& ledger, std::span<const Exported> exports, bool replace) {
  History history(ledger);
  Rebuilt result;
  const Exported own{"this machine", history.rows()};
  result.rows_before = static_cast<std::int64_t>(own.rows.size());
  const std::int64_t recorded = history.head().rows;
  const bool own_whole = broken_link(own.rows).empty() && recorded == result.rows_before &&
                         (own.rows.empty() || own.rows.back().hash == history.head().hash);

  std::vector<const Exported*> candidates;
  if (own_whole && !own.rows.empty() && !replace) candidates.push_back(&own);
  for (const Exported& candidate : exports) {
    if (!candidate.rows.empty()) candidates.push_back(&candidate);
  }
  if (candidates.empty()) {
    throw Error(ErrorKind::not_found,
                "there is nothing to rebuild the ledger from: name the rota/ledger.json of a disk, "
                "or what `rota ledger export` wrote");
  }
  const Exported& longest =
      **std::ranges::max_element(candidates, {}, [](const Exported* c) { return c->rows.size(); });
  if (own_whole && !replace) {
    if (const std::int64_t at = parting(own.rows, longest.rows); at != 0) {
      throw Error(
          ErrorKind::refused,
          at == 1
              ? fmt::format(
                    "the ledger on {} is that of another machine, and this one has a ledger "
                    "of its own; --replace gives that one up",
                    longest.origin)
              : fmt::format("the ledger on {} tells another story from row {} on than that of this "
                            "machine; --replace gives the latter up",
                            longest.origin, at));
    }
  }
  Known known;
  if (own_whole) known.collect(own.rows);
  for (const Exported* candidate : candidates) {
    known.collect(candidate->rows);
    if (const std::int64_t at = parting(candidate->rows, longest.rows); at != 0) {
      result.warnings.push_back(
          at == 1 ? fmt::format("The ledger on {} is that of another machine and was left out.",
                                candidate->origin)
                  : fmt::format("The ledger on {} tells another story from row {} on and was left "
                                "out.",
                                candidate->origin, at));
    }
  }
  if (!own_whole && recorded > static_cast<std::int64_t>(longest.rows.size())) {
    result.warnings.push_back(
        fmt::format("The damaged history had {} rows and now has {}: what was recorded last is "
                    "lost; see where each disk is.",
                    recorded, longest.rows.size()));
  }

  std::vector<HistoryRow> rows = longest.rows;
  for (HistoryRow& row : rows) {
    if (row.withheld()) {
      const auto told = known.rows.find(row.hash);
      if (told != known.rows.end()) row = told->second;
      if (told == known.rows.end()) ++result.withheld;
    }
    if (row.people_sha256.empty() || !row.people.empty()) continue;
    const auto found = known.people.find(row.people_sha256);
    if (found != known.people.end()) row.people = found->second;
    if (found == known.people.end()) result.without_people = true;
  }
  base::Database& database = ledger.database();
  advised(database.path(), [&] {
    replace_history(database, rows);
    keep_head(database);
  });
  result.rows = static_cast<std::int64_t>(rows.size());
  if (&longest != &own) result.origin = longest.origin;
  return result;
}

}  // namespace rota::ledger
