#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "job/schedule.h"
#include "ledger/ledger.h"
#include "profile/profile.h"
#include "store/powers.h"

/// What somebody who took over this server could destroy, and whether the backup is looked after.
/// Everything here is pure: what was seen goes in, findings come out. examine() does the looking.
namespace rota::job {

/// The order counts: the worst is the greatest.
enum class Level { good, advice, warning, danger };

/// "good", "advice", "warning", "danger".
const char* word(Level level);

struct Finding {
  Level level = Level::good;
  std::string thing;  ///< a word or two: "deletion"
  std::string what;   ///< one sentence: what is
  std::string to_do;  ///< one sentence: what to do; empty when nothing is
};

/// The room on the filesystem of a directory that rota writes to.
struct Room {
  std::string what;  ///< "the cache"
  std::string path;
  std::uint64_t free = 0;  ///< bytes
};

/// What a look at a profile and its machine has shown.
struct Seen {
  profile::Profile profile;
  base::Instant now{};

  std::string store;                         ///< its description
  std::string store_problem;                 ///< why it does not answer; empty when it does
  std::optional<store::StorePowers> powers;  ///< nothing where the store cannot tell
  std::optional<base::Instant> store_time;
  bool store_empty = false;  ///< it shows no run

  std::vector<std::string> missing_canaries;  ///< that the profile names and that are not there
  std::vector<Room> rooms;
  std::vector<Schedule> schedules;  ///< what starts rota for this profile
  std::string sendmail;             ///< the program that takes mail; empty: there is none

  std::string unusable;  ///< why no backup can be made with the profile; empty: one can
  bool wrote = false;    ///< this machine made or adopted runs, whatever the ledger knows
  std::vector<ledger::RunRow> runs;              ///< oldest first
  std::vector<ledger::VerifyRow> verifications;  ///< Ledger::last_verifications()
};

struct Diagnosis {
  std::string sentence;           ///< "Somebody who took over this server could …"
  std::vector<Finding> findings;  ///< the worst first
  Level worst() const;
};

Diagnosis judge(const Seen& seen);

/// The parts of it, in the order in which they were looked at.
std::vector<Finding> judge_powers(const Seen& seen, const store::StorePowers& powers);
std::string worst_deed(const Seen& seen);
std::vector<Finding> judge_machine(const Seen& seen);
std::vector<Finding> judge_ages(const Seen& seen);

}  // namespace rota::job
