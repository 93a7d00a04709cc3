#include <fmt/core.h>

#include "job/doctor_parts.h"

namespace rota::job {

using store::ObjectLock;
using store::StorePowers;
using Answer = store::Right::Answer;

namespace {

/// Whether rota itself locks what it puts, for longer than the bucket would.
bool locks_itself(const Seen& seen, const StorePowers& powers) {
  return seen.profile.lock_days > 0 && powers.locks.yes() &&
         (!powers.default_lock || powers.default_lock->days < seen.profile.lock_days);
}

/// How long a chain is built on: its full is needed for so many days.
int chain_days(const Seen& seen) {
  const auto length = base::after(seen.now, seen.profile.max_full_age) - seen.now;
  return static_cast<int>(std::chrono::ceil<std::chrono::days>(length).count());
}

}  // namespace

int locked_days(const StorePowers& powers) {
  if (!powers.locks.yes() || !powers.default_lock) return 0;
  const bool governance = powers.default_lock->mode == ObjectLock::Mode::governance;
  // Who may make keys makes one that lifts the lock.
  const bool lifted = !powers.may_lift_locks.no() || !powers.may_make_keys.no();
  return governance && lifted ? 0 : powers.default_lock->days;
}

StorePowers with_own_lock(const Seen& seen, StorePowers powers) {
  if (locks_itself(seen, powers)) {
    powers.default_lock = {
        seen.profile.lock_compliance ? ObjectLock::Mode::compliance : ObjectLock::Mode::governance,
        seen.profile.lock_days};
  }
  return powers;
}

Finding judge_lock(const Seen& seen, const StorePowers& powers) {
  const std::string thing = "lock";
  const std::string to_do = fmt::format(
      "Turn on Object Lock with a default retention of {} or more, with a key of another machine; "
      "{}.",
      days(chain_days(seen) + kFewestDays), kCommands);
  // Versions that stay long enough, behind a key that cannot delete, do without.
  const bool versions_stay = powers.may_delete.no() && !powers.may_change_rules.yes() &&
                             !powers.may_make_keys.yes() && powers.rules_known &&
                             powers.keeps_versions == Answer::yes &&
                             powers.hidden_deleted_after.value_or(kComfortableDays) >= kFewestDays;
  const Level without = versions_stay ? Level::advice : Level::warning;
  if (powers.locks.answer == Answer::unknown) {
    return {Level::advice, thing,
            "Whether the bucket locks what is put there cannot be known: the key may not read it.",
            fmt::format("Give the key {}, which only reads, or look with another one.",
                        powers.words.see_locks)};
  }
  if (powers.locks.no() && seen.profile.lock_days > 0) {
    return {Level::danger, thing,
            "The profile asks for locks (lock_days), and nothing in the bucket can be locked: the "
            "next backup fails.",
            "Turn on Object Lock for the bucket, or take lock_days out of the profile."};
  }
  if (powers.locks.no()) return {without, thing, "Nothing in the bucket can be locked.", to_do};
  if (!powers.default_lock) {
    return {without, thing,
            "The bucket can lock what is put there, but has no default retention: "
            "nothing is locked.",
            to_do};
  }
  const bool compliance = powers.default_lock->mode == ObjectLock::Mode::compliance;
  const int held = powers.default_lock->days;
  const bool own = locks_itself(seen, *seen.powers);
  const std::string what =
      fmt::format("{} for {} ({})",
                  own ? "rota locks each chain until its last run is locked"
                      : "The bucket locks each new object",
                  days(held),
                  compliance ? "compliance: nobody can lift it"
                             : "governance: lifted only by who holds the right to");
  const bool lifts = powers.may_lift_locks.yes() || powers.may_make_keys.yes();
  if (locked_days(powers) == 0 && !lifts) {
    return {powers.may_delete.no() ? Level::advice : Level::warning, thing,
            what + "; whether this key holds it cannot be told.",
            fmt::format("See at the provider that the key has not {}; or lock in the mode "
                        "compliance, which nobody can lift.",
                        powers.may_lift_locks.name)};
  }
  if (locked_days(powers) == 0) {
    return {Level::warning, thing, what + ", and this key holds it or can make a key that does.",
            fmt::format("Take {} from the key; {}.",
                        powers.may_lift_locks.yes() ? powers.may_lift_locks.name
                                                    : powers.may_make_keys.name,
                        kCommands)};
  }
  if (!own && held < chain_days(seen) + kFewestDays) {
    return {
        powers.may_delete.no() ? Level::advice : Level::warning, thing,
        fmt::format("{}; but a chain is built on for {}, and without its full the rest is lost.",
                    what, days(chain_days(seen))),
        fmt::format("Set the default retention to {} or more, or a shorter max_full_age in the "
                    "profile.",
                    days(chain_days(seen) + kFewestDays))};
  }
  return {Level::good, thing, what + (own ? "." : ": longer than a chain is built on."), ""};
}

}  // namespace rota::job
