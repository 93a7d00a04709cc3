#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "recovery/drill.h"

namespace rota::recovery {

using base::human_size;
using ledger::DrillRow;

namespace {

std::string duration(std::uint64_t seconds) {
  return base::human_duration(static_cast<std::int64_t>(seconds));
}

}  // namespace

std::string restored_text(const DrillRow& row) {
  const std::string took = duration(row.restore_seconds);
  if (!row.sample) return fmt::format("restored {} in {}", human_size(row.bytes), took);
  const auto whole = row.whole_seconds();
  return fmt::format(
      "restored a sample of {} in {}; all of it is {}{}", human_size(row.bytes), took,
      human_size(row.whole_bytes),
      whole ? fmt::format(" and would take about {}", duration(*whole)) : std::string());
}

std::string check_output_text(const DrillResult& result) {
  const std::string& output = result.check_output;
  std::string text;
  for (std::size_t at = 0; at < output.size();) {
    const std::size_t end = std::min(output.find('\n', at), output.size());
    text += fmt::format("  {}\n", base::printable(output.substr(at, end - at)));
    at = end + 1;
  }
  return text;
}

std::string drill_text(const DrillResult& result) {
  const DrillRow& row = result.row;
  if (row.run.empty()) {
    return fmt::format("Nothing of {} could be restored {}.\n", row.server, where_from(row));
  }
  std::string text = fmt::format("{} of {} {}, as it was at {}: {} entries, {}, restored in {}",
                                 row.sample ? "A sample" : "All", row.server, where_from(row),
                                 base::local(row.snapshot), base::human_count(row.files),
                                 human_size(row.bytes), duration(row.restore_seconds));
  if (const auto rate = row.rate()) text += fmt::format(" ({} a second)", human_size(*rate));
  text += ".\n";
  if (row.sample) {
    const auto whole = row.whole_seconds();
    text += whole ? fmt::format("All of it, {}, would take about {}.\n",
                                human_size(row.whole_bytes), duration(*whole))
                  : fmt::format("All of it is {}.\n", human_size(row.whole_bytes));
  }
  if (row.passed) {
    text += fmt::format("It is what was backed up{}: the drill passed after {}, and is recorded.\n",
                        row.checked ? ", and the check program found it good" : "",
                        duration(row.seconds));
  }
  if (!result.kept.empty()) {
    text += fmt::format("What was restored is kept in {}.\n", base::printable(result.kept));
  }
  return text;
}

std::string failure_text(const DrillResult& result) {
  return fmt::format("the drill of {} {} failed, and a recovery would: {}{}", result.row.server,
                     where_from(result.row), fmt::join(result.problems, "; "),
                     result.kept.empty() ? std::string()
                                         : fmt::format("; what was restored is kept in {}",
                                                       base::printable(result.kept)));
}

}  // namespace rota::recovery
