#pragma once

#include <optional>
#include <string>

#include "profile/toml_file.h"

namespace rota::profile {

/// The text of a file that a person edits. Nothing when it is absent. Throws Error(config) for one
/// that is far larger than any person writes.
std::optional<std::string> read_config(const std::string& path);

/// file: its name, for messages. Throws Error(config), "<file>:<line>: …", for what is not TOML.
toml::table parse_toml(const std::string& text, const std::string& file);

}  // namespace rota::profile
