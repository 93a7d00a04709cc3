#include <fmt/core.h>

#include "base/text.h"
#include "job/doctor_parts.h"

namespace rota::job {

using store::StorePowers;
using Answer = store::Right::Answer;

std::string days(int count) { return fmt::format("{} day{}", count, count == 1 ? "" : "s"); }

std::string named(const store::Right& right) {
  return right.name.empty() ? "" : fmt::format(" ({})", right.name);
}

namespace {

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
  if (powers.keeps_versions == Answer::no) {
    return {Level::danger, thing,
            "The bucket keeps no older versions: to overwrite an object is to destroy it.",
            fmt::format("Switch versioning on, and let a rule delete old versions after {} or "
                        "more; {}.",
                        days(kComfortableDays), kCommands)};
  }
  if (powers.keeps_versions == Answer::unknown) {
    return {Level::warning, thing,
            "The key may hide and overwrite objects; whether the bucket keeps the versions before "
            "cannot be told.",
            "See at the provider that versioning is on."};
  }
  if (!powers.rules_known) {
    return {locked ? Level::advice : Level::warning, thing,
            "The key may hide and overwrite objects; for how long the bucket keeps the versions "
            "before cannot be known, because the key may not read the bucket's settings.",
            fmt::format("Look at the bucket's lifecycle rules with another key; or give this one "
                        "{}, which only reads.",
                        powers.words.see_rules)};
  }
  if (!powers.hidden_deleted_after) {
    return {Level::good, thing,
            "What is hidden or overwritten stays: no rule of the bucket deletes old versions.", ""};
  }
  const int after = *powers.hidden_deleted_after;
  const std::string what =
      fmt::format("What is hidden or overwritten is deleted after {}", days(after));
  const std::string to_do = fmt::format("Set {} of the bucket's rule to {} or more; {}.",
                                        powers.words.hidden_rule, kComfortableDays, kCommands);
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
  return {locked ? Level::advice : Level::danger, thing,
          what +
              ", so that to overwrite is to delete (at B2 the setting \"keep only the last "
              "version\").",
          to_do};
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
  if (powers.may_make_keys.answer == Answer::unknown &&
      powers.may_change_rules.answer == Answer::unknown) {
    findings.push_back(
        {Level::advice, "rights",
         "Whether the key may make other keys, or change the bucket's rules and locks, the store "
         "does not tell.",
         "See at the provider that its policy allows no more than docs/stores.md names."});
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
         fmt::format("A rule of the bucket {} every object {} after it was put: chains get lost "
                     "that rota still builds on.",
                     powers.keeps_versions == Answer::no ? "deletes" : "hides",
                     days(*powers.hidden_after)),
         fmt::format("Remove {} from the rule: rota itself decides what is old.",
                     powers.words.ageing_rule)});
  }
  if (powers.readable_by_all == Answer::yes) {
    const bool encrypted = !seen.profile.encrypt_to.empty();
    findings.push_back({encrypted ? Level::warning : Level::danger, "privacy",
                        encrypted
                            ? "The bucket is public: all the world may fetch the encrypted backup."
                            : "The bucket is public: all the world may read the backup.",
                        "Make the bucket private."});
  }
  if (!powers.region.empty()) {
    findings.push_back({Level::good, "place",
                        fmt::format("The bucket lies in {}.", base::printable(powers.region)), ""});
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
  if (powers.nature == StorePowers::Nature::account) return judge_account(seen, powers);
  if (powers.nature == StorePowers::Nature::own_files) {
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

}  // namespace rota::job
