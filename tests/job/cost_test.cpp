#include "job/cost.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <string>
#include <vector>

using namespace rota;
using namespace std::chrono_literals;
using ledger::RunKind;
using ledger::RunRow;
using std::chrono::days;

namespace {

constexpr base::Instant kNow{std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}};
constexpr double kGb = 1e9;

RunRow run(const std::string& chain, RunKind kind, base::Instant time, double stored,
           double tree = 20 * kGb) {
  return {.profile = "main",
          .name = chain + base::compact(time),
          .chain = chain,
          .kind = kind,
          .time = time,
          .files = 1,
          .bytes = static_cast<std::uint64_t>(tree),
          .stored = static_cast<std::uint64_t>(stored)};
}

/// A full of 10 GB of yesterday, and increments of 1 GB a day to come.
const std::vector<RunRow> kOneFull{run("a", RunKind::full, kNow - days(1), 10 * kGb)};

job::Measured rhythm(double full, double increment) {
  job::Measured measured;
  measured.full = full;
  measured.tree = 2 * full;
  measured.packed = 0.5;
  measured.increment = increment;
  return measured;
}

profile::Profile rules(int full_age, int with_increments, int age) {
  profile::Profile profile;
  profile.max_full_age = {.days = full_age};
  profile.max_fulls_with_incrs = with_increments;
  profile.max_age = {.days = age};
  return profile;
}

/// In whole GB.
std::vector<int> simulated(const profile::Profile& profile, int count) {
  std::vector<int> stored;
  for (const double bytes : job::simulate(kOneFull, rhythm(10 * kGb, kGb), profile, kNow, count)) {
    stored.push_back(static_cast<int>(std::lround(bytes / kGb)));
  }
  return stored;
}

}  // namespace

TEST_CASE("a store grows by an increment a day until the chain is old", "[cost]") {
  // The full is of day -1: a chain of 4 days ends before day 3.
  CHECK(simulated(rules(4, 9, 1000), 6) == std::vector<int>{11, 12, 22, 23, 24, 25});
}

TEST_CASE("a new full takes the increments of the chains that lose them", "[cost]") {
  // Day 3: a second full, and the first chain's two increments go; day 7: a third.
  CHECK(simulated(rules(4, 1, 1000), 8) == std::vector<int>{11, 12, 20, 21, 22, 23, 30, 31});
}

TEST_CASE("a chain goes when all of it is too old, and not before", "[cost]") {
  // With a full every two days, of days -1, 1, 3, 5, and each chain's increment a day later:
  // a chain is gone when its increment is more than 3 days old.
  // day 1: 10+10, 2: +1, 3: +10 and the first full (4 days old) goes, 4: +1, 5: +10,
  // 6: +1 and the chain of day 1 (its increment of day 2) goes.
  CHECK(simulated(rules(2, 9, 3), 6) == std::vector<int>{20, 21, 21, 22, 32, 22});
}

TEST_CASE("what was purged is charged as long as the store keeps it", "[cost]") {
  profile::Profile profile = rules(4, 1, 1000);
  profile.cost.kept_after_purge = 2;
  CHECK(simulated(profile, 8) == std::vector<int>{11, 12, 22, 23, 22, 23, 33, 34});
}

TEST_CASE("fulls grow with the tree", "[cost]") {
  job::Measured measured = rhythm(10 * kGb, kGb);
  measured.growth_a_day = 2 * kGb;  // packed to half: 1 GB a day
  const auto stored = job::simulate(kOneFull, measured, rules(4, 9, 1000), kNow, 3);
  CHECK(stored[2] == Approx((10 + 2 + 13) * kGb));
}

TEST_CASE("runs are measured", "[cost]") {
  CHECK_FALSE(job::measure({}));
  CHECK_FALSE(job::measure(std::vector{run("a", RunKind::increment, kNow, 1)}));
  const auto first = job::measure(kOneFull);
  REQUIRE(first);
  CHECK(first->assumed.size() == 3);
  CHECK(first->packed == Approx(0.5));
  CHECK(first->increment == Approx(0.1 * kGb));
  CHECK(first->runs_a_day == 1);

  std::vector<RunRow> runs{run("a", RunKind::full, kNow - days(40), 8 * kGb, 20 * kGb)};
  for (int i = 0; i <= 20; ++i) {
    const auto time = kNow - days(10) + i * 12h;
    runs.push_back(run("b", i == 0 ? RunKind::full : RunKind::increment, time,
                       i == 0 ? 12 * kGb : kGb, 24 * kGb));
  }
  const auto later = job::measure(runs);
  REQUIRE(later);
  CHECK(later->assumed.empty());
  CHECK(later->full == 12 * kGb);
  CHECK(later->increment == kGb);
  CHECK(later->runs_a_day == Approx(2));
  CHECK(later->growth_a_day == Approx(0.1 * kGb));
  CHECK(later->fulls == 2);
  CHECK(later->increments == 20);
}

TEST_CASE("things of a year are spread over its months", "[cost]") {
  const auto months = [](int a_year) {
    std::vector<int> list;
    for (int month = 0; month < 12; ++month) list.push_back(job::share_of_month(a_year, month));
    return list;
  };
  CHECK(months(4) == std::vector<int>{0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1});
  CHECK(months(12) == std::vector<int>(12, 1));
  CHECK(months(1).back() == 1);
  CHECK(months(0) == std::vector<int>(12, 0));
}

TEST_CASE("prices count above what is free", "[cost]") {
  const profile::Profile::Cost b2;
  CHECK(job::storage_cost(10 * kGb, 30, b2) == 0);
  CHECK(job::storage_cost(1010 * kGb, 30, b2) == Approx(6.95));
  CHECK(job::storage_cost(1010 * kGb, 15, b2) == Approx(3.475));
  CHECK(job::download_cost(30 * kGb, 10 * kGb, b2) == 0);
  CHECK(job::download_cost(31 * kGb, 10 * kGb, b2) == Approx(0.01));
}

TEST_CASE("a year is the sum of its months, and copies over the network cost downloads", "[cost]") {
  // Fulls alone: one at the start of each month of 31 days or so, the older ones stay.
  const std::vector<RunRow> runs{run("a", RunKind::full, kNow - 1h, 100 * kGb, 100 * kGb)};
  profile::Profile profile = rules(100'000, 1, 100'000);
  profile.cost = {.currency = "EUR",
                  .as_of = "today",
                  .storage_gb_month = 0.03,
                  .free_storage_gb = 0,
                  .download_gb = 0.1,
                  .free_download = 0,
                  .class_b_10000 = 0,
                  .class_c_1000 = 1,
                  .kept_after_purge = 0,
                  .drills = 2,
                  .disk_copies = 12};
  const auto year = job::estimate(runs, profile, kNow);
  REQUIRE(year);
  REQUIRE(year->months.size() == 12);
  // An increment is taken for 1 % of a full, 1 GB a day: January's days hold 101 to 131 GB.
  CHECK(year->months[0].days == 31);
  CHECK(year->months[0].stored == Approx(116 * kGb));
  CHECK(year->months[0].bill.storage == Approx(116 * 0.03 * 31 / 30));
  // 116 GB are 6,914 volumes, 7 pages of names: a night makes 1 + 4 * 7 calls.
  CHECK(year->months[0].calls_c == Approx(31 * 29));
  CHECK(year->months[0].bill.calls == Approx(0.899));
  // Over the year 365 days of 100 + 1 .. 100 + 365 GB.
  CHECK(year->year.storage == Approx((365 * 100 + 365 * 366 / 2.0) * 0.03 / 30));
  CHECK(year->year.downloads == Approx(2 * 100 * 0.1));
  CHECK(year->year_over_network.downloads == Approx(14 * 100 * 0.1));
  CHECK(year->year_over_network.storage == Approx(year->year.storage));
  CHECK_FALSE(job::estimate({}, profile, kNow));
}
