// What an S3 store's key could destroy: the questions, and what the answers mean.
#include "store/s3_powers.h"

#include <algorithm>

#include "base/error.h"
#include "store/s3_store.h"

namespace rota::store {

using Answer = Right::Answer;

namespace {

/// No object of rota's can be named so: names do not start with a dot.
constexpr const char* kNoObject = ".rota-doctor";

void shorten(std::optional<int>& known, const std::optional<int>& days) {
  if (days && *days > 0) known = std::min(known.value_or(*days), *days);
}

void read_rules(StorePowers& powers, const S3Setting& setting, const std::string& root) {
  powers.rules_known = setting.answer == S3Setting::Answer::none;
  if (setting.answer != S3Setting::Answer::told) return;
  const auto rules = read_s3_lifecycle(setting.xml);
  powers.rules_known = rules.has_value();
  for (const S3LifecycleRule& rule : rules.value_or(std::vector<S3LifecycleRule>{})) {
    if (!rule.enabled || (!rule.prefix.starts_with(root) && !root.starts_with(rule.prefix))) {
      continue;
    }
    shorten(powers.hidden_deleted_after, rule.expire_noncurrent_days);
    shorten(powers.hidden_after, rule.expire_days);
  }
}

void read_lock(StorePowers& powers, const S3Setting& setting) {
  if (setting.answer == S3Setting::Answer::none) powers.locks.answer = Answer::no;
  if (setting.answer != S3Setting::Answer::told) return;
  const auto lock = read_s3_bucket_lock(setting.xml);
  if (!lock) return;
  powers.locks.answer = lock->enabled ? Answer::yes : Answer::no;
  const bool compliance = lock->mode == "COMPLIANCE";
  if (lock->days <= 0 || (!compliance && lock->mode != "GOVERNANCE")) return;
  powers.default_lock = {compliance ? ObjectLock::Mode::compliance : ObjectLock::Mode::governance,
                         lock->days};
}

}  // namespace

std::optional<std::string> s3_versioning(const S3Setting& setting) {
  if (setting.answer == S3Setting::Answer::none) return "";
  if (setting.answer == S3Setting::Answer::unknown) return std::nullopt;
  return read_s3_versioning(setting.xml);
}

StorePowers s3_powers(const S3Settings& settings, const std::string& root) {
  StorePowers powers;
  powers.may_delete = settings.may_delete;
  powers.may_overwrite = {Answer::yes, "s3:PutObject"};  // or no backup could be made with it
  powers.may_lift_locks.name = "s3:BypassGovernanceRetention";
  powers.may_change_locks.name = "s3:PutBucketObjectLockConfiguration";
  powers.may_change_rules.name = "s3:PutLifecycleConfiguration";
  powers.may_make_keys.name = "iam:CreateAccessKey";
  powers.locks.name = "Object Lock";
  powers.words = {"NoncurrentVersionExpiration", "Expiration", "s3:GetLifecycleConfiguration",
                  "s3:GetBucketObjectLockConfiguration"};
  if (const auto versioning = s3_versioning(settings.versioning)) {
    powers.keeps_versions = *versioning == "Enabled" ? Answer::yes : Answer::no;
  }
  read_rules(powers, settings.lifecycle, root);
  read_lock(powers, settings.lock);
  if (settings.location.answer == S3Setting::Answer::told) {
    powers.region = read_s3_location(settings.location.xml).value_or("");
  }
  return powers;
}

S3Setting S3Store::ask(const std::string& query, std::string_view doing,
                       const std::string& action) {
  S3Call call = make_call("GET", "", doing, action);
  call.query = {{query, ""}};
  try {
    const HttpResponse response = client_.call(call);
    return {S3Setting::Answer::told, std::string(base::as_text(response.body))};
  } catch (const S3Refusal& refusal) {
    const bool is_absent = refusal.status() == 404 && refusal.code() != "NoSuchBucket";
    if (is_absent || refusal.status() == 405 || refusal.status() == 501) {
      return {S3Setting::Answer::none};
    }
    if (!refusal.denied() && refusal.status() != 400) throw;
    return {S3Setting::Answer::unknown};
  }
}

Right S3Store::try_to_delete(const std::optional<std::string>& versioning) {
  // Without versions a plain DELETE is what destroys. Else it would put a marker, and what destroys
  // is to delete one version: "null" is the one that was put without versions.
  const bool plain = versioning && versioning->empty();
  Right right{Answer::unknown, plain ? "s3:DeleteObject" : "s3:DeleteObjectVersion"};
  try {
    // 404 says nothing: some stores look for the object first, and for the right to delete it then.
    S3Call call = make_call("DELETE", kNoObject, "cannot remove", right.name, plain ? "" : "null");
    call.also = 404;
    if (client_.call(call).status != 404) right.answer = Answer::yes;
  } catch (const S3Refusal& refusal) {
    if (refusal.kind() == base::ErrorKind::unavailable) throw;
    // A plain DELETE may still be allowed where nobody knows whether there are versions.
    if (refusal.denied() && versioning) right.answer = Answer::no;
  }
  return right;
}

StorePowers S3Store::inspect() {
  S3Settings settings;
  settings.versioning =
      ask("versioning", "cannot see whether versions are kept", "s3:GetBucketVersioning");
  settings.lifecycle =
      ask("lifecycle", "cannot see which rules delete", "s3:GetLifecycleConfiguration");
  settings.lock =
      ask("object-lock", "cannot see what is locked", "s3:GetBucketObjectLockConfiguration");
  settings.location = ask("location", "cannot see where data lies", "s3:GetBucketLocation");
  settings.may_delete = try_to_delete(s3_versioning(settings.versioning));
  return s3_powers(settings, target_.prefix);
}

}  // namespace rota::store
