#pragma once

#include <string>

#include "chain/chain_fixture.h"

namespace rota::test {

/// How a restore from a damaged store went.
enum class Outcome { whole, partly, failed };

/// Restores a run and checks all that came out against the copy of the tree: an entry is right in
/// everything, or absent, and what is absent is named or lies in a stretch that is. FAILs else.
Outcome restore_checked(Backups& backups, const std::string& run);

}  // namespace rota::test
