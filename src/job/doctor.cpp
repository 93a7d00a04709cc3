#include "job/doctor.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"
#include "rotation/status.h"

namespace rota::job {

namespace {

using ledger::VerifyKind;

/// Every byte of the store is to be read so often.
constexpr std::chrono::hours kDataDue{184 * 24};

Level level_of(rotation::Level level) {
  switch (level) {
    case rotation::Level::good:
      return Level::good;
    case rotation::Level::warning:
      return Level::warning;
    case rotation::Level::alarm:
      return Level::danger;
  }
  return Level::danger;
}

const ledger::VerifyRow* last_good(const Seen& seen, bool data) {
  const ledger::VerifyRow* last = nullptr;
  for (const ledger::VerifyRow& row : seen.verifications) {
    if (row.good && (!data || row.what == VerifyKind::data)) last = &row;
  }
  return last;
}

Finding judge_data(const Seen& seen) {
  const ledger::VerifyRow* data = last_good(seen, true);
  const std::string to_do = fmt::format(
      "Run `rota verify --data {}` now and twice a year; or a part of it each week, "
      "with --sample.",
      seen.profile.name);
  if (data == nullptr) {
    return {Level::advice, "data",
            "What the store lists was looked at, but the data was never read back in full.", to_do};
  }
  const std::string what = fmt::format("All data was read back and found right {}.",
                                       base::relative(data->time, seen.now));
  if (seen.now - data->time > kDataDue) return {Level::advice, "data", what, to_do};
  return {Level::good, "data", what, ""};
}

}  // namespace

const char* word(Level level) {
  switch (level) {
    case Level::good:
      return "good";
    case Level::advice:
      return "advice";
    case Level::warning:
      return "warning";
    case Level::danger:
      return "danger";
  }
  return "";
}

Level Diagnosis::worst() const {
  Level worst = Level::good;
  for (const Finding& finding : findings) worst = std::max(worst, finding.level);
  return worst;
}

std::vector<Finding> judge_ages(const Seen& seen) {
  const profile::Profile& profile = seen.profile;
  const rotation::ProfileStatus status = rotation::profile_status(
      {profile.name,
       seen.runs,
       seen.verifications,
       {profile.max_full_age, profile.max_age, profile.max_fulls_with_incrs},
       seen.wrote},
      seen.now);
  std::vector<Finding> findings;
  for (std::size_t i = 0; i < status.messages.size(); ++i) {
    // Each says what is and what to do.
    findings.push_back({level_of(status.message_levels[i]), "status", status.messages[i], ""});
  }
  if (status.messages.empty()) {
    const ledger::VerifyRow* row = last_good(seen, false);
    std::string what =
        fmt::format("The newest run is of {}", base::relative(status.newest->time, seen.now));
    if (row != nullptr) {
      what += fmt::format(", and the store was last verified, by its {}, {}",
                          ledger::word(row->what), base::relative(row->time, seen.now));
    }
    findings.push_back({Level::good, "status", what + ".", ""});
  }
  if (!seen.verifications.empty()) findings.push_back(judge_data(seen));
  return findings;
}

Diagnosis judge(const Seen& seen) {
  Diagnosis diagnosis{worst_deed(seen), {}};
  std::vector<Finding>& all = diagnosis.findings;
  const auto add = [&](std::vector<Finding> more) {
    all.insert(all.end(), std::move_iterator(more.begin()), std::move_iterator(more.end()));
  };
  if (!seen.unusable.empty() && seen.unusable != seen.store_problem) {
    all.push_back({Level::danger, "profile",
                   fmt::format("The profile cannot be used: {}.", seen.unusable),
                   "Nothing is backed up before that is mended."});
  }
  if (!seen.store_problem.empty()) {
    all.push_back({Level::danger, "store",
                   fmt::format("The store does not answer: {}.", seen.store_problem),
                   "Nothing can be backed up or restored before it does."});
  }
  if (seen.powers) {
    add(judge_powers(seen, *seen.powers));
  } else if (seen.store_problem.empty()) {
    all.push_back(
        {Level::warning, "access",
         fmt::format("The store {} cannot tell what this machine's access to it may do.",
                     seen.store),
         "Reckon with somebody who deletes everything there: see that the other side keeps "
         "snapshots that this access cannot reach, or keep copies on disks off site."});
  }
  if (seen.store_problem.empty() && seen.store_empty && !seen.runs.empty()) {
    all.push_back({Level::danger, "store",
                   fmt::format("The store {} shows no run, and {} were written there.", seen.store,
                               seen.runs.size()),
                   "See that it is mounted and that the target in the profile is right; if all is "
                   "gone, docs/security.md says how to come back after an attack."});
  }
  add(judge_machine(seen));
  add(judge_ages(seen));
  std::ranges::stable_sort(all, std::ranges::greater(), &Finding::level);
  return diagnosis;
}

}  // namespace rota::job
