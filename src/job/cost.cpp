#include "job/cost.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>

namespace rota::job {

namespace {

using ledger::RunKind;
using ledger::RunRow;

constexpr double kGigabyte = 1e9;
constexpr double kDay = 86'400;
/// Shorter, a history says little about growth.
constexpr double kGrowthDays = 14;
/// Of a full, where no increment was made yet.
constexpr double kAssumedIncrement = 0.01;

double days_between(base::Instant from, base::Instant to) {
  return static_cast<double>((to - from).count()) / kDay;
}

/// The chain with the most runs: old ones have lost their increments.
std::vector<RunRow> longest_chain(std::span<const RunRow> runs) {
  std::map<std::string, std::vector<RunRow>> chains;
  for (const RunRow& run : runs) chains[run.chain].push_back(run);
  return std::ranges::max_element(chains, {}, [](const auto& chain) { return chain.second.size(); })
      ->second;
}

void measure_rhythm(Measured& measured, std::span<const RunRow> runs) {
  const std::vector<RunRow> chain = longest_chain(runs);
  const double days = days_between(chain.front().time, chain.back().time);
  if (chain.size() < 3 || days < 1) {
    measured.assumed.emplace_back("one run a day, until three runs of a chain show their rhythm");
    return;
  }
  measured.runs_a_day = static_cast<double>(chain.size() - 1) / days;
}

void measure_growth(Measured& measured, std::span<const RunRow> runs) {
  const double days = days_between(runs.front().time, runs.back().time);
  if (days < kGrowthDays) {
    measured.assumed.emplace_back("no growth, until runs from over two weeks show it");
    return;
  }
  const double first = static_cast<double>(runs.front().bytes);
  measured.growth_a_day = (measured.tree - first) / days;
}

}  // namespace

std::optional<Measured> measure(std::span<const RunRow> runs) {
  Measured measured;
  double increments = 0;
  for (const RunRow& run : runs) {
    if (run.kind == RunKind::full) {
      measured.full = static_cast<double>(run.stored);
      measured.packed = measured.full / static_cast<double>(std::max<std::uint64_t>(run.bytes, 1));
      ++measured.fulls;
    } else {
      increments += static_cast<double>(run.stored);
      ++measured.increments;
    }
  }
  if (measured.fulls == 0) return std::nullopt;
  measured.tree = static_cast<double>(runs.back().bytes);
  if (measured.increments > 0) {
    measured.increment = increments / measured.increments;
  } else {
    measured.increment = kAssumedIncrement * measured.full;
    measured.assumed.emplace_back("increments of 1 % of a full, until one was made");
  }
  measure_rhythm(measured, runs);
  measure_growth(measured, runs);
  return measured;
}

int share_of_month(int a_year, int month) {
  return a_year * (month + 1) / 12 - a_year * month / 12;
}

double storage_cost(double stored, int days, const profile::Profile::Cost& prices) {
  const double charged = std::max(0.0, stored / kGigabyte - prices.free_storage_gb);
  return charged * prices.storage_gb_month * days / 30;
}

double download_cost(double downloaded, double stored, const profile::Profile::Cost& prices) {
  const double charged = std::max(0.0, downloaded - prices.free_download * stored);
  return charged / kGigabyte * prices.download_gb;
}

namespace {

/// restores: drills and copies that come over the network.
Bill bill_of(const Month& month, int restores, const profile::Profile::Cost& prices) {
  const double fetches = restores * std::ceil(month.full / kBytesACall);
  return {storage_cost(month.stored, month.days, prices),
          download_cost(restores * month.full, month.stored, prices),
          fetches / 10'000 * prices.class_b_10000 + month.calls_c / 1000 * prices.class_c_1000};
}

void add(Bill& sum, const Bill& bill) {
  sum.storage += bill.storage;
  sum.downloads += bill.downloads;
  sum.calls += bill.calls;
}

}  // namespace

std::optional<Estimate> estimate(std::span<const RunRow> all, const profile::Profile& profile,
                                 base::Instant now) {
  // What could not be opened here measures nothing.
  std::vector<RunRow> runs;
  std::ranges::copy_if(all, std::back_inserter(runs), &RunRow::known_well);
  const auto measured = measure(runs);
  if (!measured) return std::nullopt;
  Estimate estimate{*measured, {}, {}, {}};
  const int all_days =
      static_cast<int>(std::round(days_between(now, base::after(now, {.years = 1}))));
  const std::vector<double> stored = simulate(runs, *measured, profile, now, all_days);
  std::size_t day = 0;
  for (int number = 0; number < 12; ++number) {
    Month month;
    month.start = base::after(now, {.months = number});
    const base::Instant end = base::after(now, {.months = number + 1});
    month.days = static_cast<int>(std::round(days_between(month.start, end)));
    double sum = 0;
    for (int i = 0; i < month.days && day < stored.size(); ++i) sum += stored[day++];
    month.stored = sum / month.days;
    const double grown = measured->tree + measured->growth_a_day * static_cast<double>(day);
    month.full = std::max(0.0, grown) * measured->packed;
    month.drills = share_of_month(profile.cost.drills, number);
    month.disk_copies = share_of_month(profile.cost.disk_copies, number);
    month.calls_b = month.drills * std::ceil(month.full / kBytesACall);
    const double run_count = measured->runs_a_day * month.days;
    const double pages = std::ceil((month.stored / kBytesAnObject + 1) / kNamesAPage);
    month.calls_c = run_count * (1 + kListingsARun * pages);
    month.bill = bill_of(month, month.drills, profile.cost);
    month.bill_over_network = bill_of(month, month.drills + month.disk_copies, profile.cost);
    add(estimate.year, month.bill);
    add(estimate.year_over_network, month.bill_over_network);
    estimate.months.push_back(month);
  }
  return estimate;
}

}  // namespace rota::job
