#pragma once

#include <chrono>
#include <optional>
#include <stop_token>

#include "base/time.h"
#include "store/http.h"

namespace rota::store {

/// How a client of an online store tries again. Backblaze asks for 1 s, doubling to 64 s, with
/// jitter, and for no call before Retry-After has passed; Amazon asks for much the same.
/// Source: backblaze.com/docs/cloud-storage-integration-checklist
struct RetryPolicy {
  int attempts = 8;
  std::chrono::milliseconds first{1000};
  std::chrono::milliseconds longest{64'000};
  /// A server that wants a longer pause is given up: a nightly run has no use for it.
  std::chrono::seconds longest_asked{900};
};

/// The attempts of one call.
class Retry {
 public:
  Retry(base::Clock& clock, std::stop_token stop, const RetryPolicy& policy = {})
      : clock_(clock), stop_(std::move(stop)), policy_(policy), delay_(policy.first) {}

  /// After an attempt that failed: waits, and says whether there is another one.
  ///
  /// asked: the server's Retry-After, if it sent one. It takes the place of the own delay, which
  /// begins anew. Throws Error(interrupted) when a stop was requested.
  bool again(std::optional<std::chrono::seconds> asked = std::nullopt);

  /// The same without waiting, for where another server will be asked.
  bool again_at_once();

 private:
  base::Clock& clock_;
  std::stop_token stop_;
  RetryPolicy policy_;
  std::chrono::milliseconds delay_;
  int failed_ = 0;
};

/// The Retry-After of an answer: seconds, or a date, which is compared with the answer's own Date.
std::optional<std::chrono::seconds> retry_after(const HttpResponse& response);

}  // namespace rota::store
