#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "base/time.h"
#include "store/credentials.h"
#include "store/http.h"
#include "store/retry.h"
#include "store/s3_error.h"
#include "store/s3_place.h"

namespace rota::store {

/// One request for a bucket or an object in it.
struct S3Call {
  std::string method;
  std::string key{};  ///< "" for the bucket
  NameValues query{};
  NameValues headers{};
  std::span<const std::byte> body{};
  std::uint64_t max_response = kMaxS3Answer;
  S3Attempt attempt{};
  int also = 0;  ///< one more status that is no failure but the answer, such as 416
  /// The answer's body is an object's content; else `<Error>` in it counts, whatever the status is.
  bool content = false;
  /// False for a successful answer that is not what it should be; asked for again twice, then it is
  /// returned all the same. Nothing: every one is.
  std::function<bool(const HttpResponse&)> good{};
};

/// Sends signed requests to the store of one bucket, and again where the store asks for that.
/// Follows the bucket to its region, and corrects the clock by the store's where they differ too
/// much. May be used from several threads at once.
class S3Client {
 public:
  /// http, clock: outlive it.
  S3Client(S3Place place, Credentials credentials, HttpClient& http, base::Clock& clock,
           std::stop_token stop = {}, const RetryPolicy& policy = {});

  /// A successful answer. Throws s3_refusal() of any other, and Error(unavailable) when there is
  /// none after all attempts.
  HttpResponse call(const S3Call& call);

  /// The store's time, as its last answer had it; nothing before the first one.
  std::optional<base::Instant> store_time() const;

 private:
  struct Attempts;
  /// One exchange: nothing when it is to be done again.
  std::optional<HttpResponse> attempt(const S3Call& call, const std::string& payload_hash,
                                      Attempts& attempts);
  HttpRequest signed_request(const S3Call& call, const S3Place& place,
                             const std::string& payload_hash) const;
  /// Where the answer was a reference to another place, or a wrong clock, that is noted: true.
  bool correct(const S3Place& place, const HttpResponse& response, const S3Error& error,
               Attempts& attempts);
  void note_time(const HttpResponse& response);
  S3Place place() const;

  Credentials credentials_;
  HttpClient& http_;
  base::Clock& clock_;
  std::stop_token stop_;
  RetryPolicy policy_;
  mutable std::mutex mutex_;
  S3Place place_;                                   ///< under mutex_
  std::optional<std::chrono::seconds> difference_;  ///< store's clock - ours; under mutex_
  std::chrono::seconds correction_{0};              ///< for signatures; under mutex_
};

}  // namespace rota::store
