#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "chain/retention.h"
#include "chain/verify.h"
#include "job/server.h"
#include "store/tidyable.h"

namespace rota::job {

enum class PurgeRule {
  max_age,               ///< chains that are wholly older than the profile's max_age
  max_fulls_with_incrs,  ///< increments of all but the profile's newest fulls
  one_chain              ///< the chain that a person names
};

struct PurgeOptions {
  PurgeRule rule = PurgeRule::max_age;
  bool dry_run = false;
  std::string chain{};          ///< for PurgeRule::one_chain
  bool clock_is_right = false;  ///< a person says so, for good: see chain::Ageing
};

struct PurgeReport {
  std::vector<chain::Verdict> verdicts;  ///< of every run, oldest first
  /// What is wrong with runs that are to stay. While there is any, nothing is removed.
  std::vector<std::string> in_the_way;
  std::string advice;      ///< what to do about it, for a message
  chain::Removed removed;  ///< all 0 for a dry run
  /// By max_age only: what unfinished runs left behind, and uploads of other programs that lie
  /// unfinished where this profile's objects do; due to go.
  std::vector<chain::Forgotten> forgotten;
  std::vector<store::UnfinishedUpload> leftovers;
  std::uint64_t cancelled = 0;  ///< so many of them went; the key may not end the others
};

/// Judges every run by the rule and, unless it is a dry run, removes what is to go: never before
/// the runs that stay were verified from the listing. By max_age, also removes what runs without a
/// record left behind, and ends uploads that somebody began longer than kResumable ago and never
/// finished. Warns when runs are due by a clock that nothing bears out.
PurgeReport purge(Server& server, const PurgeOptions& options, const Surroundings& around);
/// The same as a step of a job that holds the profile's lock and has just verified the store.
PurgeReport purge(Server& server, const base::LockFile& held, const PurgeOptions& options,
                  const chain::VerifyResult& verified, const Surroundings& around);

/// Throws Error(corrupt) when there are problems in the way. done: what stands all the same.
void check_way(const PurgeReport& report, const std::string& done);

}  // namespace rota::job
