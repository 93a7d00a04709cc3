#pragma once

#include <nlohmann/json.hpp>

#include "rotation/status.h"

namespace rota::cli {

/// A time as JSON; null when there is none.
nlohmann::json json_time(const std::optional<base::Instant>& time);

nlohmann::json to_json(const rotation::DiskStatus& disk);
nlohmann::json to_json(const rotation::Status& status);

}  // namespace rota::cli
