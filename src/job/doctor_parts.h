#pragma once

#include <string>
#include <vector>

#include "job/doctor.h"

/// What the files that judge a store have in common.
namespace rota::job {

/// A month, in which a person surely looks; a week, in which an attentive one does.
inline constexpr int kComfortableDays = 30;
inline constexpr int kFewestDays = 7;

inline constexpr const char* kCommands = "docs/security.md has the commands";

/// "1 day".
std::string days(int count);

/// " (deleteFiles)"; "" for a right without a name.
std::string named(const store::Right& right);

/// For how many days after it was put nobody with this access can destroy an object; 0: not at all,
/// or it cannot be told.
int locked_days(const store::StorePowers& powers);

/// What holds for the objects that rota puts: its own lock, where that is longer.
store::StorePowers with_own_lock(const Seen& seen, store::StorePowers powers);

Finding judge_lock(const Seen& seen, const store::StorePowers& powers);

/// For files behind an account on another machine.
std::vector<Finding> judge_account(const Seen& seen, const store::StorePowers& powers);
std::string account_deed(const Seen& seen, const store::StorePowers& powers);

}  // namespace rota::job
