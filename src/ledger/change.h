#pragma once

#include <cstdint>

#include "base/sqlite.h"
#include "base/time.h"
#include "ledger/history.h"
#include "ledger/row_json.h"

namespace rota::ledger {

/// One change of the ledger: rows for the history, each applied to the tables at once. All or
/// nothing: without commit() nothing has happened. Other processes wait meanwhile.
class Change {
 public:
  Change(base::Database& database, base::Instant now);

  /// Appends a row and applies it. Returns its number. Row is one of those in fields.h; note:
  /// what changed, for the person who reads the history. Throws Error(usage) for a row that cannot
  /// be: one with a time before 1970, for example.
  template <typename Row>
  std::int64_t add(const Row& row, const char* note = nullptr);
  void commit();

 private:
  std::int64_t append(const char* kind, const RowText& text);

  base::Database& database_;
  base::Instant now_;
  base::Transaction transaction_;
  Head head_;
};

Head read_head(base::Database& database);
/// Puts a row into the table `history` and moves the head there. Applies nothing.
void store_row(base::Database& database, const HistoryRow& row);

/// Notes the history's end in the file beside the ledger. One that cannot be written is left: what
/// an older one says stays true.
void keep_head(base::Database& database);
/// See History::lost().
std::string lost_history(base::Database& database);

}  // namespace rota::ledger
