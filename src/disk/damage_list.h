#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <utility>

#include "disk/check_result.h"

namespace rota::disk {

/// The files of a server on a disk that are known to be damaged: rota/<server>/damaged, a line
/// each: the time of the copy that wrote the inode, and the path, escaped as in SHA256SUMS. A line
/// without a path stands for all that this copy wrote; the time 0 for all copies, until the next
/// one is complete, which links nothing of what is named.
///
/// Memory: at most kMost lines; when there are more, the copies that they speak of are distrusted
/// as a whole.
class DamageList {
 public:
  static constexpr std::size_t kMost = 20'000;

  /// server: rota/<server>, open. An absent list is empty; of a damaged one every line that can be
  /// read counts.
  static DamageList load(int server);
  void save(int server) const;

  void add(std::int64_t born, const std::string& path);
  /// What a check found; when that was more than its result could hold, all that is spoken of.
  void add(const CheckResult& result);
  /// Everything that the copy wrote.
  void add_all(std::int64_t born);
  /// What the copy wrote is there no more. True when there was anything.
  bool forget(std::int64_t born);
  bool contains(std::int64_t born, const std::string& path) const;
  bool empty() const { return files_.empty() && all_.empty(); }

 private:
  std::set<std::pair<std::int64_t, std::string>> files_;
  std::set<std::int64_t> all_;
};

}  // namespace rota::disk
