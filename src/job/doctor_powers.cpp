#include <fmt/core.h>

#include <algorithm>

#include "job/doctor.h"

namespace rota::job {

namespace {

using store::ObjectLock;
using store::StorePowers;
using Answer = store::Right::Answer;

/// A month, in which a person surely looks; a week, in which an attentive one does.
constexpr int kComfortableDays = 30;
constexpr int kFewestDays = 7;

constexpr const char* kCommands = "docs/security.md has the commands";

std::string days(int count) { return fmt::format("{} day{}", count, count == 1 ? "" : "s"); }

/// " (deleteFiles)".
std::string named(const store::Right& right) {
  return right.name.empty() ? "" : fmt::format(" ({})", right.name);
}

/// For how many days after it was put nobody with this access can destroy an object; 0: not at all.
int locked_days(const StorePowers& powers) {
  if (!powers.locks.yes() || !powers.default_lock) return 0;
  const bool governance = powers.default_lock->mode == ObjectLock::Mode::governance;
  // Who may make keys makes one that lifts the lock.
  const bool lifted = !powers.may_lift_locks.no() || !powers.may_make_keys.no();
  return governance && lifted ? 0 : powers.default_lock->days;
}

/// Whether rota itself locks what it puts, for longer than the bucket would.
bool locks_itself(const Seen& seen, const StorePowers& powers) {
  return seen.profile.lock_days > 0 && powers.locks.yes() &&
         (!powers.default_lock || powers.default_lock->days < seen.profile.lock_days);
}

/// What holds for the objects that rota puts: its own lock, where that is longer.
StorePowers with_own_lock(const Seen& seen, StorePowers powers) {
  if (locks_itself(seen, powers)) {
    powers.default_lock = {
        seen.profile.lock_compliance ? ObjectLock::Mode::compliance : ObjectLock::Mode::governance,
        seen.profile.lock_days};
  }
  return powers;
}

/// How long a chain is built on: its full is needed for so many days.
int chain_days(const Seen& seen) {
  const auto length = base::after(seen.now, seen.profile.max_full_age) - seen.now;
  return static_cast<int>(std::chrono::ceil<std::chrono::days>(length).count());
}

Finding judge_deletion(const StorePowers& powers) {
  if (powers.may_delete.no()) {
    return {Level::good, "deletion", "The key may not delete anything.", ""};
  }
  const std::string to_do = fmt::format(
      "Give this server a key without the right to delete, and purge with another key from another "
      "machine; {}.",
      kCommands);
  const int locked = locked_days(powers);
  if (powers.may_delete.answer == Answer::unknown) {
    return {Level::warning, "deletion", "Whether the key may delete cannot be told.", to_do};
  }
  if (locked > 0) {
    return {Level::advice, "deletion",
            fmt::format("The key may delete every version of an object{}, but only {} after it was "
                        "put: until then it is locked.",
                        named(powers.may_delete), days(locked)),
            to_do};
  }
  return {
      Level::danger, "deletion",
      fmt::format("The key may delete every version of every object{}.", named(powers.may_delete)),
      to_do};
}

Finding judge_overwriting(const StorePowers& powers) {
  const std::string thing = "overwriting";
  const bool locked = locked_days(powers) > 0;
  if (powers.may_overwrite.no()) {
    return {Level::good, thing, "The key may not hide or overwrite anything: it only reads.", ""};
  }
  if (!powers.rules_known) {
    return {locked ? Level::advice : Level::warning, thing,
            "The key may hide and overwrite objects; whether the bucket keeps the versions before "
            "cannot be known, because the key may not read the bucket's settings.",
            "Look at the bucket's lifecycle rules with another key; or give this one listBuckets, "
            "which only reads."};
  }
  const std::string named_rule = "daysFromHidingToDeleting";
  if (!powers.hidden_deleted_after) {
    return {Level::good, thing,
            "What is hidden or overwritten stays: no rule of the bucket deletes old versions.", ""};
  }
  const int after = *powers.hidden_deleted_after;
  const std::string what =
      fmt::format("What is hidden or overwritten is deleted after {}", days(after));
  const std::string to_do = fmt::format("Set {} of the bucket's rule to {} or more; {}.",
                                        named_rule, kComfortableDays, kCommands);
  if (after >= kComfortableDays) {
    return {Level::good, thing, what + ": time enough to notice an attack and to go back.", ""};
  }
  if (after >= kFewestDays) {
    return {Level::advice, thing, what + ": an attack must be noticed before.", to_do};
  }
  if (after > 1) {
    return {locked ? Level::advice : Level::warning, thing,
            what + ": over a long weekend nobody would notice in time.", to_do};
  }
  return {
      locked ? Level::advice : Level::danger, thing,
      what + ", so that to overwrite is to delete (the setting \"keep only the last version\").",
      to_do};
}

Finding judge_lock(const Seen& seen, const StorePowers& powers) {
  const std::string thing = "lock";
  const std::string to_do = fmt::format(
      "Turn on Object Lock with a default retention of {} or more, with a key of another machine; "
      "{}.",
      days(chain_days(seen) + kFewestDays), kCommands);
  // Versions that stay long enough, behind a key that cannot delete, do without.
  const bool versions_stay = powers.may_delete.no() && powers.may_change_rules.no() &&
                             powers.may_make_keys.no() && powers.rules_known &&
                             powers.hidden_deleted_after.value_or(kComfortableDays) >= kFewestDays;
  const Level without = versions_stay ? Level::advice : Level::warning;
  if (powers.locks.answer == Answer::unknown) {
    return {Level::advice, thing,
            "Whether the bucket locks what is put there cannot be known: the key may not read it.",
            "Give the key readBucketRetentions, which only reads, or look with another one."};
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

/// Rights that a server which only backs up has no use for.
std::vector<Finding> judge_rights(const StorePowers& powers) {
  std::vector<Finding> findings;
  const int locked = locked_days(powers);
  const auto take = [](const store::Right& right) {
    return fmt::format("Make this server a key without {}; {}.", right.name, kCommands);
  };
  const auto add = [&](const store::Right& right, Level level, const char* thing,
                       const std::string& what) {
    if (right.yes()) findings.push_back({level, thing, what + named(right) + ".", take(right)});
  };
  add(powers.may_make_keys, locked > 0 ? Level::warning : Level::danger, "keys",
      "The key may make other keys with every right: who has it has the whole account");
  add(powers.may_delete_keys, Level::warning, "other keys",
      "The key may delete your other keys, the one for purging and restoring among them");
  add(powers.may_change_rules, locked > 0 ? Level::warning : Level::danger, "rules",
      "The key may change the bucket's rules, so that it deletes by itself what was hidden");
  add(powers.may_change_locks, powers.default_lock ? Level::warning : Level::advice,
      "lock settings", "The key may end the lock that the bucket gives to new objects");
  add(powers.may_delete_places, Level::advice, "buckets",
      "The key may delete buckets that are empty");
  if (!powers.default_lock) {
    add(powers.may_lift_locks, Level::advice, "lifting locks",
        "The key may delete what is locked in the mode governance");
  }
  if (findings.empty() && powers.may_make_keys.no() && powers.may_change_rules.no()) {
    findings.push_back({Level::good, "rights",
                        "The key may not make keys, nor change the bucket's rules and locks.", ""});
  }
  if (powers.may_leave.yes()) {
    findings.push_back({Level::advice, "reach", "The key is good for every bucket of the account.",
                        fmt::format("Make one for this bucket alone; {}.", kCommands)});
  }
  return findings;
}

std::vector<Finding> judge_bucket(const Seen& seen, const StorePowers& powers) {
  std::vector<Finding> findings;
  if (powers.hidden_after) {
    findings.push_back(
        {Level::danger, "ageing",
         fmt::format("A rule of the bucket hides every object {} after it was put: chains get lost "
                     "that rota still builds on.",
                     days(*powers.hidden_after)),
         "Remove daysFromUploadingToHiding from the rule: rota itself decides what is old."});
  }
  if (powers.readable_by_all == Answer::yes) {
    const bool encrypted = !seen.profile.encrypt_to.empty();
    findings.push_back({encrypted ? Level::warning : Level::danger, "privacy",
                        encrypted
                            ? "The bucket is public: all the world may fetch the encrypted backup."
                            : "The bucket is public: all the world may read the backup.",
                        "Make the bucket private."});
  }
  if (powers.may_delete.no() && powers.rules_known) {
    if (powers.hidden_deleted_after) {
      findings.push_back(
          {Level::good, "purging",
           fmt::format("What rota purges is hidden, and the bucket frees the room {} "
                       "later.",
                       days(*powers.hidden_deleted_after)),
           ""});
    } else {
      findings.push_back(
          {Level::advice, "purging",
           "Nothing that is due to go can be removed with this key, and no rule of "
           "the bucket does it.",
           "Run `rota purge` on another machine with a key that may delete; or let a "
           "rule delete what was hidden 30 days ago."});
    }
  }
  return findings;
}

}  // namespace

std::vector<Finding> judge_powers(const Seen& seen, const StorePowers& stores) {
  const StorePowers powers = with_own_lock(seen, stores);
  if (powers.plain_files) {
    return {{Level::danger, "deletion",
             fmt::format("The chains are files in {}: whoever is root on this server can delete "
                         "them all.",
                         seen.store),
             "Send them to a store with a key that cannot delete, or keep copies on disks that are "
             "off site."}};
  }
  std::vector<Finding> findings{judge_deletion(powers), judge_overwriting(powers),
                                judge_lock(seen, powers)};
  for (Finding& finding : judge_rights(powers)) findings.push_back(std::move(finding));
  for (Finding& finding : judge_bucket(seen, powers)) findings.push_back(std::move(finding));
  return findings;
}

std::string worst_deed(const Seen& seen) {
  const std::string who = "Somebody who took over this server could ";
  if (!seen.powers) {
    return fmt::format(
        "What somebody who took over this server could destroy in {} cannot be told.", seen.store);
  }
  const StorePowers powers = with_own_lock(seen, *seen.powers);
  if (powers.plain_files) return fmt::format("{}delete every chain in {}.", who, seen.store);
  const int locked = locked_days(powers);
  const std::string but =
      locked > 0 ? fmt::format(", except what was put in the last {}: that is locked", days(locked))
                 : "";
  if (powers.may_delete.yes()) {
    return fmt::format("{}delete every chain in {} at once{}.", who, seen.store, but);
  }
  if (powers.may_make_keys.yes()) {
    return fmt::format("{}make a key that deletes every chain in {}{}.", who, seen.store, but);
  }
  if (powers.may_change_rules.yes()) {
    return fmt::format("{}let the bucket itself delete every chain in {} within days{}.", who,
                       seen.store, but);
  }
  if (powers.may_delete.answer == Answer::unknown) {
    return fmt::format(
        "What somebody who took over this server could destroy in {} cannot be told.", seen.store);
  }
  if (powers.may_overwrite.no()) return fmt::format("{}destroy nothing in {}.", who, seen.store);
  const std::string hide = fmt::format("{}hide and overwrite every chain in {}", who, seen.store);
  if (!powers.rules_known) {
    return fmt::format("{}; whether that destroys anything cannot be told{}.", hide, but);
  }
  if (!powers.hidden_deleted_after) {
    return fmt::format(
        "{}, but destroy nothing: all versions stay, and `rota restore --store-time` "
        "reads them.",
        hide);
  }
  const int after = *powers.hidden_deleted_after;
  if (after == 1) return fmt::format("{}, and after a day that is deletion{}.", hide, but);
  return fmt::format(
      "{}; for {} `rota restore --store-time` brings them back, then they are "
      "deleted{}.",
      hide, days(after), but);
}

}  // namespace rota::job
