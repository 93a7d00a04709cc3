#pragma once

#include <string>
#include <string_view>

#include "profile/paper.h"
#include "profile/toml_file.h"

namespace rota::profile {

/// Reads the value of one of the keys above into `paper`; false when `key` is none of them. file:
/// for messages. Throws Error(config), "<file>:<line>: …".
bool read_paper(const std::string& file, std::string_view key, const toml::node& node,
                Paper& paper);

}  // namespace rota::profile
