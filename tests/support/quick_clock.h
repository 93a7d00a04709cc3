#pragma once

#include <functional>
#include <mutex>
#include <vector>

#include "base/time.h"

namespace rota::test {

/// A clock on which a pause takes no time: it moves on by the pause, and remembers it.
class QuickClock final : public base::Clock {
 public:
  explicit QuickClock(base::Instant start = base::Instant(std::chrono::seconds(1'800'000'000)))
      : now_(start) {}

  base::Instant now() override {
    const std::lock_guard lock(mutex_);
    return std::chrono::floor<std::chrono::seconds>(now_);
  }
  void sleep(std::chrono::milliseconds duration, const std::stop_token&) override {
    {
      const std::lock_guard lock(mutex_);
      now_ += duration;
      pauses_.push_back(duration);
    }
    if (when_slept) when_slept();
  }
  std::vector<std::chrono::milliseconds> pauses() const {
    const std::lock_guard lock(mutex_);
    return pauses_;
  }
  std::chrono::milliseconds slept() const {
    std::chrono::milliseconds sum{0};
    for (const auto pause : pauses()) sum += pause;
    return sum;
  }
  std::function<void()> when_slept;  ///< what happens meanwhile

 private:
  mutable std::mutex mutex_;
  std::chrono::sys_time<std::chrono::milliseconds> now_;
  std::vector<std::chrono::milliseconds> pauses_;
};

}  // namespace rota::test
