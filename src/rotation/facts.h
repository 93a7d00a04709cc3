#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "ledger/disk_rows.h"
#include "ledger/drills.h"
#include "ledger/ledger.h"

/// What status is worked out from: src/status reads it, compute() takes it.
namespace rota::rotation {

/// What a profile says about its chains; a span of nothing is no limit.
struct Policy {
  base::Span max_full_age;  ///< a chain older than this gets no more increments
  base::Span max_age;       ///< chains wholly older are purged
  int max_fulls_with_incrs = 0;
};

/// What the ledger knows about one profile, and the profile's policy.
struct ProfileRows {
  std::string profile;
  std::vector<ledger::RunRow> runs;  ///< oldest first
  /// Ledger::last_verifications(): the last of each kind, in the order of recording.
  std::vector<ledger::VerifyRow> verifications;
  Policy policy;
  bool wrote = false;  ///< this machine made or adopted runs of it, whatever the ledger knows
};

/// A profile that cannot be used, and why: a clause.
struct UnusableProfile {
  std::string profile;
  std::string problem;
};

/// What rotation.toml says about a set of disks; a span of nothing is no limit.
struct SetPolicy {
  std::string name = "monthly";
  std::vector<std::string> disks;  ///< names; empty: all that no other set names
  base::Span interval{.months = 1};
  std::vector<std::string> servers;  ///< that are copied to it
  base::Span transit{.days = 3};
  base::Span max_age;
  int keep = 0;  ///< copies of a server on a disk; 0: as many as fit
  base::Span replace_after{.years = 2};
};

/// All that is known at a moment.
struct Facts {
  std::vector<ProfileRows> profiles;      ///< those to tell of
  std::vector<UnusableProfile> unusable;  ///< likewise
  std::vector<std::string> servers;       ///< every profile, whoever is asked about
  /// Those of `servers` to tell of; empty: all. Sets, disks and due dates are the same whoever is
  /// asked about, and what is wrong with a disk is told in any case: servers share it.
  std::vector<std::string> told;
  std::vector<SetPolicy> sets;
  bool written = false;  ///< there is a rotation.toml: disks are meant to be used
  std::vector<ledger::DiskState> disks;
  std::string lost_history;              ///< ledger::History::lost()
  std::vector<ledger::AlarmRow> alarms;  ///< oldest first; those that are over may be among them
  /// known_wrong() of all alarms: dates of the future that a person took note of.
  std::vector<base::Instant> known_wrong;
  std::vector<ledger::DrillRow> drills;  ///< in the order of recording
  base::Span drill_every;  ///< how often each server is to be restored to try it; nothing: never
  /// Names of disks that are at a port now, where somebody looked; nothing: nobody did.
  std::optional<std::vector<std::string>> connected;
};

}  // namespace rota::rotation
