#include "job/purge_job.h"

#include <algorithm>

#include "chain/backup.h"

namespace rota::job {

PurgeReport purge(Server& server, PurgeRule rule, bool dry_run, const Surroundings& around) {
  const base::LockFile lock = server.lock();
  return purge(server, lock, rule, dry_run, around);
}

PurgeReport purge(Server& server, const base::LockFile&, PurgeRule rule, bool dry_run,
                  const Surroundings& around) {
  around.progress.set_activity("purging");
  if (!dry_run) chain::recover_interrupted(server.store(), server.state());
  const chain::Catalog catalog(server.store(), &server.state(), &server.keys());
  const profile::Profile& profile = server.profile();
  PurgeReport report;
  report.verdicts = rule == PurgeRule::max_age
                        ? chain::older_than(catalog.chains(), profile.max_age, around.clock.now())
                        : chain::increments_but(catalog.chains(), profile.max_fulls_with_incrs);
  if (dry_run) return report;
  report.removed = chain::remove_runs(server.store(), server.state(), report.verdicts, around.clock,
                                      around.stop);
  if (rule == PurgeRule::max_age) {
    report.removed.add(
        chain::remove_forgotten(server.store(), server.state(), around.clock.now(), around.stop));
  }
  const auto stays = [&](const std::string& run) {
    return std::ranges::find(report.removed.later, run) != report.removed.later.end();
  };
  for (const chain::Verdict& verdict : report.verdicts) {
    if (verdict.remove && !stays(verdict.run.run))
      server.ledger().remove_run(profile.name, verdict.run.run);
  }
  return report;
}

}  // namespace rota::job
