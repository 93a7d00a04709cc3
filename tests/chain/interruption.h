#pragma once

#include <cstddef>

#include "chain/chain_fixture.h"

namespace rota::test {

/// What a sweep cuts off: the first run of all, or a later one that has something of everything.
enum class Stage { full, increment };

/// A tree with two runs behind it (none for Stage::full) and changes that wait for the next.
/// volumes: enough of them that a cut falls between two volumes too.
void prepare(Backups& backups, Stage stage, bool volumes);

/// After a backup that was cut off: all runs are whole, the next backup completes, nothing is left
/// that no run names, and reading everything finds no fault. True when the one that was cut off had
/// become visible all the same.
bool check_and_go_on(Backups& backups, std::size_t runs_before);

}  // namespace rota::test
