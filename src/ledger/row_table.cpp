#include "ledger/row_table.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <type_traits>

#include "base/error.h"
#include "ledger/enum_words.h"
#include "ledger/fields.h"

namespace rota::ledger {

namespace {

using base::Instant;
using base::Statement;

struct Names {
  std::vector<std::string> names;
  template <typename T>
  void operator()(const char* name, const T& /*value*/) {
    names.emplace_back(name);
  }
  template <typename T>
  void person(const char* name, const T& /*value*/) {
    names.emplace_back(name);
  }
};

template <typename Row>
std::vector<std::string> columns() {
  Names names;
  if constexpr (kTable<Row>.has_id) names.names.emplace_back("id");
  Row row;
  visit(names, row);
  return names.names;
}

struct Binder {
  Statement& statement;
  int index = 1;

  template <typename T>
  void operator()(const char* /*name*/, const T& value) {
    bind(value);
    ++index;
  }
  void person(const char* name, const std::string& value) { (*this)(name, value); }

  void bind(const std::string& value) { statement.bind(index, value); }
  void bind(std::int64_t value) { statement.bind(index, value); }
  void bind(std::uint64_t value) { statement.bind(index, static_cast<std::int64_t>(value)); }
  void bind(bool value) { statement.bind(index, std::int64_t{value}); }
  void bind(Instant value) { statement.bind(index, value.time_since_epoch().count()); }
  void bind(const std::optional<Instant>& value) {
    value ? bind(*value) : static_cast<void>(statement.bind_null(index));
  }
  void bind(const std::vector<std::string>& value) {
    statement.bind(index, nlohmann::json(value).dump());
  }
  template <typename Enum>
  requires std::is_enum_v<Enum>
  void bind(Enum value) { statement.bind(index, std::string_view(word(value))); }
};

struct Columns {
  const Statement& row;
  int column = 0;

  template <typename T>
  void operator()(const char* name, T& into) {
    get(name, into);
    ++column;
  }
  void person(const char* name, std::string& into) { (*this)(name, into); }

  void get(const char*, std::string& into) const { into = row.text(column); }
  void get(const char*, std::int64_t& into) const { into = row.integer(column); }
  void get(const char*, std::uint64_t& into) const {
    into = static_cast<std::uint64_t>(row.integer(column));
  }
  void get(const char*, bool& into) const { into = row.integer(column) != 0; }
  void get(const char*, Instant& into) const {
    into = Instant(std::chrono::seconds(row.integer(column)));
  }
  void get(const char* name, std::optional<Instant>& into) const {
    into.reset();
    if (!row.is_null(column)) get(name, into.emplace());
  }
  void get(const char* name, std::vector<std::string>& into) const {
    const auto list = nlohmann::json::parse(row.text(column), nullptr, false);
    if (!list.is_array()) reject(name);
    for (const auto& item : list) into.push_back(item.is_string() ? item.get<std::string>() : "?");
  }
  template <typename Enum>
  requires std::is_enum_v<Enum>
  void get(const char* name, Enum& into) const {
    const auto known = from_word<Enum>(row.text(column));
    if (!known) reject(name);
    into = *known;
  }
  [[noreturn]] void reject(const char* name) const {
    throw base::Error(base::ErrorKind::corrupt,
                      fmt::format("its column {} holds \"{}\", which rota does not write", name,
                                  row.text(column)));
  }
};

}  // namespace

template <typename Row>
void put_row(base::Database& database, const Row& row) {
  const std::vector<std::string> names = columns<Row>();
  std::vector<std::string> updates;
  for (const std::string& name : names) updates.push_back(fmt::format("{0} = excluded.{0}", name));
  const std::vector<std::string> marks(names.size(), "?");
  Statement statement(
      database, fmt::format("INSERT INTO {} ({}) VALUES ({}) ON CONFLICT ({}) DO UPDATE SET {}",
                            kTable<Row>.table, fmt::join(names, ", "), fmt::join(marks, ", "),
                            kTable<Row>.key, fmt::join(updates, ", ")));
  Binder binder{statement};
  if constexpr (kTable<Row>.has_id) binder("id", row.id);
  Row copy = row;
  visit(binder, copy);
  statement.run();
}

template <typename Row>
std::vector<Row> rows_where(base::Database& database, const std::string& where,
                            const std::vector<std::string>& values) {
  Statement statement(database,
                      fmt::format("SELECT {} FROM {} WHERE {}", fmt::join(columns<Row>(), ", "),
                                  kTable<Row>.table, where));
  for (std::size_t i = 0; i < values.size(); ++i) {
    statement.bind(static_cast<int>(i) + 1, values[i]);
  }
  std::vector<Row> found;
  while (statement.step()) {
    Columns reader{statement};
    Row& row = found.emplace_back();
    if constexpr (kTable<Row>.has_id) reader("id", row.id);
    visit(reader, row);
  }
  return found;
}

template void put_row(base::Database&, const DiskRow&);
template void put_row(base::Database&, const ClaimRow&);
template void put_row(base::Database&, const ObservationRow&);
template void put_row(base::Database&, const CopyRow&);
template void put_row(base::Database&, const CheckRow&);
template void put_row(base::Database&, const AlarmRow&);
template void put_row(base::Database&, const DrillRow&);
using Values = std::vector<std::string>;
template std::vector<DiskRow> rows_where(base::Database&, const std::string&, const Values&);
template std::vector<ClaimRow> rows_where(base::Database&, const std::string&, const Values&);
template std::vector<ObservationRow> rows_where(base::Database&, const std::string&, const Values&);
template std::vector<CopyRow> rows_where(base::Database&, const std::string&, const Values&);
template std::vector<CheckRow> rows_where(base::Database&, const std::string&, const Values&);
template std::vector<AlarmRow> rows_where(base::Database&, const std::string&, const Values&);
template std::vector<DrillRow> rows_where(base::Database&, const std::string&, const Values&);

}  // namespace rota::ledger
