#pragma once

#include <cstdint>
#include <stop_token>
#include <string>

#include "base/progress.h"
#include "disk/changes.h"
#include "tree/source.h"

namespace rota::disk {

/// What a stat walk tells before anything is written.
struct Survey {
  /// By metadata only: a file is `changed` when it does not look the same; touched stays 0.
  ChangeSummary changes;
  std::uint64_t entries = 0;
  /// The room that a copy will need on the disk, beyond what is there: files that are to be
  /// written, in whole blocks, directories, index and checksums. Not less than it will be, but for
  /// what changes until then.
  std::uint64_t bytes_needed = 0;
};

/// Walks the source and holds it against the newest sealed copy of the server and against what an
/// interrupted attempt left.
Survey survey(tree::Source& source, int root, const std::string& server, base::Progress& progress,
              const std::stop_token& stop);

}  // namespace rota::disk
