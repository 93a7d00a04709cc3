#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "ledger/drills.h"
#include "ledger/history.h"
#include "ledger/row_json.h"

namespace rota::ledger {

namespace {

using nlohmann::json;

/// "; by jo: the reason", of what is known.
std::string by(const std::string& person, const std::string& reason) {
  std::string text;
  if (!person.empty()) text += " by " + base::printable(person);
  if (!reason.empty()) text += ": " + base::printable(reason);
  return text;
}

std::string told(const DiskRow& row, const json& data) {
  const auto note = data.find("change");
  const std::string change =
      note != data.end() && note->is_string() ? note->get<std::string>() : "recorded";
  if (change == "added") {
    return fmt::format("{}: prepared as {}, {}{}, {} {} {}", row.name, base::printable(row.label),
                       row.luks_uuid.empty() ? "" : "encrypted ", base::printable(row.filesystem),
                       base::human_size(row.size), base::printable(row.model),
                       base::printable(row.serial));
  }
  if (change == "room") {
    return fmt::format("{}: {} of {} used", row.name, base::human_size(row.used),
                       base::human_size(row.capacity));
  }
  if (change == word(row.end)) {
    return fmt::format("{}: {}{}", row.name, change, by(row.end_by, row.end_reason));
  }
  return fmt::format("{}: {}", row.name, base::printable(change));
}

std::string told(const ClaimRow& row, const json&) {
  return fmt::format("{}: {}{} since {}{}", row.disk, word(row.state),
                     row.place.empty() ? "" : " at '" + base::printable(row.place) + "'",
                     base::local(row.time), by(row.by, row.note));
}

std::string told(const ObservationRow& row, const json&) {
  return fmt::format("{}: {}{}{}", row.disk, word(row.state),
                     row.device.empty() ? "" : " as " + base::printable(row.device),
                     row.detail.empty() ? "" : " (" + base::printable(row.detail) + ")");
}

std::string told(const CopyRow& row, const json&) {
  return fmt::format("{}: copy {}/{} {}, {} entries, {}", row.disk, row.server, row.snapshot,
                     word(row.state), base::human_count(row.entries), base::human_size(row.bytes));
}

std::string told(const CheckRow& row, const json&) {
  return fmt::format("{}: {} check of {}/{}: {}", row.disk, word(row.what), row.server,
                     row.snapshot,
                     row.good ? base::human_size(row.bytes) + " read, good"
                              : "bad, " + base::printable(row.problem));
}

std::string told(const AlarmRow& row, const json&) {
  const std::string which = base::printable(row.disk.empty() ? row.server : row.disk);
  if (row.acknowledged) {
    return fmt::format("{}: {} {} acknowledged{}", which, base::printable(row.kind), row.id,
                       by(row.acknowledged_by, row.reason));
  }
  if (row.closed) return fmt::format("{}: {} {} over", which, base::printable(row.kind), row.id);
  return fmt::format("{}: {} {}: {}", which, base::printable(row.kind), row.id,
                     base::printable(row.message));
}

/// "passed, 3.2 GB in 4 min 10 s" or "failed, the reason".
std::string result_of(const DrillRow& row) {
  if (!row.passed) return "failed, " + base::printable(row.problem);
  return fmt::format("passed, {} in {}", base::human_size(row.bytes),
                     base::human_duration(static_cast<std::int64_t>(row.restore_seconds)));
}

std::string told(const DrillRow& row, const json&) {
  const std::string as_of =
      row.run.empty() ? std::string() : fmt::format(", as of {}", base::local(row.snapshot));
  return fmt::format("{}: drill {}{}{}: {}", row.server, where_from(row),
                     row.sample ? ", a sample" : "", as_of, result_of(row));
}

template <typename Row>
std::string told(const HistoryRow& row) {
  const Row fields = from_text<Row>(row.data, row.people, row.number);  // refuses what is no JSON
  return told(fields, json::parse(row.data));
}

}  // namespace

std::string sentence(const HistoryRow& row) {
  try {
    if (row.kind == "begin") return "the ledger of rotation disks begins";
    if (row.withheld()) return "left out of the export from which this ledger was rebuilt";
    if (row.kind == "disk") return told<DiskRow>(row);
    if (row.kind == "claim") return told<ClaimRow>(row);
    if (row.kind == "observation") return told<ObservationRow>(row);
    if (row.kind == "copy") return told<CopyRow>(row);
    if (row.kind == "check") return told<CheckRow>(row);
    if (row.kind == "alarm") return told<AlarmRow>(row);
    if (row.kind == "drill") return told<DrillRow>(row);
  } catch (const base::Error&) {  // told below, so that the others can still be read
  }
  return "a row that cannot be read: see `rota ledger check`";
}

}  // namespace rota::ledger
