#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "base/progress.h"
#include "disk/changes.h"
#include "tree/source.h"

namespace rota::disk {

/// Changed files that are looked into before anything makes room for a copy: all, or kMost of them,
/// each with the same chance.
struct Sample {
  static constexpr std::size_t kMost = 200;
  static constexpr std::size_t kBytes = 1 << 20;  ///< of the beginning of each

  struct File {
    tree::Entry entry;
    std::uint64_t size_before = 0;
    bool noise_before = false;
  };
  std::vector<File> files;
  std::uint64_t of = 0;  ///< so many there are to draw from

  // By read_sample():
  std::uint64_t looked_at = 0;
  std::uint64_t same = 0;   ///< as long as before, and they begin with the same bytes
  std::uint64_t plain = 0;  ///< as ChangeSummary::plain_before
  Tally became_noise;
};

/// What a stat walk tells before anything is written.
struct Survey {
  /// By metadata only: a file is `changed` when it does not look the same; touched stays 0.
  ChangeSummary changes;
  std::uint64_t entries = 0;
  /// The room that a copy will need on the disk, beyond what is there: files that are to be
  /// written, in whole blocks, directories, index and checksums. Not less than it will be, but for
  /// what changes until then.
  std::uint64_t bytes_needed = 0;
  Sample sample;
};

/// Walks the source and holds it against the newest sealed copy of the server and against what an
/// interrupted attempt left.
Survey survey(tree::Source& source, int root, const std::string& server, base::Progress& progress,
              const std::stop_token& stop);

/// Looks into the files of `sample`, in the source and in the newest sealed copy, by which a stat
/// walk's guess becomes an estimate. source: one that has walked to its end. Memory: 2 × kBytes.
void read_sample(tree::Source& source, int root, const std::string& server, Sample& sample,
                 const std::stop_token& stop);

/// What the full comparison will probably say: what the stat walk takes for changed, as far as the
/// sample found it to be. Without a sample all of it counts as changed. Pure.
ChangeSummary estimate(const Survey& survey);

}  // namespace rota::disk
