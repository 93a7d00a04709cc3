#include <fmt/format.h>

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

std::optional<std::uint64_t> DrillResult::rate() const {
  if (row.restore_seconds == 0) return std::nullopt;
  return row.bytes / row.restore_seconds;
}

std::optional<std::uint64_t> DrillResult::whole_seconds() const {
  if (row.restore_seconds == 0 || row.bytes == 0) return std::nullopt;
  return static_cast<std::uint64_t>(static_cast<double>(row.restore_seconds) *
                                    static_cast<double>(row.whole_bytes) /
                                    static_cast<double>(row.bytes));
}

std::string drill_text(const DrillResult& result) {
  const DrillRow& row = result.row;
  std::string text = fmt::format("{} of {} {}, as it was at {}: {} entries, {}, restored in {}",
                                 row.sample ? "A sample" : "All", row.server, where_from(row),
                                 base::local(row.snapshot), base::human_count(row.files),
                                 human_size(row.bytes), duration(row.restore_seconds));
  if (const auto rate = result.rate()) text += fmt::format(" ({} a second)", human_size(*rate));
  text += ".\n";
  if (row.sample) {
    const auto whole = result.whole_seconds();
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
  return fmt::format("the drill of {} {} failed, and a recovery would: {}", result.row.server,
                     where_from(result.row), fmt::join(result.problems, "; "));
}

}  // namespace rota::recovery
