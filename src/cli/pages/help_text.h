#pragma once

#include <string>

#include "cli/options.h"

namespace rota::cli::pages {

/// What a program that is not `rota` itself says in its --help: options at two blanks, what they
/// do behind two blanks or in the lines below, further in. For rota-label and rota-tui, which
/// declare their options out of reach of this folder.
///
/// Its summary is the first line.
CommandText read_help(const std::string& help);

}  // namespace rota::cli::pages
