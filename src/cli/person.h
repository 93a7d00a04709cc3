#pragma once

#include <string>

namespace rota::cli {

/// `text`, for which `option` names where it came from. Throws Error(usage) for control characters
/// and what is not UTF-8: names and places are shown on terminals for years, and pasted.
std::string one_line(const char* option, const std::string& text);

/// Who says so: `given`, or else who called sudo, or the user who runs this. Throws Error(usage)
/// when that cannot be found out, and as one_line().
std::string person(const std::string& given);

}  // namespace rota::cli
