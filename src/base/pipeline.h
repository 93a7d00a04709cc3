#pragma once

#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace rota::base {

/// Threads that work together and fail together.
///
/// The first exception of any stage is kept; every registered `abandon` is called, so that no
/// stage waits for ever; join() joins all threads and rethrows it. A destructor without join() does
/// the same and keeps silent: it is the way out of a failure in the owner itself.
class Pipeline {
 public:
  Pipeline() = default;
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;
  ~Pipeline() {
    abandon_all();
    threads_.clear();
  }

  /// How to wake whoever waits: usually Channel::abandon. Call before add().
  void on_failure(std::function<void()> abandon) { abandon_.push_back(std::move(abandon)); }

  /// Starts a stage.
  void add(std::function<void()> stage) {
    threads_.emplace_back([this, stage = std::move(stage)] { run(stage); });
  }

  /// Runs a stage on the calling thread, under the same rule.
  void run(const std::function<void()>& stage) {
    try {
      stage();
    } catch (...) {
      fail(std::current_exception());
    }
  }

  /// Waits for every stage. Rethrows the first failure.
  void join() {
    threads_.clear();  // jthread joins
    const std::lock_guard lock(mutex_);
    if (first_) std::rethrow_exception(first_);
  }

 private:
  void fail(std::exception_ptr error) {
    {
      const std::lock_guard lock(mutex_);
      if (!first_) first_ = std::move(error);
    }
    abandon_all();
  }
  void abandon_all() {
    for (const auto& abandon : abandon_) abandon();
  }

  std::mutex mutex_;
  std::exception_ptr first_;
  std::vector<std::function<void()>> abandon_;
  std::vector<std::jthread> threads_;
};

}  // namespace rota::base
