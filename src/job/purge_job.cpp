#include "job/purge_job.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/error.h"
#include "base/signals.h"
#include "chain/backup.h"
#include "job/backup_job.h"
#include "job/verify_job.h"

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

std::vector<chain::Verdict> judge(const chain::Catalog& catalog, const profile::Profile& profile,
                                  const PurgeOptions& options, const chain::Ageing& ageing) {
  switch (options.rule) {
    case PurgeRule::max_age:
      return chain::older_than(catalog.chains(), profile.max_age, ageing, catalog.broken());
    case PurgeRule::max_fulls_with_incrs:
      return chain::increments_but(catalog.chains(), profile.max_fulls_with_incrs,
                                   catalog.broken());
    case PurgeRule::one_chain:
      return chain::only_chain(catalog.chains(), catalog.broken(), options.chain);
  }
  return {};
}

/// Nothing is believed that makes runs due and that neither a run nor a person nor the store's own
/// clock vouches for. What is believed is noted: runs that vouch for it may be purged.
chain::Ageing age(Server& server, const chain::Catalog& catalog, const PurgeOptions& options,
                  base::Clock& clock) {
  const base::Instant now = clock.now();
  if (options.rule != PurgeRule::max_age) return now;
  const chain::Ageing doubting(catalog, server.profile().max_full_age, now,
                               server.state().clock_believed());
  bool believed = options.clock_is_right || !doubting.doubt();
  if (!believed) {
    const auto verdicts = judge(catalog, server.profile(), options, doubting);
    if (std::ranges::none_of(verdicts, &chain::Verdict::held)) return doubting;
    const auto apart = chain::clocks_apart(server.store(), clock);
    believed = apart && *apart <= chain::kClocksApart;
  }
  if (!believed) return doubting;
  if (!options.dry_run) server.state().believe_clock(now);
  return now;
}

void warn_of_clock(const PurgeReport& report, const chain::Ageing& ageing,
                   base::Warnings& warnings) {
  const auto held = std::ranges::count_if(report.verdicts, &chain::Verdict::held);
  const auto gap = ageing.doubt();
  if (held == 0 || !gap) return;
  warnings.warn("the clock",
                fmt::format("there is no run between {} and {}, so this machine's clock may have "
                            "jumped: {} by it and {}; if the clock is right, say so with `rota "
                            "purge --clock-is-right`",
                            base::local(gap->from), base::local(gap->to),
                            held == 1 ? "1 run is due" : fmt::format("{} runs are due", held),
                            held == 1 ? "stays" : "stay"));
}

/// What is wrong with runs that are to stay. Of a chain that a person wants to be gone, only the
/// newest chain must be whole, or two damaged chains would keep each other.
void find_in_the_way(PurgeReport& report, const chain::VerifyResult& verified,
                     const chain::Catalog& catalog, PurgeRule rule) {
  const std::string newest = catalog.chains().empty() ? "" : catalog.chains().back().chain;
  for (const chain::VerifyResult::Harm& harm : verified.harms) {
    const auto verdict = std::ranges::find(
        report.verdicts, harm.run, [](const chain::Verdict& other) { return other.run.run; });
    const bool gone = verdict == report.verdicts.end() || verdict->remove;
    const bool apart = rule == PurgeRule::one_chain && harm.chain != newest;
    if (!harm.chain.empty() && (gone || apart)) continue;
    if (report.in_the_way.empty()) {
      report.advice = harm.chain.empty() || harm.chain == newest
                          ? "`rota backup --full` begins a new, whole chain"
                          : fmt::format("`rota purge --chain {}` removes that chain", harm.chain);
    }
    report.in_the_way.push_back(verified.problems.at(harm.problem));
  }
}

/// What was removed is no longer known either.
void forget(Server& server, const PurgeReport& report) {
  for (const chain::Verdict& verdict : report.verdicts) {
    const auto& later = report.removed.later;
    const bool stays = std::ranges::find(later, verdict.run.run) != later.end();
    if (verdict.remove && !stays) {
      server.ledger().remove_run(server.profile().name, verdict.run.run);
    }
  }
}

chain::VerifyResult verify_all(Server& server, const base::LockFile& held,
                               const Surroundings& around) {
  try {
    return verify(server, held, {}, around);
  } catch (const chain::NoKeyError& error) {
    throw base::Error(
        error.kind(),
        fmt::format("nothing was removed, because it cannot be seen here whether what "
                    "is to stay is whole: {}",
                    error.what()));
  }
}

PurgeReport purge(Server& server, const base::LockFile& held, const PurgeOptions& options,
                  const chain::VerifyResult* verified, const Surroundings& around) {
  around.progress.set_activity("purging");
  if (!options.dry_run) recover(server);
  const chain::Catalog catalog(server.store(), &server.state(), &server.keys());
  const chain::Ageing ageing = age(server, catalog, options, around.clock);
  PurgeReport report;
  report.verdicts = judge(catalog, server.profile(), options, ageing);
  warn_of_clock(report, ageing, around.warnings);
  if (options.rule == PurgeRule::max_age) {
    report.forgotten = chain::find_forgotten(server.store(), server.state(), catalog, ageing);
    report.leftovers = find_leftovers(server.store(), around.clock.now());
  }
  if (options.dry_run) return report;
  chain::VerifyResult own;
  if (verified == nullptr && std::ranges::any_of(report.verdicts, &chain::Verdict::remove)) {
    own = verify_all(server, held, around);
    verified = &own;
    around.progress.set_activity("purging");
  }
  if (verified != nullptr) find_in_the_way(report, *verified, catalog, options.rule);
  if (!report.in_the_way.empty()) return report;
  report.removed = chain::remove_runs(server.store(), server.state(), report.verdicts, around.clock,
                                      around.stop);
  report.removed.add(chain::remove_forgotten(server.store(), report.forgotten, around.stop));
  report.cancelled = cancel(server.store(), report.leftovers, around.stop);
  forget(server, report);
  return report;
}

}  // namespace

PurgeReport purge(Server& server, const PurgeOptions& options, const Surroundings& around) {
  const base::LockFile lock = server.lock();
  return purge(server, lock, options, nullptr, around);
}

PurgeReport purge(Server& server, const base::LockFile& held, const PurgeOptions& options,
                  const chain::VerifyResult& verified, const Surroundings& around) {
  return purge(server, held, options, &verified, around);
}

void check_way(const PurgeReport& report, const std::string& done) {
  const auto& problems = report.in_the_way;
  if (problems.empty()) return;
  throw base::Error(
      base::ErrorKind::corrupt,
      fmt::format(
          "{}: {}{}; `rota verify` shows all of it, and {}", done, problems.front(),
          problems.size() > 1 ? fmt::format(" (and {} more problems)", problems.size() - 1) : "",
          report.advice));
}

}  // namespace rota::job
