#pragma once

#include <vector>

#include "chain/retention.h"
#include "job/server.h"

namespace rota::job {

enum class PurgeRule {
  max_age,              ///< chains that are wholly older than the profile's max_age
  max_fulls_with_incrs  ///< increments of all but the profile's newest fulls
};

struct PurgeReport {
  std::vector<chain::Verdict> verdicts;  ///< of every run, oldest first
  chain::Removed removed;                ///< all 0 for a dry run
};

/// Judges every run by the profile's rule and, unless `dry_run`, removes what is to go.
PurgeReport purge(Server& server, PurgeRule rule, bool dry_run, const Surroundings& around);
/// The same as a step of a job that holds the profile's lock.
PurgeReport purge(Server& server, const base::LockFile& held, PurgeRule rule, bool dry_run,
                  const Surroundings& around);

}  // namespace rota::job
