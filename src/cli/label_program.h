#pragma once

#include <string>
#include <vector>

namespace rota::cli {

/// The program rota-label: beside rota, where the two are installed together, else in $PATH. It is
/// a program of its own, so that a server without a screen or printer needs no library that draws.
std::string label_program();

/// Becomes rota-label with these words. Throws Error(config), with what to install, where it is not
/// there.
[[noreturn]] void run_label_program(const std::vector<std::string>& words);

}  // namespace rota::cli
