#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "chain/retention.h"
#include "job/cost.h"

namespace rota::job {

namespace {

using ledger::RunRow;

/// The store over the days to come: chains as the rules of retention see them, and their sizes.
class Future {
 public:
  Future(std::span<const RunRow> runs, const profile::Profile& profile) : profile_(profile) {
    for (const RunRow& run : runs) {
      const bool full = run.kind == ledger::RunKind::full;
      add(run.chain, run.name, full, run.time, static_cast<double>(run.stored));
    }
  }

  /// One day's runs, and the purges behind them.
  void day(base::Instant now, double full, double increments) {
    const bool new_chain =
        chains_.empty() || base::after(chains_.back().start(), profile_.max_full_age) <= now;
    const std::string name = fmt::format("day {}", ++days_);
    add(new_chain ? name : chains_.back().chain, name, new_chain, now,
        new_chain ? full : increments);
    purge(chain::older_than(chains_, profile_.max_age, now), now);
    purge(chain::increments_but(chains_, profile_.max_fulls_with_incrs), now);
    const base::Instant gone = now - std::chrono::days(profile_.cost.kept_after_purge);
    for (const auto& [when, bytes] : purged_) {
      if (when <= gone) stored_ -= bytes;
    }
    std::erase_if(purged_, [&](const auto& one) { return one.first <= gone; });
  }

  double stored() const { return stored_; }

 private:
  void add(const std::string& chain, const std::string& run, bool full, base::Instant time,
           double bytes) {
    auto place = std::ranges::find(chains_, chain, &chain::ChainInfo::chain);
    if (place == chains_.end()) {
      place = chains_.emplace(chains_.end());
      place->chain = chain;
    }
    place->runs.push_back(
        {run, chain, full ? chain::RunKind::full : chain::RunKind::increment, time, 0});
    sizes_[run] = bytes;
    stored_ += bytes;
  }

  void purge(const std::vector<chain::Verdict>& verdicts, base::Instant now) {
    for (const chain::Verdict& verdict : verdicts) {
      if (!verdict.remove) continue;
      purged_.emplace_back(now, sizes_.extract(verdict.run.run).mapped());
      for (chain::ChainInfo& chain : chains_) {
        std::erase_if(chain.runs, [&](const auto& run) { return run.run == verdict.run.run; });
      }
    }
    std::erase_if(chains_, [](const chain::ChainInfo& chain) { return chain.runs.empty(); });
  }

  const profile::Profile& profile_;
  std::vector<chain::ChainInfo> chains_;  ///< oldest first
  std::map<std::string, double> sizes_;
  std::vector<std::pair<base::Instant, double>> purged_;  ///< stays and is charged for a while
  double stored_ = 0;
  int days_ = 0;
};

}  // namespace

std::vector<double> simulate(std::span<const RunRow> runs, const Measured& measured,
                             const profile::Profile& profile, base::Instant now, int days) {
  Future future(runs, profile);
  std::vector<double> stored;
  for (int day = 1; day <= days; ++day) {
    const double tree = std::max(0.0, measured.tree + measured.growth_a_day * day);
    future.day(now + std::chrono::days(day), tree * measured.packed,
               measured.increment * measured.runs_a_day);
    stored.push_back(future.stored());
  }
  return stored;
}

}  // namespace rota::job
