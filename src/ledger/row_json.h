#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "ledger/disk_rows.h"

namespace rota::ledger {

/// A row as the history keeps it: objects in one line with sorted keys; `people` is empty when
/// there is nothing of that sort.
struct RowText {
  std::string data;
  std::string people;
};

/// Row is one of those in fields.h. The id is written when it is not 0.
template <typename Row>
RowText to_text(const Row& row);

/// The reverse. number: the row's number in the history, its id unless `data` says another one. A
/// key that is missing keeps the default; throws Error(corrupt) for a value of another type, a text
/// that is too long, a time beyond the year 9999, a word that is none, and names that none can
/// have.
template <typename Row>
Row from_text(std::string_view data, std::string_view people, std::int64_t number);

}  // namespace rota::ledger
