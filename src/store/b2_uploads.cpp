#include "store/b2_uploads.h"

#include <fmt/core.h>

#include <chrono>

namespace rota::store {

using base::Error;
using base::ErrorKind;
using nlohmann::json;

namespace {

std::vector<std::pair<std::string, std::string>> headers_for(
    const std::string& name, const std::string& token, const std::string& sha1,
    const std::optional<ObjectLock>& lock) {
  std::vector<std::pair<std::string, std::string>> headers{
      {"Authorization", token},
      {"X-Bz-File-Name", percent_encode(name, true)},
      {"Content-Type", "application/octet-stream"},
      {"X-Bz-Content-Sha1", sha1}};
  if (lock) {
    const auto until = std::chrono::milliseconds(lock->until.time_since_epoch()).count();
    const bool compliance = lock->mode == ObjectLock::Mode::compliance;
    headers.emplace_back("X-Bz-File-Retention-Mode", compliance ? "compliance" : "governance");
    headers.emplace_back("X-Bz-File-Retention-Retain-Until-Timestamp", std::to_string(until));
  }
  return headers;
}

bool is_receipt(const json& answer, const std::string& name, std::uint64_t size,
                const std::string& sha1) {
  return text_of(answer, "fileName") == name && number_of(answer, "contentLength") == size &&
         text_of(answer, "contentSha1") == sha1 && !text_of(answer, "fileId").empty();
}

}  // namespace

B2Uploads::Place B2Uploads::take() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      Place place = std::move(idle_.back());
      idle_.pop_back();
      return place;
    }
  }
  const json answer =
      session_.call("b2_get_upload_url", {{"bucketId", session_.account()->bucket_id}},
                    "the preparation of an upload");
  Place place{text_of(answer, "uploadUrl"), text_of(answer, "authorizationToken")};
  session_.check_place(place.url, place.token);
  return place;
}

void B2Uploads::give_back(Place place) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(place));
}

void B2Uploads::put(const std::string& name, std::span<const std::byte> data,
                    const std::string& sha1, const std::optional<ObjectLock>& lock) {
  const std::string doing = "the upload of " + name;
  Retry retry = session_.retry();
  bool maybe_kept = false;  // by an attempt whose answer did not come
  bool first_failure = true;
  for (;;) {
    Place place = take();
    std::string reason;
    std::optional<std::chrono::seconds> pause;
    bool busy = false;
    try {
      const HttpResponse response =
          session_.send({.method = "POST",
                         .url = place.url,
                         .headers = headers_for(name, place.token, sha1, lock),
                         .body = data});
      const auto answer = read_object(response);
      if (response.status == 200 && answer && is_receipt(*answer, name, data.size(), sha1)) {
        give_back(std::move(place));
        if (maybe_kept) tidy(name, text_of(*answer, "fileId"), sha1);
        return;
      }
      if (response.status == 200) {
        maybe_kept = true;
        reason = answer ? "the receipt names another content" : "the receipt is unreadable";
      } else {
        const B2Refusal refusal = read_refusal(response);
        if (refusal.status == 429) {  // not the URL's fault
          give_back(std::move(place));
          busy = true;
        } else if (!refusal.token_expired() && !refusal.passing() &&
                   refusal.code != "auth_token_limit") {
          throw_refusal(refusal, doing, session_.description());
        }
        maybe_kept = maybe_kept || refusal.status >= 500;
        pause = retry_after(response);
        reason = refusal.text();
      }
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::unavailable ||
          dynamic_cast<const B2Error*>(&error) != nullptr) {
        throw;
      }
      maybe_kept = true;
      reason = error.what();
    }
    // A failed upload says "another place, please", so the first new one is asked for at once.
    const bool at_once = first_failure && !busy && !pause;
    first_failure = false;
    if (!(at_once ? retry.again_at_once() : retry.again(pause))) session_.give_up(doing, reason);
  }
}

void B2Uploads::tidy(const std::string& name, const std::string& kept_id, const std::string& sha1) {
  const auto account = session_.account();
  if (!account->can("deleteFiles") || !account->can("listFiles")) return;
  // An extra version costs a little storage and is no fault: this is not worth any waiting.
  constexpr RetryPolicy kOnce{.attempts = 1};
  try {
    const json answer = session_.call("b2_list_file_versions",
                                      {{"bucketId", account->bucket_id},
                                       {"prefix", name},
                                       {"startFileName", name},
                                       {"maxFileCount", 10}},
                                      "a listing", kOnce);
    for (const json& file : array_of(answer, "files")) {
      if (!file.is_object() || text_of(file, "fileName") != name) continue;
      const std::string id = text_of(file, "fileId");
      if (text_of(file, "action") != "upload" || id == kept_id ||
          sha1_of(text_of(file, "contentSha1")) != sha1) {
        continue;
      }
      session_.call("b2_delete_file_version", {{"fileName", name}, {"fileId", id}}, "tidying",
                    kOnce);
    }
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::interrupted) throw;
  }
}

}  // namespace rota::store
