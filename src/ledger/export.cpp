#include "ledger/export.h"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "ledger/ledger.h"
#include "ledger/schema.h"

namespace rota::ledger {

namespace {

using base::Error;
using base::ErrorKind;
using nlohmann::json;

constexpr int kDeepest = 5;  // file, rows, row, data, details
constexpr std::int64_t kLastSecond = 253'402'300'799;

[[noreturn]] void reject(const std::string& origin, const std::string& problem) {
  throw Error(ErrorKind::corrupt,
              fmt::format("the ledger on {} cannot be used: {}", origin, problem));
}

std::string text_of(const json& row, const char* key) {
  const auto found = row.find(key);
  if (found == row.end()) return "";
  if (!found->is_string()) throw Error(ErrorKind::corrupt, fmt::format("{} is no text", key));
  return found->get<std::string>();
}

std::int64_t number_of(const json& row, const char* key) {
  const auto found = row.find(key);
  const bool good = found != row.end() && found->is_number_unsigned() &&
                    found->get<std::uint64_t>() <= std::uint64_t{kLastSecond};
  if (!good) throw Error(ErrorKind::corrupt, fmt::format("{} is no number that can be", key));
  return found->get<std::int64_t>();
}

HistoryRow row_of(const json& value) {
  if (!value.is_object()) throw Error(ErrorKind::corrupt, "a row is no object");
  HistoryRow row;
  row.number = number_of(value, "number");
  row.time = base::Instant(std::chrono::seconds(number_of(value, "time")));
  row.kind = text_of(value, "kind");
  row.hash = text_of(value, "hash");
  row.people_sha256 = text_of(value, "people_sha256");
  // As they were hashed: one line, keys sorted, whatever blanks somebody put in between.
  if (const auto data = value.find("data"); data != value.end()) row.data = data->dump();
  if (const auto people = value.find("people"); people != value.end()) row.people = people->dump();
  return row;
}

json parse(std::string_view text) {
  if (text.size() > kMaxExport) throw Error(ErrorKind::corrupt, "it is too large");
  const auto shallow = [](int depth, json::parse_event_t, json&) {
    if (depth > kDeepest) throw Error(ErrorKind::corrupt, "it is nested too deeply");
    return true;
  };
  json file = json::parse(text, shallow, false);
  if (!file.is_object() || !file.contains("rota_ledger")) {
    throw Error(ErrorKind::corrupt, "it is no export of a ledger, or was cut off");
  }
  if (file["rota_ledger"] != json(1)) {
    throw Error(ErrorKind::corrupt, "a newer rota wrote it; use that version");
  }
  if (!file.contains("rows") || !file["rows"].is_array()) {
    throw Error(ErrorKind::corrupt, "it has no rows");
  }
  return file;
}

}  // namespace

std::string export_json(Ledger& ledger, bool with_people) {
  const std::vector<HistoryRow> rows = History(ledger).rows();
  std::string text = fmt::format("{{\"rota_ledger\":1,\"head\":\"{}\",\"rows\":[",
                                 rows.empty() ? kNoHash : std::string_view(rows.back().hash));
  bool first = true;
  for (const HistoryRow& row : rows) {
    text += fmt::format("{}\n{{\"number\":{},\"time\":{},\"kind\":{},\"data\":{}", first ? "" : ",",
                        row.number, row.time.time_since_epoch().count(), json(row.kind).dump(),
                        row.data);
    if (with_people && !row.people.empty()) text += ",\"people\":" + row.people;
    if (!row.people_sha256.empty()) {
      text += ",\"people_sha256\":" + json(row.people_sha256).dump();
    }
    text += fmt::format(",\"hash\":{}}}", json(row.hash).dump());
    first = false;
  }
  return text + "\n]}\n";
}

Exported parse_export(std::string_view text, const std::string& origin) {
  Exported result;
  result.origin = origin;
  try {
    const json file = parse(text);
    for (const json& value : file["rows"]) result.rows.push_back(row_of(value));
    if (const std::string broken = broken_link(result.rows); !broken.empty()) {
      throw Error(ErrorKind::corrupt, broken);
    }
    const std::string head = text_of(file, "head");
    if (head != (result.rows.empty() ? kNoHash : std::string_view(result.rows.back().hash))) {
      throw Error(ErrorKind::corrupt, "the last rows of its history were removed");
    }
    base::Database scratch("");
    migrate(scratch);
    base::Transaction transaction(scratch);
    for (const HistoryRow& row : result.rows) apply(scratch, row);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::corrupt) throw;
    reject(origin, error.what());
  }
  return result;
}

}  // namespace rota::ledger
