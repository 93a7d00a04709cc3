#include "ledger/history.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "ledger/advice.h"
#include "ledger/change.h"
#include "ledger/ledger.h"
#include "ledger/schema.h"

namespace rota::ledger {

namespace {

using base::Database;
using base::Statement;

constexpr const char* kColumns =
    "number, time, kind, data, people, people_sha256, commitment, hash";
/// What is derived from the history.
constexpr const char* kTables[] = {"disk",       "claim", "observation", "copy",
                                   "copy_check", "alarm", "drill"};

std::vector<HistoryRow> rows_of(Statement& statement) {
  std::vector<HistoryRow> rows;
  while (statement.step()) {
    rows.push_back({statement.integer(0), base::Instant(std::chrono::seconds(statement.integer(1))),
                    statement.text(2), statement.text(3), statement.text(4), statement.text(5),
                    statement.text(6), statement.text(7)});
  }
  return rows;
}

/// In place of the data of a row that is withheld.
constexpr const char* kNothing = "{}";

std::string sha256_of(const std::string& text) {
  return base::to_hex(base::sha256(base::as_bytes(text)));
}

std::string content_of(const HistoryRow& row) {
  return fmt::format("{}\n{}\n{}\n{}\n{}", row.number, row.time.time_since_epoch().count(),
                     row.kind, row.data, row.people_sha256);
}

/// Every row of a table as one text, sorted.
std::vector<std::string> dump(Database& database, const std::string& table) {
  std::vector<std::string> names;
  Statement info(database, fmt::format("SELECT name FROM pragma_table_info('{}')", table));
  while (info.step()) names.push_back(info.text(0));
  std::string columns;
  for (const std::string& name : names) {
    columns +=
        fmt::format("{}'{}: ' || quote({})", columns.empty() ? "" : " || ', ' || ", name, name);
  }
  Statement row(database, fmt::format("SELECT {} FROM {} ORDER BY 1", columns, table));
  std::vector<std::string> rows;
  while (row.step()) rows.push_back(base::printable(row.text(0)));
  return rows;
}

/// The first difference between a table and what the history says of it; empty: none.
std::string difference(Database& ledger, Database& replayed, const std::string& table) {
  const std::vector<std::string> is = dump(ledger, table);
  const std::vector<std::string> should = dump(replayed, table);
  for (std::size_t i = 0; i < std::max(is.size(), should.size()); ++i) {
    if (i < is.size() && i < should.size() && is[i] == should[i]) continue;
    return fmt::format(
        "the table {} is not what the history says: it has {}, where the history has "
        "{}",
        table, i < is.size() ? is[i] : "no more rows",
        i < should.size() ? should[i] : "no more rows");
  }
  return "";
}

}  // namespace

HistoryRow withheld_row(std::int64_t number, std::string commitment, std::string hash) {
  HistoryRow row;
  row.number = number;
  row.kind = HistoryRow::kWithheld;
  row.data = kNothing;
  row.commitment = std::move(commitment);
  row.hash = std::move(hash);
  return row;
}

std::string commitment_of(const HistoryRow& row) { return sha256_of(content_of(row)); }

std::string row_hash(std::string_view previous, const HistoryRow& row) {
  return sha256_of(
      fmt::format("{}\n{}", previous, row.commitment.empty() ? content_of(row) : row.commitment));
}

std::string broken_link(std::span<const HistoryRow> rows) {
  std::string_view previous = kNoHash;
  std::int64_t number = 0;
  for (const HistoryRow& row : rows) {
    ++number;
    if (row.number > number) {
      return fmt::format("row {} of the history was removed", number);
    }
    if (row.number < number) {
      return fmt::format("row {} of the history is out of order: row {} was expected", row.number,
                         number);
    }
    // Before there were commitments nothing but the row itself led to its hash.
    const bool taken_on_trust = row.withheld() && row.commitment.empty();
    const bool content_fits = row.withheld()
                                  ? row.data == kNothing && row.people.empty()
                                  : row.commitment.empty() || row.commitment == commitment_of(row);
    if (!content_fits || (row.hash != row_hash(previous, row) && !taken_on_trust)) {
      return fmt::format("row {} of the history ({}, {}) was altered", number,
                         base::printable(row.kind), base::iso(row.time));
    }
    if (!row.people.empty() &&
        row.people_sha256 != base::to_hex(base::sha256(base::as_bytes(row.people)))) {
      return fmt::format("the names or the place in row {} of the history were altered", number);
    }
    previous = row.hash;
  }
  return "";
}

std::vector<HistoryRow> History::rows() { return last("", 0); }

std::vector<HistoryRow> History::last(const std::string& disk, std::size_t limit) {
  Database& database = ledger_.database();
  return advised(database.path(), [&] {
    Statement row(database,
                  fmt::format("SELECT {0} FROM (SELECT {0} FROM history WHERE ?1 = '' OR "
                              "json_extract(data, CASE kind WHEN 'disk' THEN '$.name' ELSE "
                              "'$.disk' END) = ?1 ORDER BY number DESC LIMIT ?2) ORDER BY number",
                              kColumns));
    row.bind(1, disk).bind(2, limit == 0 ? std::int64_t{-1} : static_cast<std::int64_t>(limit));
    return rows_of(row);
  });
}

Head History::head() {
  Database& database = ledger_.database();
  return advised(database.path(), [&] { return read_head(database); });
}

std::int64_t History::withheld() {
  Database& database = ledger_.database();
  return advised(database.path(), [&] {
    Statement row(database, "SELECT count(*) FROM history WHERE kind = ?");
    row.bind(1, HistoryRow::kWithheld).step();
    return row.integer(0);
  });
}

std::string History::lost() {
  Database& database = ledger_.database();
  return advised(database.path(), [&] { return lost_history(database); });
}

std::vector<std::string> History::check() {
  Database& database = ledger_.database();
  return advised(database.path(), [&] {
    // One moment of it, while others may write.
    database.execute("BEGIN");
    struct End {
      Database& of;
      ~End() {
        try {
          of.execute("COMMIT");
        } catch (const base::Error&) {  // read only: nothing is lost
        }
      }
    } const end{database};
    std::vector<std::string> problems;
    const std::vector<HistoryRow> all = rows();
    if (const std::string broken = broken_link(all); !broken.empty()) problems.push_back(broken);
    const Head recorded = read_head(database);
    const std::int64_t count = all.empty() ? 0 : all.back().number;
    if (count < recorded.rows) {
      problems.push_back(fmt::format(
          "the history ends with row {}, but {} were recorded: the last ones were removed", count,
          recorded.rows));
    } else if (count > recorded.rows || (count > 0 && all.back().hash != recorded.hash)) {
      problems.push_back(
          fmt::format("the history does not end with the row that was recorded as its last, {}",
                      recorded.rows));
    }
    if (std::string lost = lost_history(database); !lost.empty()) {
      problems.push_back(std::move(lost));
    }
    for (std::string& wrong : wrong_guards(database)) problems.push_back(std::move(wrong));
    Database replayed("");
    migrate(replayed);
    try {
      base::Transaction transaction(replayed);
      for (const HistoryRow& row : all) apply(replayed, row);
      transaction.commit();
    } catch (const base::Error& error) {
      if (error.kind() != base::ErrorKind::corrupt) throw;
      problems.emplace_back(error.what());
      return problems;
    }
    for (const char* table : kTables) {
      if (const std::string found = difference(database, replayed, table); !found.empty()) {
        problems.push_back(found);
      }
    }
    return problems;
  });
}

}  // namespace rota::ledger
