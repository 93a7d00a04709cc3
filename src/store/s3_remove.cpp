// Removing from an S3 store: what became of an object depends on versions, locks, the key and the
// bucket's rules.
#include <fmt/core.h>

#include <algorithm>

#include "base/error.h"
#include "store/s3_store.h"

namespace rota::store {

using base::ErrorKind;

bool S3Store::has_versions(const std::string& name) {
  const std::lock_guard lock(mutex_);
  if (has_versions_) return *has_versions_;
  S3Call call =
      make_call("GET", "", "cannot see whether versions are kept", "s3:GetBucketVersioning");
  call.query = {{"versioning", ""}};
  try {
    const HttpResponse response = client_.call(call);
    const auto status = read_s3_versioning(base::as_text(response.body));
    // A bucket whose versioning was suspended still has its old versions.
    has_versions_ = status ? !status->empty() : has_version_id(name);
  } catch (const S3Refusal& refusal) {
    const bool unknown_here = refusal.status() == 501 || refusal.status() == 405;
    if (!refusal.denied() && !unknown_here) throw;
    has_versions_ = refusal.denied() && has_version_id(name);
  }
  return *has_versions_;
}

bool S3Store::has_version_id(const std::string& name) {
  S3Call call = make_call("HEAD", name, "cannot look at", "s3:GetObject");
  call.also = 404;
  try {
    return client_.call(call).header("x-amz-version-id").value_or("null") != "null";
  } catch (const S3Refusal& refusal) {
    if (!refusal.denied()) throw;
    return true;  // not known: nothing is done that cannot be undone
  }
}

bool S3Store::deletes_hidden(const std::string& name) {
  const std::lock_guard lock(mutex_);
  if (!lifecycle_) {
    S3Call call =
        make_call("GET", "", "cannot see which rules delete", "s3:GetLifecycleConfiguration");
    call.query = {{"lifecycle", ""}};
    try {
      const HttpResponse response = client_.call(call);
      lifecycle_ =
          read_s3_lifecycle(base::as_text(response.body)).value_or(std::vector<S3LifecycleRule>{});
    } catch (const S3Refusal& refusal) {
      if (refusal.kind() == ErrorKind::unavailable) throw;
      lifecycle_.emplace();  // there are none, or they are not known
    }
  }
  const std::string key = target_.prefix + name;
  return std::ranges::any_of(*lifecycle_, [&](const S3LifecycleRule& rule) {
    return rule.enabled && rule.expire_noncurrent_days && key.starts_with(rule.prefix);
  });
}

std::optional<std::vector<S3Version>> S3Store::versions_of(const std::string& name) {
  const std::string key = target_.prefix + name;
  std::vector<S3Version> found;
  std::string next_key;
  std::string next_id;
  try {
    for (;;) {
      auto page = list_versions_once(name, next_key, next_id, 1000);
      if (!page) return std::nullopt;
      for (S3Version& version : page->versions) {
        // Longer names that begin alike sort behind it.
        if (version.object.key != key) return found;
        found.push_back(std::move(version));
      }
      if (!page->truncated) return found;
      next_key = page->next_key;
      next_id = page->next_id;
    }
  } catch (const S3Refusal& refusal) {
    if (refusal.denied()) return std::nullopt;
    throw;
  }
}

bool S3Store::is_locked(const std::string& name, const std::string& version) {
  const S3Call call = make_call("HEAD", name, "cannot look at", "s3:GetObjectRetention", version);
  try {
    const HttpResponse response = client_.call(call);
    if (response.header("x-amz-object-lock-legal-hold") == "ON") return true;
    // With or without a fraction: "2030-01-01T00:00:00.000Z".
    const auto written = response.header("x-amz-object-lock-retain-until-date").value_or("");
    const auto until = base::parse_iso(written.substr(0, 19) + "Z");
    return until && *until > now().value_or(clock_.now());
  } catch (const S3Refusal& refusal) {
    if (refusal.kind() == ErrorKind::unavailable) throw;
    return false;  // not known
  }
}

Removal S3Store::hide(const std::string& name) {
  if (!deletes_hidden(name)) return Removal::later;
  try {
    client_.call(make_call("DELETE", name, "cannot hide", "s3:DeleteObject"));
    return Removal::hidden;
  } catch (const S3Refusal& refusal) {
    if (!refusal.denied()) throw;
    return Removal::later;
  }
}

Removal S3Store::remove_versions(const std::string& name, const std::vector<S3Version>& versions) {
  // Oldest first: whatever stops this, no older content comes to light.
  bool missing = false;
  for (auto version = versions.rbegin(); version != versions.rend(); ++version) {
    try {
      client_.call(
          make_call("DELETE", name, "cannot remove", "s3:DeleteObjectVersion", version->id));
    } catch (const S3Refusal& refusal) {
      if (refusal.status() == 404) {
        missing = true;
        continue;
      }
      if (refusal.locked()) return Removal::later;
      if (!refusal.denied()) throw;
      if (is_locked(name, version->id)) return Removal::later;
      return versions.front().marker ? Removal::hidden : hide(name);
    }
  }
  // Somebody else was faster; or the last version is gone and with it the "bucket", as OpenStack
  // Swift says. The list knows.
  if (missing && !versions_of(name).value_or(versions).empty()) {
    throw base::Error(
        ErrorKind::unavailable,
        fmt::format("cannot remove {} in the store {}: the store lists versions of it "
                    "that it does not find; try again later",
                    name, description()));
  }
  return Removal::gone;
}

std::optional<Removal> S3Store::remove_plain(const std::string& name) {
  try {
    const HttpResponse response =
        client_.call(make_call("DELETE", name, "cannot remove", "s3:DeleteObject"));
    if (response.header("x-amz-delete-marker") != "true") return Removal::gone;
    const std::lock_guard lock(mutex_);
    has_versions_ = true;
    return std::nullopt;
  } catch (const S3Refusal& refusal) {
    if (refusal.kind() == ErrorKind::not_found) return Removal::gone;  // Amazon says 204
    if (!refusal.denied() && !refusal.locked()) throw;
    return Removal::later;
  }
}

Removal S3Store::remove(const std::string& name) {
  check_name(name);
  if (!has_versions(name)) {
    if (const auto removal = remove_plain(name)) return *removal;
  }
  const auto versions = versions_of(name);
  return versions ? remove_versions(name, *versions) : hide(name);
}

}  // namespace rota::store
