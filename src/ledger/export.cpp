#include "ledger/export.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "ledger/fields.h"
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
  if (!value.contains("data")) {
    return withheld_row(number_of(value, "number"), text_of(value, "commitment"),
                        text_of(value, "hash"));
  }
  HistoryRow row;
  row.number = number_of(value, "number");
  row.time = base::Instant(std::chrono::seconds(number_of(value, "time")));
  row.kind = text_of(value, "kind");
  if (row.withheld()) throw Error(ErrorKind::corrupt, "a row is withheld and told");
  row.commitment = text_of(value, "commitment");
  row.hash = text_of(value, "hash");
  row.people_sha256 = text_of(value, "people_sha256");
  // As they were hashed: one line, keys sorted, whatever blanks somebody put in between.
  row.data = value["data"].dump();
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

/// What a row is about.
struct About {
  explicit About(const HistoryRow& row) : kind(row.kind) {
    const json data = json::parse(row.data, nullptr, false);
    if (!data.is_object()) return;
    disk = text_of(data, kind == kTable<DiskRow>.kind ? "name" : "disk");
    server = text_of(data, "server");
    detail = text_of(data, "detail");
  }
  bool is_copy() const { return kind == kTable<CopyRow>.kind; }

  std::string kind;
  std::string disk;
  std::string server;
  std::string detail;  ///< a sentence, or a server's name
};

using Names = std::set<std::string>;

/// Which rows an export tells. What an observation or an alarm says of several servers or disks is
/// a sentence, of which nobody can tell any more whom it names: it is told where there are no
/// others.
class Telling {
 public:
  Telling(const ExportScope& scope, const std::vector<HistoryRow>& rows) {
    Names all(scope.known_servers.begin(), scope.known_servers.end());
    std::multimap<std::string, std::string> holders;  // disks by server
    for (const HistoryRow& row : rows) {
      const About about(row);
      if (!about.server.empty()) all.insert(about.server);
      if (about.is_copy()) holders.emplace(about.server, about.disk);
    }
    const bool any_server =
        !scope.servers || std::ranges::all_of(all, [&](const std::string& server) {
          return std::ranges::count(*scope.servers, server) != 0;
        });
    everything_ = scope.disk.empty() && any_server;
    servers_ = any_server ? all : Names(scope.servers->begin(), scope.servers->end());
    if (!scope.disk.empty()) {
      disks_ = {scope.disk};
      std::erase_if(servers_, [&](const std::string& server) {
        const auto [first, last] = holders.equal_range(server);
        return std::none_of(first, last, [&](const auto& one) { return one.second == scope.disk; });
      });
    } else {
      for (const auto& [server, disk] : holders) {
        if (servers_.contains(server)) disks_.insert(disk);
      }
      disks_.insert("");  // drills from the store
    }
  }

  bool tells(const HistoryRow& row) const {
    if (row.withheld()) return false;
    if (everything_ || row.kind == "begin") return true;
    const About about(row);
    if (!disks_.contains(about.disk)) return false;
    if (about.kind == kTable<DiskRow>.kind || about.kind == kTable<ClaimRow>.kind) return true;
    if (about.kind == kTable<ObservationRow>.kind) {
      return about.detail.empty() || servers_.contains(about.detail);
    }
    return servers_.contains(about.server);
  }

 private:
  bool everything_ = false;
  Names disks_;
  Names servers_;
};

void append_row(std::string& text, const HistoryRow& row, bool told, bool people) {
  text += fmt::format("{{\"number\":{}", row.number);
  if (told) {
    text += fmt::format(",\"time\":{},\"kind\":{},\"data\":{}", row.time.time_since_epoch().count(),
                        json(row.kind).dump(), row.data);
    if (people && !row.people.empty()) text += ",\"people\":" + row.people;
    if (!row.people_sha256.empty()) {
      text += ",\"people_sha256\":" + json(row.people_sha256).dump();
    }
  }
  if (!row.commitment.empty()) text += ",\"commitment\":" + json(row.commitment).dump();
  text += fmt::format(",\"hash\":{}}}", json(row.hash).dump());
}

}  // namespace

std::string export_json(Ledger& ledger, const ExportScope& scope) {
  const std::vector<HistoryRow> rows = History(ledger).rows();
  const Telling telling(scope, rows);
  std::string text = fmt::format("{{\"rota_ledger\":1,\"head\":\"{}\",\"rows\":[",
                                 rows.empty() ? kNoHash : std::string_view(rows.back().hash));
  bool first = true;
  for (const HistoryRow& row : rows) {
    text += first ? "\n" : ",\n";
    append_row(text, row, telling.tells(row), scope.people);
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
