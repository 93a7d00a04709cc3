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
  // A copy to a disk may be using the dumps.
  const base::LockWait wait = patience(around, [&] {
    around.progress.set_activity("waiting for the job that works on " + server.profile().name);
  });
  const base::LockFile lock = server.lock(&wait);
  CronReport report;
  report.backup = backup(server, lock, false, around);
  report.verified = after_backup("its store could not be verified, and nothing was purged",
                                 [&] { return verify(server, lock, {}, around); });
  if (!report.verified.good()) {
    const auto& problems = report.verified.problems;
    throw Error(ErrorKind::corrupt,
                fmt::format("the backup is complete, but the store is not whole, and nothing was "
                            "purged: {}{}; `rota verify` shows all of it, and `rota backup --full` "
                            "begins a new, whole chain",
                            problems.front(),
                            problems.size() > 1
                                ? fmt::format(" (and {} more problems)", problems.size() - 1)
                                : ""));
  }
  for (const PurgeRule rule : {PurgeRule::max_age, PurgeRule::max_fulls_with_incrs}) {
    const PurgeReport purged =
        after_backup("what is due to go could not be purged; the next run tries again",
                     [&] { return purge(server, lock, rule, false, around); });
    report.purged.add(purged.removed);
  }
  return report;
}

}  // namespace rota::job
