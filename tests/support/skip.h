#pragma once

#include <string>

namespace rota::test {

/// Says loudly that the running test cannot run here, and why: a line on standard error and one in
/// the file that $ROTA_SKIP_LOG names, which `./dev test` prints at its end. The test then returns:
///   if (::geteuid() != 0) return skip("needs root to make device nodes");
void skip(const std::string& reason);

}  // namespace rota::test
