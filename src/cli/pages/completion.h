#pragma once

#include <string>
#include <vector>

#include "cli/options.h"

namespace rota::cli::pages {

/// What rota.bash knows of rota, as two functions of bash: the words and options of each command,
/// and where the profiles are.
std::string completion_tables(const std::vector<CommandText>& texts);

}  // namespace rota::cli::pages
