#pragma once

#include <vector>

#include "ledger/change.h"
#include "ledger/disk_rows.h"

namespace rota::ledger {

/// The kind of the alarm that a machine opens when it sees what a person's word excludes.
inline constexpr const char* kContradiction = "contradiction";

/// A person has spoken since: those of the open alarms that are contradictions are over.
void close_contradictions(Change& change, std::vector<AlarmRow> open, base::Instant now);

}  // namespace rota::ledger
