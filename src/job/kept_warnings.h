#pragma once

#include <string>
#include <vector>

#include "base/progress.h"

namespace rota::job {

/// Passes warnings on and keeps the first few, for those who are told of a job that nobody watched.
class KeptWarnings final : public base::Warnings {
 public:
  explicit KeptWarnings(base::Warnings& next) : next_(next) {}

  /// What comes from now on is kept.
  void forget() { first_.clear(); }
  /// "<path>: <message>", kMost at most.
  const std::vector<std::string>& first() const { return first_; }

  static constexpr std::size_t kMost = 3;

 protected:
  void show(const std::string& path, const std::string& message) override {
    if (first_.size() < kMost) first_.push_back(path + ": " + message);
    next_.warn(path, message);
  }

 private:
  base::Warnings& next_;
  std::vector<std::string> first_;
};

}  // namespace rota::job
