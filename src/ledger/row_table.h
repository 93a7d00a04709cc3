#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/sqlite.h"
#include "ledger/disk_rows.h"

namespace rota::ledger {

/// Inserts the row, or updates the one with the same key in place.
template <typename Row>
void put_row(base::Database& database, const Row& row);

/// The rows for which `where` holds ("disk = ? ORDER BY id"), with `values` bound to it. Throws
/// Error(corrupt) for a word that is none.
template <typename Row>
std::vector<Row> rows_where(base::Database& database, const std::string& where,
                            const std::vector<std::string>& values);

}  // namespace rota::ledger
