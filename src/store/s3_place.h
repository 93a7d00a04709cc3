#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "store/open.h"
#include "store/s3_sign.h"
#include "store/s3_xml.h"

namespace rota::store {

/// Where a bucket is reached: which host to ask, how to name the bucket there, and for which region
/// to sign.
struct S3Place {
  std::string bucket;
  std::string host;  ///< "s3.eu-central-1.amazonaws.com", "127.0.0.1:9000"; never the scheme's port
  std::string region;
  bool tls = true;
  bool path_style = true;  ///< "https://host/bucket/key" instead of "https://bucket.host/key"
  bool of_region = false;  ///< `host` is Amazon's for `region`, chosen by rota: it follows a region

  /// The Host header.
  std::string host_header() const;
  /// The raw path of an object, or with "" of the bucket itself.
  std::string path(const std::string& key) const;
  /// What is sent over the wire for it.
  std::string url(const std::string& key, const NameValues& query) const;
};

/// From a profile's settings. Without an endpoint it is Amazon's of the region, by default
/// us-east-1 (Amazon tells where the bucket really is); without a region, the one that stands in
/// the endpoint's name, where that has a known form. Without a word on path style, the bucket
/// stands in the host's name only on Amazon, and there only if it can.
///
/// Throws Error(config) for an endpoint or a region that cannot be one.
S3Place s3_place(const std::string& bucket, const StoreSettings::S3& settings);

/// The place that a store's answer refers to (301, 307, or a signature for the wrong region);
/// nothing when it names none, none that is new, or one that is not of the same provider: a store
/// must not send rota's data elsewhere, nor to a host without TLS.
///
/// told: its region and endpoint may be empty.
std::optional<S3Place> redirected(const S3Place& place, const S3Error& told);

}  // namespace rota::store
