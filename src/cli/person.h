#pragma once

#include <string>

namespace rota::cli {

/// Who says so: `given`, or else who called sudo, or the user who runs this. Throws Error(usage)
/// when that cannot be found out.
std::string person(const std::string& given);

}  // namespace rota::cli
