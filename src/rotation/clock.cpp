#include "rotation/clock.h"

#include <fmt/core.h>

#include <algorithm>

namespace rota::rotation {

using base::Instant;

namespace {

constexpr std::size_t kCompact = 16;  // characters of base::compact()
constexpr std::chrono::hours kSameNight{24};

}  // namespace

bool is_of_future(const ledger::CopyRow& copy, Instant now) {
  return copy.snapshot_time() > now + kClockSlack;
}

std::string detail_of(Instant time, const std::string& what) {
  return fmt::format("{} {}", base::compact(time), what);
}

std::vector<Instant> known_wrong(std::span<const ledger::AlarmRow> alarms) {
  std::vector<Instant> known;
  for (const ledger::AlarmRow& alarm : alarms) {
    if (alarm.what != kClockTripwire || !alarm.acknowledged) continue;
    for (const std::string& detail : alarm.details) {
      if (const auto time = base::parse_compact(detail.substr(0, kCompact))) known.push_back(*time);
    }
  }
  return known;
}

bool is_known_wrong(Instant time, std::span<const Instant> known) {
  return std::ranges::any_of(
      known, [&](Instant wrong) { return wrong <= time && time <= wrong + kSameNight; });
}

std::optional<Silence> unexplained_silence(std::vector<Instant> recorded,
                                           std::optional<Instant> believed,
                                           const base::Span& interval, Instant now) {
  if (believed) recorded.push_back(*believed);
  std::erase_if(recorded, [&](Instant time) { return time > now || time < believed; });
  if (recorded.empty()) return std::nullopt;
  if (!believed) recorded = {std::ranges::max(recorded)};
  recorded.push_back(now);
  std::ranges::sort(recorded);
  constexpr std::chrono::hours kAtLeast{60 * 24};
  std::optional<Silence> longest;
  for (std::size_t i = 1; i < recorded.size(); ++i) {
    const Silence one{recorded[i - 1], recorded[i]};
    Instant explained = one.from;
    for (int n = 0; n < 3; ++n) explained = base::after(explained, interval);
    if (one.to <= std::max(explained, one.from + kAtLeast)) continue;
    if (!longest || one.to - one.from > longest->to - longest->from) longest = one;
  }
  return longest;
}

}  // namespace rota::rotation
