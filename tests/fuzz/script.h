#pragma once

#include <cstdint>
#include <vector>

#include "chain/delta.h"
#include "fuzz/fuzz.h"

namespace rota::fuzz {

/// Applies what a delta says to the old bytes; without them it only counts.
class Script final : public chain::DeltaSink {
 public:
  explicit Script(std::uint64_t old_size, std::span<const std::byte> old = {})
      : old_size_(old_size), old_(old) {}

  void copy(std::uint64_t offset, std::uint64_t length) override {
    require(length > 0 && offset <= old_size_ && length <= old_size_ - offset,
            "a copy lies within the old bytes");
    total += length;
    steps.push_back({offset, length});
    if (old_.empty()) return;
    const auto part = old_.subspan(offset, length);
    made.insert(made.end(), part.begin(), part.end());
  }
  void literal(std::span<const std::byte> data) override {
    require(!data.empty(), "literals are not empty");
    total += data.size();
    made.insert(made.end(), data.begin(), data.end());
    steps.push_back({});  // where literals stand between the copies
    if (steps.size() > 1 && steps[steps.size() - 2] == Step{}) steps.pop_back();
  }

  struct Step {
    std::uint64_t offset = 0;
    std::uint64_t length = 0;  ///< 0: literals
    friend bool operator==(const Step&, const Step&) = default;
  };
  std::uint64_t total = 0;
  base::Bytes made;
  std::vector<Step> steps;

 private:
  std::uint64_t old_size_;
  std::span<const std::byte> old_;
};

}  // namespace rota::fuzz
