#include "cli/drill_json.h"

#include "base/text.h"

namespace rota::cli {

using nlohmann::json;

json to_json(const ledger::DrillRow& row) {
  return {{"server", row.server},
          {"time", base::iso(row.time)},
          {"source", ledger::word(row.source)},
          {"disk", row.disk},
          {"run", row.run.empty() ? json(nullptr) : json(row.run)},
          {"snapshot", row.run.empty() ? json(nullptr) : json(base::iso(row.snapshot))},
          {"files", row.files},
          {"bytes", row.bytes},
          {"whole_bytes", row.whole_bytes},
          {"restore_seconds", row.restore_seconds},
          {"seconds", row.seconds},
          {"sample", row.sample},
          {"checked", row.checked},
          {"passed", row.passed},
          {"problem", row.problem}};
}

json to_json(const recovery::DrillResult& result) {
  json value = to_json(result.row);
  const auto rate = result.row.rate();
  const auto whole = result.row.whole_seconds();
  value["rate"] = rate ? json(*rate) : json(nullptr);
  value["whole_seconds"] = whole ? json(*whole) : json(nullptr);
  value["problems"] = result.problems;
  value["check_output"] = base::is_utf8(result.check_output) ? result.check_output
                                                             : base::printable(result.check_output);
  value["kept"] = result.kept.empty() ? json(nullptr) : json(base::printable(result.kept));
  return value;
}

}  // namespace rota::cli
