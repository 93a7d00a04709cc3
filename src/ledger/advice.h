#pragma once

#include <fmt/core.h>

#include <string>
#include <string_view>

#include "base/error.h"

namespace rota::ledger {

inline constexpr std::string_view kDamaged = "the ledger is damaged";

/// Runs `action`; says what to do about a damaged file.
template <typename Action>
auto advised(const std::string& path, Action action) {
  try {
    return action();
  } catch (const base::Error& error) {
    const bool told = std::string_view(error.what()).starts_with(kDamaged);  // by a call within
    if (error.kind() != base::ErrorKind::corrupt || told) throw;
    throw base::Error(
        base::ErrorKind::corrupt,
        fmt::format(
            "{} ({}): move {} and {}-wal, if there is one, out of the way "
            "and run rota again, which starts a new ledger; then `rota ledger rebuild` with "
            "the rota/ledger.json of a disk, and `rota verify` for the runs; nightly runs go on "
            "without it",
            kDamaged, error.what(), path, path));
  }
}

}  // namespace rota::ledger
