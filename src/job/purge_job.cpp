#include "job/purge_job.h"

#include <algorithm>

#include "base/signals.h"
#include "chain/backup.h"

namespace rota::job {

namespace {

/// Uploads that are so old that whoever began them has forgotten them, by the store's own clock.
std::vector<store::UnfinishedUpload> find_leftovers(store::Store& store, base::Instant now) {
  auto* tidyable = dynamic_cast<store::TidyableStore*>(&store);
  if (tidyable == nullptr) return {};
  std::vector<store::UnfinishedUpload> uploads = tidyable->unfinished_uploads();
  const base::Instant limit = store.now().value_or(now) - chain::kResumable;
  std::erase_if(uploads, [&](const auto& upload) { return upload.since >= limit; });
  return uploads;
}

/// Returns how many went.
std::uint64_t cancel(store::Store& store, const std::vector<store::UnfinishedUpload>& leftovers,
                     const std::stop_token& stop) {
  std::uint64_t cancelled = 0;
  for (const store::UnfinishedUpload& upload : leftovers) {
    base::check_stop(stop);
    const auto removal = dynamic_cast<store::TidyableStore&>(store).cancel_upload(upload);
    if (removal == store::Removal::later) break;  // a key that may not end one ends none
    ++cancelled;
  }
  return cancelled;
}

}  // namespace

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
  if (rule == PurgeRule::max_age) {
    report.leftovers = find_leftovers(server.store(), around.clock.now());
  }
  if (dry_run) return report;
  report.removed = chain::remove_runs(server.store(), server.state(), report.verdicts, around.clock,
                                      around.stop);
  if (rule == PurgeRule::max_age) {
    report.removed.add(
        chain::remove_forgotten(server.store(), server.state(), around.clock.now(), around.stop));
    report.cancelled = cancel(server.store(), report.leftovers, around.stop);
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
