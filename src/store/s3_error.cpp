#include "store/s3_error.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace rota::store {

namespace {

using base::ErrorKind;

struct Meaning {
  std::string_view code;
  ErrorKind kind;
  std::string_view words;  ///< {} is the permission that is needed
};

constexpr std::string_view kNoBucket =
    "the store has no bucket of this name; see that the target, s3.endpoint and s3.region are "
    "right, "
    "or make the bucket";
constexpr std::string_view kUnknownKey =
    "the store does not know the access key; see that key_id in the credentials file is right, "
    "that "
    "the key still exists, and that s3.endpoint is the store where it was made";
constexpr std::string_view kWrongSignature =
    "the store does not accept the signature; see that `key` in the credentials file is the secret "
    "of key_id, without a blank too many, and that s3.region is right";
constexpr std::string_view kDenied =
    "the store denies it; give the key the permission {}, or see what else the bucket's policy or "
    "a "
    "lock forbids";
constexpr std::string_view kClock =
    "the store's clock and this machine's differ too much; set this machine's clock";
constexpr std::string_view kRegion =
    "the bucket is in another region; set s3.region to the region that the provider shows for it";
constexpr std::string_view kAbroad =
    "the store refers to another server, which is not of the same provider or not new; set "
    "s3.endpoint and s3.region to what the provider shows for the bucket";
constexpr std::string_view kQuota =
    "the account or the bucket may hold no more; raise its limit or remove something";
constexpr std::string_view kAccount =
    "the provider has closed or restricted the account; see its web page or ask its support";

constexpr std::string_view kNoLock =
    "the bucket was made without Object Lock; make a new one with it, or take the lock out of the "
    "profile";

constexpr auto kMeanings = std::to_array<Meaning>({
    {"NoSuchKey", ErrorKind::not_found, "there is no such object"},
    {"NoSuchVersion", ErrorKind::not_found, "there is no such version of the object"},
    {"NoSuchBucket", ErrorKind::config, kNoBucket},
    {"InvalidBucketName", ErrorKind::config, kNoBucket},
    {"InvalidAccessKeyId", ErrorKind::refused, kUnknownKey},
    {"InvalidSecurity", ErrorKind::refused, kUnknownKey},
    {"InvalidToken", ErrorKind::refused, kUnknownKey},
    {"ExpiredToken", ErrorKind::refused, kUnknownKey},
    {"SignatureDoesNotMatch", ErrorKind::refused, kWrongSignature},
    {"RequestTimeTooSkewed", ErrorKind::refused, kClock},
    {"AccessDenied", ErrorKind::refused, kDenied},
    {"AllAccessDisabled", ErrorKind::refused, kAccount},
    {"AccountProblem", ErrorKind::refused, kAccount},
    {"UnauthorizedAccess", ErrorKind::refused, kAccount},
    {"QuotaExceeded", ErrorKind::refused, kQuota},
    {"XMinioStorageFull", ErrorKind::refused, kQuota},
    {"XMinioAdminBucketQuotaExceeded", ErrorKind::refused, kQuota},
    {"ServiceQuotaExceededException", ErrorKind::refused, kQuota},
    {"AuthorizationHeaderMalformed", ErrorKind::config, kRegion},
    {"PermanentRedirect", ErrorKind::config, kAbroad},
    {"TemporaryRedirect", ErrorKind::config, kAbroad},
    {"Redirect", ErrorKind::config, kAbroad},
    {"NotImplemented", ErrorKind::config, "the store cannot do this"},
    {"ObjectLockConfigurationNotFoundError", ErrorKind::config, kNoLock},
    {"InvalidBucketState", ErrorKind::config, kNoLock},
});

constexpr auto kTransientCodes = std::to_array<std::string_view>(
    {"SlowDown", "SlowDownRead", "SlowDownWrite", "InternalError", "ServiceUnavailable",
     "RequestTimeout", "OperationAborted", "ConditionalRequestConflict", "TooManyRequests",
     "Throttling", "ThrottlingException", "BandwidthLimitExceeded", "BadDigest",
     "XAmzContentSHA256Mismatch", "IncompleteBody"});

/// The store's own words, for what rota has none for.
std::string own_words(int status, const S3Error& error) {
  if (error.code.empty()) return fmt::format("status {}", status);
  std::string words = base::printable(error.code.substr(0, 60));
  if (!error.message.empty()) words += ", " + base::printable(error.message.substr(0, 200));
  while (words.ends_with('.')) words.pop_back();
  return words;
}

bool contains_lower(std::string text, std::string_view part) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text.find(part) != std::string::npos;
}

struct Reason {
  ErrorKind kind;
  std::string words;
};

Reason reason_of(const std::string& action, int status, const S3Error& error) {
  if (is_transient(status, error.code)) {
    return {ErrorKind::unavailable,
            fmt::format("the store does not do it now ({}); try again later",
                        own_words(status, error))};
  }
  if (error.code.empty() && (status == 401 || status == 403)) {
    return {ErrorKind::refused, fmt::format(fmt::runtime(kDenied), action)};
  }
  if (error.code.empty()) {
    return {ErrorKind::config,
            fmt::format("what answers there is no S3 store (status {}); see that s3.endpoint is "
                        "right and that no proxy is in between",
                        status)};
  }
  const auto* known = std::ranges::find(kMeanings, error.code, &Meaning::code);
  if (known == kMeanings.end()) {
    return {status == 403 ? ErrorKind::refused : ErrorKind::io,
            fmt::format("the store refuses it ({})", own_words(status, error))};
  }
  std::string words = fmt::format(fmt::runtime(known->words), action);
  // "Access Denied" says nothing new; "… protected by object lock" does.
  if (known->kind == ErrorKind::refused && error.message.size() > 20) {
    words += fmt::format(" ({})", base::printable(error.message.substr(0, 200)));
  }
  return {known->kind, words};
}

}  // namespace

bool is_transient(int status, std::string_view code) {
  if (std::ranges::find(kTransientCodes, code) != kTransientCodes.end()) return true;
  switch (status) {
    case 408:  // Request Timeout
    case 429:  // Too Many Requests
    case 500:
    case 502:
    case 503:
    case 504:
      return true;
    default:
      return false;
  }
}

bool S3Refusal::denied() const {
  if (status_ != 403 && status_ != 401) return false;
  return error_.code.empty() || error_.code == "AccessDenied" ||
         std::ranges::find(kMeanings, error_.code, &Meaning::code) == kMeanings.end();
}

bool S3Refusal::locked() const {
  // Amazon: "… because object protected by object lock."; MinIO: "Object is WORM protected …".
  return contains_lower(error_.message, "object lock") || contains_lower(error_.message, "worm") ||
         error_.code == "ObjectLocked";
}

S3Refusal s3_refusal(const S3Attempt& attempt, int status, const S3Error& error) {
  const Reason reason = reason_of(attempt.action, status, error);
  return {reason.kind, fmt::format("{}: {}", attempt.doing, reason.words), status, error};
}

}  // namespace rota::store
