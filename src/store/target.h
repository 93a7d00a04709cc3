#pragma once

#include <string>
#include <string_view>

namespace rota::store {

/// A target as it may be shown: whatever can be a password, from the first ':' of the user part to
/// the last '@', becomes "***".
std::string without_password(std::string_view target);

/// "<scheme>://bucket/prefix", taken apart.
struct BucketTarget {
  std::string bucket;
  std::string
      prefix;  ///< "" or names joined by '/' with a '/' at the end: what stands before names

  /// "b2://bucket/prefix".
  std::string description(std::string_view scheme) const;
};

/// scheme: "b2" or "s3", with which `target` begins. Throws Error(config), showing the right form
/// and no password, for anything that is not a bucket and a prefix made as check_name() asks.
BucketTarget parse_bucket_target(std::string_view scheme, std::string_view target);

}  // namespace rota::store
