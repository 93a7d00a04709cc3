#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "profile/profile.h"

namespace rota::profile {

/// One key of profile.toml, for whoever writes or explains that file.
struct Setting {
  std::string_view key;
  std::string_view meaning;  ///< lines, none longer than 95 characters
  std::string_view value;    ///< as TOML: the default, or an example where there is none
  bool shown;                ///< belongs in a new profile; the others stand there as comments
};

/// Every key that profile.toml may hold, in the order in which a person wants to read them.
std::vector<Setting> settings();

/// Reads profile.toml into `profile`; a key that is absent keeps the default that stands there.
///
/// file: the file's name, for messages. Throws Error(config), "<file>:<line>: …", for what is not
/// TOML, for an unknown key, and for a value that cannot be used.
void read_settings(const std::string& text, const std::string& file, Profile& profile);

}  // namespace rota::profile
