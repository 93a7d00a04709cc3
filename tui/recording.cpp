#include "tui/recording.h"

#include <fmt/core.h>

#include <cstdint>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "ledger/names.h"
#include "ledger/row_json.h"
#include "tui/recording_parts.h"

namespace rota::tui {

namespace {

using base::Error;
using base::ErrorKind;
using nlohmann::json;

constexpr int kDeepest = 7;
constexpr std::size_t kMostRows = 200'000;  // of any sort

template <typename Row>
json row_json(const Row& row) {
  const ledger::RowText text = ledger::to_text(row);
  json value = {{"data", json::parse(text.data)}};
  if (!text.people.empty()) value["people"] = json::parse(text.people);
  return value;
}

template <typename Row>
json rows_json(const std::vector<Row>& rows) {
  json values = json::array();
  for (const Row& row : rows) values.push_back(row_json(row));
  return values;
}

template <typename Row>
json maybe(const std::optional<Row>& row) {
  return row ? row_json(*row) : json(nullptr);
}

template <typename Row>
Row row_of(const json& value) {
  const json& data = part(value, "data");
  const auto people = value.find("people");
  Row row =
      ledger::from_text<Row>(data.dump(), people == value.end() ? "" : people->dump(), INT64_MAX);
  if constexpr (requires { row.id; }) {
    if (!data.contains("id")) row.id = 0;
  }
  return row;
}

template <typename Row>
std::vector<Row> rows_of(const json& value) {
  std::vector<Row> rows;
  for (const json& row : value) rows.push_back(row_of<Row>(row));
  return rows;
}

template <typename Row>
std::optional<Row> maybe_of(const json& value, const char* key) {
  const json& row = part(value, key);
  if (row.is_null()) return std::nullopt;
  return row_of<Row>(row);
}

json state_json(const ledger::DiskState& state) {
  ledger::DiskRow disk = state.disk;
  disk.token_sha256.clear();  // nobody who is shown a screen needs it
  disk.next_token_sha256.clear();
  return {{"disk", row_json(disk)},
          {"claim", maybe(state.claim)},
          {"claim_holds", state.claim_holds},
          {"observation", maybe(state.observation)},
          {"result", maybe(state.result)},
          {"last_seen", state.last_seen ? json(base::iso(*state.last_seen)) : json(nullptr)},
          {"copies", rows_json(state.copies)}};
}

ledger::DiskState state_of(const json& value) {
  ledger::DiskState state;
  state.disk = row_of<ledger::DiskRow>(part(value, "disk"));
  state.claim = maybe_of<ledger::ClaimRow>(value, "claim");
  state.claim_holds = flag(value, "claim_holds") && state.claim;
  state.observation = maybe_of<ledger::ObservationRow>(value, "observation");
  state.result = maybe_of<ledger::ObservationRow>(value, "result");
  if (!part(value, "last_seen").is_null()) state.last_seen = moment(value, "last_seen");
  state.copies = rows_of<ledger::CopyRow>(list(value, "copies"));
  return state;
}

json history_json(const std::vector<ledger::HistoryRow>& rows) {
  json values = json::array();
  for (const ledger::HistoryRow& row : rows) {
    values.push_back({{"number", row.number},
                      {"time", base::iso(row.time)},
                      {"kind", row.kind},
                      {"data", row.data},
                      {"people", row.people}});
  }
  return values;
}

std::vector<ledger::HistoryRow> history_of(const json& values) {
  std::vector<ledger::HistoryRow> rows;
  for (const json& value : values) {
    ledger::HistoryRow& row = rows.emplace_back();
    row.number = static_cast<std::int64_t>(number(value, "number"));
    row.time = moment(value, "time");
    row.kind = text(value, "kind");
    row.data = text(value, "data", kMostText * 16);
    row.people = text(value, "people", kMostText * 4);
  }
  return rows;
}

json parse(std::string_view text) {
  if (text.size() > kMostRecording) throw Error(ErrorKind::corrupt, "it is too large");
  const auto shallow = [](int depth, json::parse_event_t, json&) {
    if (depth > kDeepest) throw Error(ErrorKind::corrupt, "it is nested too deeply");
    return true;
  };
  try {
    return json::parse(text.begin(), text.end(), shallow);
  } catch (const json::exception&) {
    throw Error(ErrorKind::corrupt, "it is no JSON");
  }
}

Rows rows_from(const json& file) {
  if (!file.is_object() || !file.contains("rota_screen") || file["rota_screen"] != 2) {
    throw Error(ErrorKind::corrupt, "it is no recording of this version of rota-tui");
  }
  Rows rows;
  rows.now = moment(file, "now");
  rows.facts.written = flag(file, "written");
  rows.facts.servers = texts(file, "servers");
  for (const json& value : list(file, "profiles")) rows.facts.profiles.push_back(profile_of(value));
  for (const json& value : list(file, "unusable")) {
    rows.facts.unusable.push_back({text(value, "profile"), text(value, "problem")});
  }
  // Older recordings have none.
  if (file.contains("lost_history")) rows.facts.lost_history = text(file, "lost_history");
  for (const json& value : list(file, "sets")) {
    rows.facts.sets.push_back(set_of(value));
    const std::string place = text(value, "place");
    if (!place.empty()) rows.places[rows.facts.sets.back().name] = place;
  }
  for (const json& value : list(file, "disks", kMostDisks))
    rows.facts.disks.push_back(state_of(value));
  rows.facts.alarms = rows_of<ledger::AlarmRow>(list(file, "alarms", kMostRows));
  rows.claims = rows_of<ledger::ClaimRow>(list(file, "claims", kMostRows));
  rows.observations = rows_of<ledger::ObservationRow>(list(file, "observations", kMostRows));
  rows.history = history_of(list(file, "history", kMostHistory));
  if (!part(file, "connected").is_null()) rows.facts.connected = texts(file, "connected");
  rows.facts.drills = rows_of<ledger::DrillRow>(list(file, "drills", kMostRows));
  rows.facts.drill_every = span_of(file, "drill_every");
  for (const json& value : list(file, "jobs")) rows.jobs.push_back(job_of(value));
  return rows;
}

}  // namespace

std::string recording(const Rows& rows) {
  json file = {{"rota_screen", 2},
               {"now", base::iso(rows.now)},
               {"written", rows.facts.written},
               {"servers", rows.facts.servers},
               {"profiles", json::array()},
               {"unusable", json::array()},
               {"sets", json::array()},
               {"disks", json::array()},
               {"lost_history", rows.facts.lost_history},
               {"alarms", rows_json(rows.facts.alarms)},
               {"claims", rows_json(rows.claims)},
               {"observations", rows_json(rows.observations)},
               {"history", history_json(rows.history)},
               {"connected", rows.facts.connected ? json(*rows.facts.connected) : json(nullptr)},
               {"drills", rows_json(rows.facts.drills)},
               {"drill_every", span_text(rows.facts.drill_every)},
               {"jobs", json::array()}};
  for (const auto& profile : rows.facts.profiles) file["profiles"].push_back(to_json(profile));
  for (const auto& one : rows.facts.unusable) {
    file["unusable"].push_back({{"profile", one.profile}, {"problem", one.problem}});
  }
  for (const auto& set : rows.facts.sets) {
    const auto place = rows.places.find(set.name);
    file["sets"].push_back(to_json(set));
    file["sets"].back()["place"] = place == rows.places.end() ? "" : place->second;
  }
  for (const auto& state : rows.facts.disks) file["disks"].push_back(state_json(state));
  for (const Job& job : rows.jobs) file["jobs"].push_back(to_json(job));
  return file.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

Rows read_recording(std::string_view text, const std::string& file) {
  try {
    return rows_from(parse(text));
  } catch (const json::exception&) {
    throw Error(ErrorKind::corrupt, fmt::format("{} cannot be shown: a value is not of its type",
                                                base::printable(file)));
  } catch (const Error& error) {
    throw Error(ErrorKind::corrupt,
                fmt::format("{} cannot be shown: {}", base::printable(file), error.what()));
  }
}

}  // namespace rota::tui
