#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "job/cost.h"

namespace rota::job {

namespace {

std::string size(double bytes) {
  return base::human_size(static_cast<std::uint64_t>(std::max(0.0, bytes)));
}

}  // namespace

std::vector<std::pair<std::string, std::string>> explain(const Estimate& estimate,
                                                         const profile::Profile& profile) {
  const Measured& measured = estimate.measured;
  std::vector<std::pair<std::string, std::string>> lines;
  const auto line = [&](const char* what, const std::string& text) {
    lines.emplace_back(what, text);
  };
  const profile::Profile::Cost& prices = profile.cost;
  line("measured", fmt::format("a full of {} ({:.0f} % of the tree), increments of {} (mean of {})",
                               size(measured.full), measured.packed * 100, size(measured.increment),
                               measured.increments));
  line("", fmt::format("{:.3g} run{} a day, a tree of {} that grows by {}{} in 30 days",
                       measured.runs_a_day, measured.runs_a_day == 1 ? "" : "s",
                       size(measured.tree), measured.growth_a_day < 0 ? "-" : "",
                       size(std::abs(measured.growth_a_day) * 30)));
  for (const std::string& assumed : measured.assumed) line("assumed", assumed);
  line("rules", fmt::format("a full each {}; increments of {} fulls; nothing older than {}",
                            base::to_string(profile.max_full_age), profile.max_fulls_with_incrs,
                            base::to_string(profile.max_age)));
  line("a year",
       fmt::format("{} drills (full restores), {} disk copies", prices.drills, prices.disk_copies));
  line("prices", fmt::format("in {}, of {}: Backblaze B2's, where [cost] in the profile says "
                             "nothing else",
                             prices.currency, prices.as_of));
  line("storage",
       fmt::format("(mean GB - {} free) * {} * days / 30; what was purged counts for {} "
                   "more days",
                   prices.free_storage_gb, prices.storage_gb_month, prices.kept_after_purge));
  line("downloads", fmt::format("(GB of full restores - {} * mean GB, free) * {}",
                                prices.free_download, prices.download_gb));
  double calls_b = 0;
  double calls_c = 0;
  for (const Month& month : estimate.months) {
    calls_b += month.calls_b;
    calls_c += month.calls_c;
  }
  line("calls", fmt::format("{:.0f} of class B (one for 4 MiB of a drill) * {} / 10,000", calls_b,
                            prices.class_b_10000));
  line("", fmt::format("+ {:.0f} of class C (a run logs in and lists {} times) * {} / 1,000",
                       calls_c, kListingsARun, prices.class_c_1000));
  return lines;
}

}  // namespace rota::job
