#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>

namespace rota::store {

/// A token bucket: how long each of several transfers has to wait so that all together stay below
/// a rate. It holds a quarter of a second's worth, so that a pause is not made up for by a burst.
class RateLimit {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// rate: bytes a second; 0: no limit.
  explicit RateLimit(std::uint64_t rate) : rate_(rate) {}

  /// Takes `bytes` from the bucket. Returns how long the caller waits before it moves them.
  std::chrono::milliseconds take(std::uint64_t bytes, Time now);

  /// The most that one call should take, so that no wait is longer than about a tenth of a second.
  std::uint64_t piece() const;

  bool limited() const { return rate_ != 0; }

 private:
  std::uint64_t rate_;
  std::mutex mutex_;
  Time free_at_{};  ///< when all that was taken has been moved
};

}  // namespace rota::store
