#pragma once

#include "ledger/ledger.h"
#include "profile/places.h"
#include "tui/rows.h"

namespace rota::tui {

/// Reads what the screen is made of, without the jobs. It only looks: what is to be recorded, such
/// as a disk that is no longer there, the commands record. Throws Error(config) for a
/// rotation.toml that cannot be used.
Rows read_rows(const profile::Places& places, ledger::Ledger& ledger,
               const std::optional<std::vector<std::string>>& connected, base::Instant now);

}  // namespace rota::tui
