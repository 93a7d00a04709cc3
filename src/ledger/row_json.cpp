#include "ledger/row_json.h"

#include <fmt/core.h>

#include <nlohmann/json.hpp>
#include <type_traits>

#include "base/error.h"
#include "base/text.h"
#include "ledger/enum_words.h"
#include "ledger/fields.h"
#include "ledger/names.h"

namespace rota::ledger {

namespace {

using base::Error;
using base::ErrorKind;
using base::Instant;
using nlohmann::json;

constexpr std::int64_t kLastSecond = 253'402'300'799;  // of the year 9999

[[noreturn]] void reject(const std::string& name, const char* problem) {
  throw Error(ErrorKind::corrupt, fmt::format("its \"{}\" {}", name, problem));
}

/// What is kept of a text that anybody may have written.
std::string clean(const std::string& text) {
  std::string kept = base::is_utf8(text) ? text : base::printable(text);
  if (kept.size() > kMaxText) {
    kept.resize(kMaxText);
    while (!base::is_utf8(kept)) kept.pop_back();  // three times at most: a character cut in two
  }
  return kept;
}

struct Writer {
  json data = json::object();
  json people = json::object();

  template <typename T>
  void operator()(const char* name, const T& value) {
    data[name] = encoded(value);
  }
  void person(const char* name, const std::string& value) {
    if (!value.empty()) people[name] = clean(value);
  }

  static json encoded(const std::string& value) { return clean(value); }
  static json encoded(std::uint64_t value) { return value; }
  static json encoded(std::int64_t value) { return value; }
  static json encoded(bool value) { return value; }
  static json encoded(Instant value) { return value.time_since_epoch().count(); }
  static json encoded(const std::optional<Instant>& value) {
    return value ? encoded(*value) : json(nullptr);
  }
  static json encoded(const std::vector<std::string>& values) {
    json list = json::array();
    for (const std::string& value : values) list.push_back(clean(value));
    return list;
  }
  template <typename Enum>
  requires std::is_enum_v<Enum>
  static json encoded(Enum value) { return word(value); }
};

struct Reader {
  const json& data;
  const json& people;

  template <typename T>
  void operator()(const char* name, T& into) {
    if (const auto found = data.find(name); found != data.end()) decode(name, *found, into);
  }
  void person(const char* name, std::string& into) {
    if (const auto found = people.find(name); found != people.end()) decode(name, *found, into);
  }

  static void decode(const char* name, const json& value, std::string& into) {
    if (!value.is_string()) reject(name, "is no text");
    into = value.get<std::string>();
    if (into.size() > kMaxText) reject(name, "is too long");
  }
  static void decode(const char* name, const json& value, std::uint64_t& into) {
    if (!value.is_number_unsigned()) reject(name, "is no number that can be");
    into = value.get<std::uint64_t>();
  }
  static void decode(const char* name, const json& value, std::int64_t& into) {
    // A number beyond 2^63 would wrap around.
    if (!value.is_number_integer() ||
        (value.is_number_unsigned() && value.get<std::uint64_t>() > std::uint64_t{INT64_MAX})) {
      reject(name, "is no number that can be");
    }
    into = value.get<std::int64_t>();
  }
  static void decode(const char* name, const json& value, bool& into) {
    if (!value.is_boolean()) reject(name, "is neither true nor false");
    into = value.get<bool>();
  }
  static void decode(const char* name, const json& value, Instant& into) {
    std::int64_t seconds = 0;
    decode(name, value, seconds);
    if (seconds < 0 || seconds > kLastSecond) reject(name, "is no time that can be");
    into = Instant(std::chrono::seconds(seconds));
  }
  static void decode(const char* name, const json& value, std::optional<Instant>& into) {
    if (value.is_null()) {
      into.reset();
    } else {
      decode(name, value, into.emplace());
    }
  }
  static void decode(const char* name, const json& value, std::vector<std::string>& into) {
    if (!value.is_array() || value.size() > kMaxDetails + 1) reject(name, "is no list that can be");
    into.clear();
    for (const json& item : value) decode(name, item, into.emplace_back());
  }
  template <typename Enum>
  requires std::is_enum_v<Enum>
  static void decode(const char* name, const json& value, Enum& into) {
    std::string text;
    decode(name, value, text);
    const auto known = from_word<Enum>(text);
    if (!known) reject(name, "is no word that rota knows");
    into = *known;
  }
};

json object_of(std::string_view text) {
  json value = json::parse(text, nullptr, false);
  if (!value.is_object()) throw Error(ErrorKind::corrupt, "its data is no JSON object");
  return value;
}

}  // namespace

template <typename Row>
RowText to_text(const Row& row) {
  Writer writer;
  Row copy = row;
  visit(writer, copy);
  if constexpr (kTable<Row>.has_id) {
    if (row.id != 0) writer.data["id"] = row.id;
  }
  return {writer.data.dump(), writer.people.empty() ? std::string() : writer.people.dump()};
}

template <typename Row>
Row from_text(std::string_view data, std::string_view people, std::int64_t number) {
  const json fields = object_of(data);
  const json persons = people.empty() ? json::object() : object_of(people);
  Reader reader{fields, persons};
  Row row;
  visit(reader, row);
  if constexpr (kTable<Row>.has_id) {
    row.id = number;
    reader("id", row.id);
    if (row.id <= 0 || row.id > number) reject("id", "is no number that can be");
  }
  check_names(row);
  return row;
}

template RowText to_text(const DiskRow&);
template RowText to_text(const ClaimRow&);
template RowText to_text(const ObservationRow&);
template RowText to_text(const CopyRow&);
template RowText to_text(const CheckRow&);
template RowText to_text(const AlarmRow&);
template RowText to_text(const DrillRow&);
template DiskRow from_text(std::string_view, std::string_view, std::int64_t);
template ClaimRow from_text(std::string_view, std::string_view, std::int64_t);
template ObservationRow from_text(std::string_view, std::string_view, std::int64_t);
template CopyRow from_text(std::string_view, std::string_view, std::int64_t);
template CheckRow from_text(std::string_view, std::string_view, std::int64_t);
template AlarmRow from_text(std::string_view, std::string_view, std::int64_t);
template DrillRow from_text(std::string_view, std::string_view, std::int64_t);

}  // namespace rota::ledger
