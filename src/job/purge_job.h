#pragma once

#include <cstdint>
#include <vector>

#include "chain/retention.h"
#include "job/server.h"
#include "store/tidyable.h"

namespace rota::job {

enum class PurgeRule {
  max_age,              ///< chains that are wholly older than the profile's max_age
  max_fulls_with_incrs  ///< increments of all but the profile's newest fulls
};

struct PurgeReport {
  std::vector<chain::Verdict> verdicts;  ///< of every run, oldest first
  chain::Removed removed;                ///< all 0 for a dry run
  /// By max_age only: uploads of other programs that lie unfinished where this profile's objects
  /// do, and are due to go.
  std::vector<store::UnfinishedUpload> leftovers;
  std::uint64_t cancelled = 0;  ///< so many of them went; the key may not end the others
};

/// Judges every run by the profile's rule and, unless `dry_run`, removes what is to go. By max_age,
/// also ends uploads that somebody began longer than kResumable ago and never finished.
PurgeReport purge(Server& server, PurgeRule rule, bool dry_run, const Surroundings& around);
/// The same as a step of a job that holds the profile's lock.
PurgeReport purge(Server& server, const base::LockFile& held, PurgeRule rule, bool dry_run,
                  const Surroundings& around);

}  // namespace rota::job
