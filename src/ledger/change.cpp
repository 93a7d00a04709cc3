#include "ledger/change.h"

#include <fmt/core.h>

#include <array>
#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "base/error.h"
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

void Change::commit() { transaction_.commit(); }

template std::int64_t Change::add(const DiskRow&, const char*);
template std::int64_t Change::add(const ClaimRow&, const char*);
template std::int64_t Change::add(const ObservationRow&, const char*);
template std::int64_t Change::add(const CopyRow&, const char*);
template std::int64_t Change::add(const CheckRow&, const char*);
template std::int64_t Change::add(const AlarmRow&, const char*);
template std::int64_t Change::add(const DrillRow&, const char*);

}  // namespace rota::ledger
