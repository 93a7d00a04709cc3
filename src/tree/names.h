#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace rota::tree {

/// The names in one directory, sorted bytewise, in bounded memory.
///
/// At most kMost names are held (24 bytes each on average, twice that while reading: 6 MB). A
/// directory with more is read again from the start for the next names in order, so that its size
/// costs time and never memory.
class DirectoryNames {
 public:
  static constexpr std::size_t kMost = 128 * 1024;

  /// most: for tests; kMost otherwise.
  explicit DirectoryNames(std::size_t most = kMost) : most_(most) {}

  /// Reads the smallest names that sort behind those already given. Returns an errno, 0 for
  /// success.
  int fill(int directory);

  /// The next name; null when this batch is used up: then ask more() and fill() again.
  const char* next() { return at_ < offsets_.size() ? arena_.data() + offsets_[at_++] : nullptr; }
  bool more() const { return more_; }

  /// True when this batch, just filled, holds `name`.
  bool contains(const char* name) const;

 private:
  void keep_smallest();

  std::size_t most_;
  std::string arena_;  ///< names, each with its NUL
  std::vector<std::uint32_t> offsets_;
  std::size_t at_ = 0;
  std::string last_;  ///< the greatest name of the batches before
  bool more_ = false;
};

}  // namespace rota::tree
