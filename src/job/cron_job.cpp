#include "job/cron_job.h"

#include <fmt/core.h>

#include "base/error.h"

namespace rota::job {

using base::Error;
using base::ErrorKind;

namespace {

/// What went wrong behind a backup that stands.
template <typename Step>
auto after_backup(const char* step, Step run) {
  try {
    return run();
  } catch (const Error& error) {
    throw Error(error.kind(),
                fmt::format("the backup is complete, but {}: {}", step, error.what()));
  }
}

}  // namespace

CronReport cron(Server& server, const Surroundings& around) {
  const base::LockFile lock = server.lock();
  CronReport report;
  report.backup = backup(server, lock, false, around);
  report.verified = after_backup("its store could not be verified, and nothing was purged",
                                 [&] { return verify(server, lock, {}, around); });
  PurgeReport last;
  for (const PurgeRule rule : {PurgeRule::max_age, PurgeRule::max_fulls_with_incrs}) {
    last = after_backup("what is due to go could not be purged; the next run tries again", [&] {
      return purge(server, lock, {.rule = rule}, report.verified, around);
    });
    report.purged.add(last.removed);
  }
  check_way(last, "the backup is complete, but the store is not whole, and nothing was purged");
  if (!report.verified.good()) {
    around.warnings.warn("the store",
                         fmt::format("what is damaged was due to go, and what stays is whole: {}",
                                     report.verified.problems.front()));
  }
  return report;
}

}  // namespace rota::job
