#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"
#include "ledger/ledger.h"
#include "profile/profile.h"

/// What a year in the store will cost: estimated from what the runs up to now have shown, the
/// profile's rules of retention and the store's prices. Everything here is pure. A GB is 10^9
/// bytes.
namespace rota::job {

/// What the runs in the ledger show; sizes in bytes.
struct Measured {
  double full = 0;       ///< what the newest full takes in the store
  double tree = 0;       ///< the tree of the newest run
  double packed = 0;     ///< of a byte of tree, so much is stored: of the newest full
  double increment = 0;  ///< what an increment takes, on average
  double runs_a_day = 1;
  double growth_a_day = 0;  ///< of the tree
  int fulls = 0;
  int increments = 0;
  std::vector<std::string> assumed;  ///< what they do not show yet, a sentence each
};

/// runs: of one profile, oldest first. Nothing without a full.
std::optional<Measured> measure(std::span<const ledger::RunRow> runs);

/// What is stored at the end of each of the next `days` days: chains come and go by the profile's
/// rules, once a day, applied by the functions that the nightly run uses. The increments of a day
/// count as one run.
std::vector<double> simulate(std::span<const ledger::RunRow> runs, const Measured& measured,
                             const profile::Profile& profile, base::Instant now, int days);

/// One way to do things, in money.
struct Bill {
  double storage = 0;
  double downloads = 0;
  double calls = 0;
  double total() const { return storage + downloads + calls; }
};

struct Month {
  base::Instant start{};
  int days = 0;
  double stored = 0;  ///< bytes, mean of the days
  double full = 0;    ///< bytes that a full restore downloads
  int drills = 0;
  int disk_copies = 0;
  double calls_b = 0;  ///< of class B, without disk copies
  double calls_c = 0;
  Bill bill;               ///< without disks, or with disks that are copied on the server itself
  Bill bill_over_network;  ///< with disks that are copied from the chain
};

struct Estimate {
  Measured measured;
  std::vector<Month> months;  ///< twelve, the first begins now
  Bill year;
  Bill year_over_network;
};

/// Nothing when there is no full yet.
std::optional<Estimate> estimate(std::span<const ledger::RunRow> runs,
                                 const profile::Profile& profile, base::Instant now);

/// The numbers that went in and the formula, for people: what a line is about, and the line.
std::vector<std::pair<std::string, std::string>> explain(const Estimate& estimate,
                                                         const profile::Profile& profile);

/// How many of `a_year` things, spread evenly, fall into month 0 to 11.
int share_of_month(int a_year, int month);

/// What a month's downloads cost: what exceeds the free multiple of what is stored. In bytes.
double download_cost(double downloaded, double stored, const profile::Profile::Cost& prices);
/// What it costs to store so many bytes for so many days.
double storage_cost(double stored, int days, const profile::Profile::Cost& prices);

/// A restore fetches this much with one call, at least: a frame of 4 MiB (chain/frame.h).
inline constexpr double kBytesACall = 4 << 20;
/// A volume; a run has three objects besides.
inline constexpr double kBytesAnObject = 16 << 20;
/// A night logs in, and lists for its backup, its verification and each of its two purges.
inline constexpr int kListingsARun = 4;
inline constexpr int kNamesAPage = 1000;

}  // namespace rota::job
