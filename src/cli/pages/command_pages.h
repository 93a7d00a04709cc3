#pragma once

#include <map>
#include <string>
#include <vector>

#include "cli/options.h"

namespace rota::cli::pages {

/// The pages of section 1, by name ("rota", "rota-disk-attach"): of the program, of each group and
/// of each command.
///
/// texts:     as CommandLine::describe() gives them, what was passed on filled in.
/// tui:       what the program rota-tui says of itself; its page is that of `rota tui`.
/// documents: those that have a page of section 7, which is referred to.
std::map<std::string, std::string> command_pages(const std::vector<CommandText>& texts,
                                                 const CommandText& tui,
                                                 const std::vector<std::string>& documents);

/// "rota-disk-attach", of "disk attach"
std::string command_page_name(const std::string& command);

}  // namespace rota::cli::pages
