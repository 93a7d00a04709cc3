#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"

namespace rota::store {

using NameValues = std::vector<std::pair<std::string, std::string>>;

/// A request to an S3 store as it will be sent, before it is signed. Path and query are raw here;
/// what goes over the wire must be exactly s3_path() and s3_query() of them.
struct S3Request {
  std::string method;
  std::string host;  ///< as in the Host header: with ":port" where the port is not the scheme's own
  std::string path;  ///< "/", "/key", "/bucket/key"
  NameValues query;  ///< in any order; "" for a name without a value
  NameValues headers;        ///< to be sent and signed; names in any case, each once
  std::string payload_hash;  ///< SHA-256 of the body in hexadecimal
};

/// Who signs. The secret never leaves this machine.
struct S3Key {
  std::string id;
  std::string secret;
};

/// The SHA-256 of nothing, in hexadecimal: payload_hash of a request without a body.
inline constexpr std::string_view kEmptyPayload =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// All headers that the signed request must carry, but Host: those of `request`, and
/// x-amz-content-sha256, x-amz-date and Authorization.
///
/// region: as the store knows it ("us-east-1"). time: the store's; it refuses a signature that is
/// more than 15 minutes off. Pure.
/// Source: AWS, "Authenticating Requests: Using the Authorization Header (Signature Version 4)".
/// S3 encodes the path once, where AWS's other services encode it twice. libcurl 7.88's own signer
/// is not used because it neither sorts the query nor sends the payload hash.
NameValues s3_signed_headers(const S3Request& request, const S3Key& key, std::string_view region,
                             base::Instant time);

/// "/bucket/a%20b": every byte but letters, digits and - . _ ~ / as %XX. Nothing is normalised.
std::string s3_path(std::string_view raw);
/// "a=1&b=%2F", sorted by encoded name; "" for no query. A name without a value is "name=".
std::string s3_query(const NameValues& query);

}  // namespace rota::store
