#pragma once

#include <string>
#include <vector>

#include "base/sqlite.h"

namespace rota::ledger {

/// Brings an open database to the layout that this program knows, step by step, in one
/// transaction. Throws Error(config) when a newer rota or another program wrote it.
void migrate(base::Database& database);

/// Triggers keep the history append-only. Rebuilding it lifts them, whichever are there (whoever
/// altered the history took some away first), and sets them again within one transaction.
void lift_guards(base::Database& database);
void set_guards(base::Database& database);
/// Which of them are missing or altered, and triggers that are none of rota's; a sentence each.
std::vector<std::string> wrong_guards(base::Database& database);

}  // namespace rota::ledger
