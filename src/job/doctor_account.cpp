// Files on another machine, behind an account there: no rules, no locks, and what the server does
// about them out of sight.
#include <fmt/core.h>

#include "job/doctor_parts.h"

namespace rota::job {

using store::StorePowers;
using Answer = store::Right::Answer;

namespace {

/// What closes it, whatever the account may do.
constexpr const char* kSnapshots =
    "Have that machine take snapshots every day which this account cannot reach (btrfs, ZFS or "
    "LVM, by its root), or keep copies on disks off site; docs/stores.md says how.";

Finding judge_removal(const StorePowers& powers) {
  if (powers.may_delete.yes()) {
    return {Level::danger, "deletion", "The account may remove every object.", kSnapshots};
  }
  if (powers.may_delete.answer == Answer::unknown) {
    return {Level::warning, "deletion", "Whether the account may remove objects cannot be told.",
            kSnapshots};
  }
  return {Level::good, "deletion", "The account may not remove anything by SFTP.", ""};
}

Finding judge_replacing(const StorePowers& powers) {
  if (powers.may_overwrite.no()) {
    return {Level::good, "overwriting", "The account may not write anything: it only reads.", ""};
  }
  const std::string what =
      powers.may_overwrite.yes()
          ? "The account may write into every file, which destroys as removing does."
          : "Whether the account may write into files that are there cannot be told.";
  // Removing is the danger already.
  const Level level =
      powers.may_overwrite.yes() && powers.may_delete.no() ? Level::danger : Level::warning;
  return {level, "overwriting", what, kSnapshots};
}

}  // namespace

std::vector<Finding> judge_account(const Seen& seen, const StorePowers& powers) {
  std::vector<Finding> findings{judge_removal(powers), judge_replacing(powers)};
  if (powers.read_only) {
    findings.push_back({Level::danger, "read-only",
                        fmt::format("The file system of {} is read-only.", seen.store),
                        "Mount it for writing; after an error the system itself makes it so."});
  }
  findings.push_back(
      {Level::advice, "snapshots",
       "Whether that machine keeps snapshots which this account cannot reach, the account cannot "
       "tell.",
       "See there that it does, that they are kept for 30 days or more, and that the account's key "
       "opens no shell: ForceCommand internal-sftp, or `restrict` in authorized_keys."});
  if (seen.profile.lock_days > 0) {
    findings.push_back({Level::danger, "lock",
                        "The profile asks for locks (lock_days), and SFTP has none: the next "
                        "backup fails.",
                        "Take lock_days out of the profile."});
  }
  return findings;
}

std::string account_deed(const Seen& seen, const StorePowers& powers) {
  const std::string who = "Somebody who took over this server could ";
  const std::string unless = "unless that machine keeps snapshots out of this account's reach";
  if (powers.may_delete.yes()) {
    return fmt::format("{}delete every chain in {} at once, {}.", who, seen.store, unless);
  }
  if (powers.may_overwrite.yes()) {
    return fmt::format("{}overwrite, and so destroy, every chain in {}, {}.", who, seen.store,
                       unless);
  }
  if (powers.may_overwrite.no()) return fmt::format("{}destroy nothing in {}.", who, seen.store);
  return fmt::format("What somebody who took over this server could destroy in {} cannot be told.",
                     seen.store);
}

}  // namespace rota::job
