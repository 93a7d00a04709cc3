#include <fmt/core.h>

#include "job/doctor_parts.h"

namespace rota::job {

using store::StorePowers;
using Answer = store::Right::Answer;

std::string worst_deed(const Seen& seen) {
  const std::string who = "Somebody who took over this server could ";
  if (!seen.powers) {
    return fmt::format(
        "What somebody who took over this server could destroy in {} cannot be told.", seen.store);
  }
  const StorePowers powers = with_own_lock(seen, *seen.powers);
  if (powers.nature == StorePowers::Nature::account) return account_deed(seen, powers);
  if (powers.nature == StorePowers::Nature::own_files) {
    return fmt::format("{}delete every chain in {}.", who, seen.store);
  }
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
  if (!powers.may_overwrite.no() && powers.keeps_versions == Answer::no) {
    return fmt::format("{}overwrite, and so destroy, every chain in {}.", who, seen.store);
  }
  if (powers.may_delete.answer == Answer::unknown) {
    return fmt::format(
        "What somebody who took over this server could destroy in {} cannot be told.", seen.store);
  }
  if (powers.may_overwrite.no()) return fmt::format("{}destroy nothing in {}.", who, seen.store);
  const std::string hide = fmt::format("{}hide and overwrite every chain in {}", who, seen.store);
  if (!powers.rules_known || powers.keeps_versions == Answer::unknown) {
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
