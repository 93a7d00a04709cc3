#pragma once

#include <string>

namespace rota::profile {

/// Throws Error(config) unless `path` is a program that rota may run with its own rights: a regular
/// file that can be executed, which, like its directory, nobody else can change.
void check_program(const std::string& path);

}  // namespace rota::profile
