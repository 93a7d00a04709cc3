#pragma once

#include <nlohmann/json.hpp>

#include "ledger/drills.h"
#include "recovery/drill.h"

namespace rota::cli {

/// The fields of a recorded drill, as `rota status` and `rota drill` give them.
nlohmann::json to_json(const ledger::DrillRow& row);
/// These, and what was not recorded: problems one by one, rate, what the check program said.
nlohmann::json to_json(const recovery::DrillResult& result);

}  // namespace rota::cli
