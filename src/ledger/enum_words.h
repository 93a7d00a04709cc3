#pragma once

#include <optional>
#include <string_view>

#include "ledger/disk_rows.h"
#include "ledger/drills.h"

namespace rota::ledger {

/// How many values each enumeration has: they count from 0.
template <typename Enum>
inline constexpr int kValues = 0;
template <>
inline constexpr int kValues<DiskEnd> = static_cast<int>(DiskEnd::held) + 1;
template <>
inline constexpr int kValues<Claimed> = static_cast<int>(Claimed::in_transit_back) + 1;
template <>
inline constexpr int kValues<Observed> = static_cast<int>(Observed::full) + 1;
template <>
inline constexpr int kValues<CopyState> = static_cast<int>(CopyState::damaged) + 1;
template <>
inline constexpr int kValues<CheckKind> = static_cast<int>(CheckKind::scrub) + 1;
template <>
inline constexpr int kValues<Severity> = static_cast<int>(Severity::alarm) + 1;
template <>
inline constexpr int kValues<DrillSource> = static_cast<int>(DrillSource::disk) + 1;

/// The reverse of word().
template <typename Enum>
std::optional<Enum> from_word(std::string_view text) {
  for (int i = 0; i < kValues<Enum>; ++i) {
    if (text == word(static_cast<Enum>(i))) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

}  // namespace rota::ledger
