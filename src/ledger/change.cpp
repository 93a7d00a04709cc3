#include "ledger/change.h"

#include <fmt/core.h>

#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/atomic_file.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "ledger/fields.h"

namespace rota::ledger {

namespace {

std::string random_hex() {
  std::array<std::byte, 16> bytes{};
  base::random_bytes(bytes);
  return base::to_hex(bytes);
}

}  // namespace

Head read_head(base::Database& database) {
  base::Statement row(database, "SELECT rows, hash FROM history_head");
  if (!row.step()) return {0, std::string(kNoHash)};
  return {row.integer(0), row.text(1)};
}

namespace {

std::string head_path(const base::Database& database) { return database.path() + "-head"; }

/// What keep_head() wrote; nothing where there is none, or nothing to be read from it.
std::optional<Head> kept_head(const base::Database& database) {
  if (database.path().empty()) return std::nullopt;
  try {
    const std::string text = base::read_file(head_path(database), 200);
    const std::size_t space = text.find(' ');
    if (space == std::string::npos) return std::nullopt;
    Head head;
    const auto [end, error] = std::from_chars(text.data(), text.data() + space, head.rows);
    if (error != std::errc() || end != text.data() + space || head.rows < 1) return std::nullopt;
    head.hash = text.substr(space + 1, kNoHash.size());
    return head;
  } catch (const base::Error&) {
    return std::nullopt;
  }
}

}  // namespace

void keep_head(base::Database& database) {
  const Head head = read_head(database);
  if (database.path().empty() || head.rows == 0) return;
  try {
    base::write_file(head_path(database), fmt::format("{} {}\n", head.rows, head.hash));
  } catch (const base::Error&) {  // the row is recorded, and what an older head says stays true
  }
}

std::string lost_history(base::Database& database) {
  const auto kept = kept_head(database);
  if (!kept) return "";
  const Head head = read_head(database);
  base::Statement row(database, "SELECT hash FROM history WHERE number = ?");
  row.bind(1, kept->rows);
  if (row.step() && row.text(0) == kept->hash) return "";
  return fmt::format(
      "{} row{} of the history of disks and drills were recorded on this machine, and the ledger "
      "{}: it was removed, or replaced by another; `rota ledger rebuild` with the "
      "rota/ledger.json of a disk or the ledger.json of a store brings it back; if it is gone for "
      "good, remove {}",
      kept->rows, kept->rows == 1 ? "" : "s",
      head.rows < kept->rows ? fmt::format("has {}", head.rows) : "tells another one",
      head_path(database));
}

void store_row(base::Database& database, const HistoryRow& row) {
  base::Statement(database,
                  "INSERT INTO history (number, time, kind, data, people, people_sha256, "
                  "commitment, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
      .bind(1, row.number)
      .bind(2, row.time.time_since_epoch().count())
      .bind(3, row.kind)
      .bind(4, row.data)
      .bind(5, row.people)
      .bind(6, row.people_sha256)
      .bind(7, row.commitment)
      .bind(8, row.hash)
      .run();
  base::Statement(database,
                  "INSERT INTO history_head (one, rows, hash) VALUES (1, ?, ?) "
                  "ON CONFLICT (one) DO UPDATE SET rows = excluded.rows, hash = excluded.hash")
      .bind(1, row.number)
      .bind(2, row.hash)
      .run();
}

Change::Change(base::Database& database, base::Instant now)
    : database_(database), now_(now), transaction_(database), head_(read_head(database)) {
  // Tells this history from that of another machine, which may have a disk "A" of the same day.
  if (head_.rows == 0) append("begin", {nlohmann::json({{"id", random_hex()}}).dump(), ""});
}

template <typename Row>
std::int64_t Change::add(const Row& row, const char* note) {
  RowText text = to_text(row);
  try {
    from_text<Row>(text.data, text.people, INT64_MAX);
  } catch (const base::Error& error) {
    throw base::Error(base::ErrorKind::usage, fmt::format("a {} cannot be recorded like this: {}",
                                                          kTable<Row>.kind, error.what()));
  }
  if (note != nullptr) {
    auto data = nlohmann::json::parse(text.data);
    data["change"] = note;
    text.data = data.dump();
  }
  return append(kTable<Row>.kind, text);
}

std::int64_t Change::append(const char* kind, const RowText& text) {
  HistoryRow row;
  row.number = head_.rows + 1;
  row.time = now_;
  row.kind = kind;
  auto data = nlohmann::json::parse(text.data);
  data["salt"] = random_hex();
  row.data = data.dump();
  if (!text.people.empty()) {
    auto people = nlohmann::json::parse(text.people);
    people["salt"] = random_hex();
    row.people = people.dump();
    row.people_sha256 = base::to_hex(base::sha256(base::as_bytes(row.people)));
  }
  row.commitment = commitment_of(row);
  row.hash = row_hash(head_.hash, row);
  store_row(database_, row);
  apply(database_, row);
  head_ = {row.number, row.hash};
  return row.number;
}

void Change::commit() {
  transaction_.commit();
  if (lost_history(database_).empty()) keep_head(database_);
}

template std::int64_t Change::add(const DiskRow&, const char*);
template std::int64_t Change::add(const ClaimRow&, const char*);
template std::int64_t Change::add(const ObservationRow&, const char*);
template std::int64_t Change::add(const CopyRow&, const char*);
template std::int64_t Change::add(const CheckRow&, const char*);
template std::int64_t Change::add(const AlarmRow&, const char*);
template std::int64_t Change::add(const DrillRow&, const char*);

}  // namespace rota::ledger
