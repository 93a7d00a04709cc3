#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The XML answers of S3 stores, read from bytes that nobody vouches for. Every function gives
// nothing for what is not the answer that it reads: no XML (a proxy's page), another root, a number
// that is none, too large or too deep. A document type is refused, so that no entity can be
// declared.

namespace rota::store {

/// No answer that rota asks for is larger: 1,000 versions with the longest names are under 2 MB.
inline constexpr std::size_t kMaxS3Answer = 4 << 20;

/// `<Error>`. Fields that are absent are "".
struct S3Error {
  std::string code;      ///< "SlowDown"
  std::string message;   ///< the store's words; may hold anything
  std::string region;    ///< which region to sign for, where the store tells
  std::string endpoint;  ///< which host to ask instead
};

struct S3Object {
  std::string key;
  std::uint64_t size = 0;
  std::string md5;  ///< in lower-case hexadecimal, where the ETag is one
};

/// `<ListBucketResult>` of ListObjectsV2.
struct S3Listing {
  std::vector<S3Object> objects;
  bool truncated = false;
  std::string next_token;  ///< "" when there is none
};

/// One row of `<ListVersionsResult>`: a version of an object, or a marker that it was deleted.
struct S3Version {
  S3Object object;  ///< of a marker only the key
  std::string id;
  std::chrono::sys_time<std::chrono::milliseconds> modified;
  bool latest = false;
  bool marker = false;
};

struct S3Versions {
  std::vector<S3Version> versions;  ///< in the order of the answer
  bool truncated = false;
  std::string next_key;
  std::string next_id;
};

/// One `<Upload>` of `<ListMultipartUploadsResult>`: begun, and not finished.
struct S3Upload {
  std::string key;
  std::string id;
  std::chrono::sys_time<std::chrono::milliseconds> initiated;
};

struct S3Uploads {
  std::vector<S3Upload> uploads;
  bool truncated = false;
  std::string next_key;
  std::string next_id;
};

/// A bucket's `<ObjectLockConfiguration>`.
struct S3BucketLock {
  bool enabled = false;
  std::string mode;  ///< of the default retention: "GOVERNANCE", "COMPLIANCE" or ""
  int days = 0;      ///< of the default retention; years are 365 days
};

/// One `<Rule>` of a bucket's `<LifecycleConfiguration>`, in so far as it deletes.
struct S3LifecycleRule {
  bool enabled = false;
  std::string prefix;
  std::optional<int> expire_days;             ///< current versions
  std::optional<int> expire_noncurrent_days;  ///< versions that were overwritten or deleted
};

std::optional<S3Error> read_s3_error(std::string_view xml);
std::optional<S3Listing> read_s3_listing(std::string_view xml);
std::optional<S3Versions> read_s3_versions(std::string_view xml);
std::optional<S3Uploads> read_s3_uploads(std::string_view xml);
/// `<VersioningConfiguration>`: "Enabled", "Suspended", "" for never enabled.
std::optional<std::string> read_s3_versioning(std::string_view xml);
/// `<LocationConstraint>`: the bucket's region; AWS's first one, us-east-1, is written as "".
std::optional<std::string> read_s3_location(std::string_view xml);
std::optional<S3BucketLock> read_s3_bucket_lock(std::string_view xml);
std::optional<std::vector<S3LifecycleRule>> read_s3_lifecycle(std::string_view xml);

/// The MD5 that an ETag is: 32 hexadecimal digits, with or without quotes, in lower case; "" for
/// any other, such as the "…-N" of an object that was uploaded in parts.
std::string md5_of_etag(std::string_view etag);

}  // namespace rota::store
