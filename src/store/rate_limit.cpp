#include "store/rate_limit.h"

#include <algorithm>

namespace rota::store {

std::chrono::milliseconds RateLimit::take(std::uint64_t bytes, Time now) {
  using namespace std::chrono;
  if (rate_ == 0) return milliseconds(0);
  const nanoseconds needed(
      static_cast<std::int64_t>(static_cast<double>(bytes) / static_cast<double>(rate_) * 1e9));
  const std::lock_guard lock(mutex_);
  free_at_ = std::max(free_at_, now - milliseconds(250)) + needed;
  return free_at_ > now ? ceil<milliseconds>(free_at_ - now) : milliseconds(0);
}

std::uint64_t RateLimit::piece() const {
  return rate_ == 0 ? UINT64_MAX : std::max<std::uint64_t>(1024, rate_ / 10);
}

}  // namespace rota::store
