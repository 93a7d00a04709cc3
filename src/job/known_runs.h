#pragma once

#include <string>

#include "chain/catalog.h"
#include "ledger/ledger.h"

namespace rota::job {

/// Makes the ledger's runs of a profile those that can be restored from its store: after `rota
/// adopt`, a lost ledger, or a run that was removed from elsewhere. The one place that does. For
/// jobs that hold the profile's lock.
///
/// catalog: made under that lock. Records are opened only of runs that the ledger does not know
/// well; of one that cannot be opened here for want of a key stands what its name tells, with no
/// files.
///
/// last: what this machine wrote last. Where the store does not show it (its disk is not mounted),
/// or was never adopted and is empty, nothing is changed.
void note_runs(ledger::Ledger& ledger, const std::string& profile, const chain::Catalog& catalog,
               const std::optional<chain::LocalState::Last>& last);

/// The row of one run, as its writer knows it. seconds: how long the job took; 0 where nobody
/// knows.
ledger::RunRow run_row(const std::string& profile, const chain::RunRecord& record,
                       std::int64_t seconds);

}  // namespace rota::job
