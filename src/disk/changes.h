#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tree/predecessor.h"

namespace rota::disk {

/// Entries of one sort: how many, their bytes, and the paths of the first.
struct Tally {
  static constexpr std::size_t kExamples = 50;
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;
  std::vector<std::string> examples;  ///< raw bytes

  void add(const std::string& path, std::uint64_t size);
};

/// How a copy differs from the one before it: what tripwires are judged by (by somebody else).
/// Everything but directories is counted, each name of a hard-linked file for itself.
struct ChangeSummary {
  std::string predecessor;  ///< the snapshot that it is held against; empty: there is none
  std::uint64_t entries_before = 0;
  std::uint64_t bytes_before = 0;
  std::uint64_t entries_now = 0;
  std::uint64_t bytes_now = 0;
  Tally same;     ///< content and metadata
  Tally touched;  ///< the same content, other metadata
  Tally changed;  ///< other content, or another kind; bytes: as they are now
  Tally added;
  Tally removed;
  /// Of the changed files of at least NoiseMeter::kLeast bytes, then and now, those that did not
  /// look like noise before, and of these the ones that do now: the mark of encryption.
  std::uint64_t plain_before = 0;
  Tally became_noise;
  /// Extensions of the added files ("locked", without the dot), with how often each; those beyond
  /// kExtensions different ones are left out.
  static constexpr std::size_t kExtensions = 1000;
  std::map<std::string, std::uint64_t> added_extensions;
};

/// Makes a ChangeSummary of entries as they come, in any order.
class ChangeCounter {
 public:
  void set_predecessor(std::string snapshot) { summary_.predecessor = std::move(snapshot); }
  void now(const tree::Placed& placed);
  void gone(const tree::Entry& entry);
  const ChangeSummary& summary() const { return summary_; }

 private:
  ChangeSummary summary_;
};

}  // namespace rota::disk
