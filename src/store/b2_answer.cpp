#include "store/b2_answer.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"

namespace rota::store {

using base::ErrorKind;
using nlohmann::json;

namespace {

constexpr std::size_t kMaxMessage = 300;

ErrorKind kind_of(const B2Refusal& refusal) {
  if (refusal.cap_exceeded() || refusal.passing()) return ErrorKind::unavailable;
  if (refusal.status == 401 || refusal.status == 403) return ErrorKind::refused;
  if (refusal.status == 404) return ErrorKind::not_found;
  if (refusal.code == "bucket_missing_file_lock") return ErrorKind::config;
  return ErrorKind::io;
}

std::string advice(const B2Refusal& refusal) {
  if (refusal.cap_exceeded()) {
    return "a cap of the account is reached: raise it at \"Caps & Alerts\" in the account, or wait "
           "until the next day begins (00:00 UTC)";
  }
  if (refusal.code == "unauthorized") {
    return "the access key has not the right to do this (its capabilities, bucket or name prefix): "
           "make a key that has";
  }
  if (refusal.code == "access_denied") return "an object lock or the key's rights forbid it";
  if (refusal.code == "unsupported")
    return "the access key cannot be used this way: make a new one";
  if (refusal.code == "bad_bucket_id" || refusal.code == "invalid_bucket_id") {
    return "the bucket does not exist (any more): look at the target in the profile";
  }
  if (refusal.code == "bucket_missing_file_lock") {
    return "the bucket has no Object Lock: switch it on in the bucket's settings, or remove the "
           "lock from the profile";
  }
  if (refusal.code == "retain_until_timestamp_must_be_in_future") {
    return "the lock would end in the past: look at this machine's clock";
  }
  return "";
}

}  // namespace

bool B2Refusal::token_expired() const {
  return status == 401 && (code == "expired_auth_token" || code == "bad_auth_token");
}

bool B2Refusal::cap_exceeded() const { return code.ends_with("cap_exceeded"); }

bool B2Refusal::passing() const {
  if (cap_exceeded()) return false;
  return status == 408 || status == 429 || status >= 500;
}

std::string B2Refusal::text() const {
  std::string out = std::to_string(status);
  if (!code.empty()) out += " " + base::printable(code);
  if (!message.empty()) out += " (" + message + ")";
  return out;
}

B2Refusal read_refusal(const HttpResponse& response) {
  B2Refusal refusal;
  refusal.status = response.status;
  const auto object = read_object(response);
  if (!object) return refusal;
  refusal.code = text_of(*object, "code").substr(0, kMaxMessage);
  refusal.message = base::printable(text_of(*object, "message").substr(0, kMaxMessage));
  return refusal;
}

void throw_refusal(const B2Refusal& refusal, const std::string& doing, const std::string& store) {
  const std::string what = advice(refusal);
  throw B2Error(kind_of(refusal),
                fmt::format("{} in the store {} was refused: {}{}{}", doing, store, refusal.text(),
                            what.empty() ? "" : "; ", what),
                refusal);
}

std::optional<json> read_object(const HttpResponse& response) {
  if (response.cut) return std::nullopt;
  const std::string_view text = base::as_text(response.body);
  json value = json::parse(text.begin(), text.end(), nullptr, false);
  if (!value.is_object()) return std::nullopt;
  return value;
}

std::string text_of(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::optional<std::uint64_t> number_of(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_unsigned()) return std::nullopt;
  return found->get<std::uint64_t>();
}

const json& object_of(const json& object, const char* key) {
  static const json none = json::object();
  const auto found = object.find(key);
  return found != object.end() && found->is_object() ? *found : none;
}

const json& array_of(const json& object, const char* key) {
  static const json none = json::array();
  const auto found = object.find(key);
  return found != object.end() && found->is_array() ? *found : none;
}

std::string sha1_of(std::string_view content_sha1) {
  const bool hash = content_sha1.size() == 40 && std::ranges::all_of(content_sha1, [](char c) {
                      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
                    });
  return hash ? std::string(content_sha1) : std::string();
}

}  // namespace rota::store
