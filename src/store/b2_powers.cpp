#include "store/b2_powers.h"

#include <algorithm>
#include <string_view>

namespace rota::store {

using nlohmann::json;
using Answer = Right::Answer;

namespace {

constexpr std::uint64_t kMostDays = 1'000'000;

Right right(const B2Account& account, const char* capability) {
  return {account.can(capability) ? Answer::yes : Answer::no, capability};
}

/// The shorter of a rule's days and what is known; null and 0 mean that the rule says nothing.
void shorten(std::optional<int>& known, const json& rule, const char* key) {
  const std::uint64_t days = std::min(number_of(rule, key).value_or(0), kMostDays);
  if (days == 0) return;
  known = std::min(known.value_or(static_cast<int>(kMostDays)), static_cast<int>(days));
}

void read_rules(StorePowers& powers, const json& bucket, const std::string& root) {
  const auto rules = bucket.find("lifecycleRules");
  if (rules == bucket.end() || !rules->is_array()) return;
  powers.rules_known = true;
  for (const json& rule : *rules) {
    if (!rule.is_object()) continue;
    const std::string prefix = text_of(rule, "fileNamePrefix");
    if (!prefix.starts_with(root) && !root.starts_with(prefix)) continue;
    shorten(powers.hidden_deleted_after, rule, "daysFromHidingToDeleting");
    shorten(powers.hidden_after, rule, "daysFromUploadingToHiding");
  }
}

void read_lock(StorePowers& powers, const json& bucket) {
  const json& lock = object_of(object_of(bucket, "fileLockConfiguration"), "value");
  const auto enabled = lock.find("isFileLockEnabled");
  if (enabled == lock.end() || !enabled->is_boolean()) return;  // the key may not know
  powers.locks.answer = enabled->get<bool>() ? Answer::yes : Answer::no;
  const json& retention = object_of(lock, "defaultRetention");
  const json& period = object_of(retention, "period");
  const std::string mode = text_of(retention, "mode");
  const std::uint64_t count = std::min(number_of(period, "duration").value_or(0), kMostDays / 365);
  const int days = static_cast<int>(count) * (text_of(period, "unit") == "years" ? 365 : 1);
  if (days == 0 || (mode != "governance" && mode != "compliance")) return;
  powers.default_lock = {
      mode == "compliance" ? ObjectLock::Mode::compliance : ObjectLock::Mode::governance, days};
}

}  // namespace

StorePowers b2_powers(const B2Account& account, const json* bucket, const std::string& root) {
  StorePowers powers;
  powers.may_delete = right(account, "deleteFiles");
  powers.may_overwrite = right(account, "writeFiles");
  powers.may_lift_locks = right(account, "bypassGovernance");
  powers.may_change_locks = right(account, "writeBucketRetentions");
  powers.may_change_rules =
      right(account, account.can("writeBucketLifecycleRules") ? "writeBucketLifecycleRules"
                                                              : "writeBuckets");
  powers.may_make_keys = right(account, "writeKeys");
  powers.may_delete_keys = right(account, "deleteKeys");
  powers.may_delete_places = right(account, "deleteBuckets");
  powers.may_leave.answer = account.whole_account ? Answer::yes : Answer::no;
  powers.locks.name = "Object Lock";
  powers.keeps_versions = Answer::yes;  // in every bucket
  powers.words = {"daysFromHidingToDeleting", "daysFromUploadingToHiding", "listBuckets",
                  "readBucketRetentions"};
  if (bucket != nullptr) {
    read_rules(powers, *bucket, root);
    read_lock(powers, *bucket);
    const std::string type = text_of(*bucket, "bucketType");
    if (!type.empty()) {
      powers.readable_by_all = type == "allPublic" ? Answer::yes : Answer::no;
    }
  }
  return powers;
}

}  // namespace rota::store
