#pragma once

#include <string>

#include "base/file.h"
#include "base/progress.h"

namespace rota::recovery {

/// A new directory for one drill, for its owner only, which is removed at the end: what is restored
/// into it may be anybody's secrets.
///
/// It holds a CACHEDIR.TAG, so that a backup that runs meanwhile leaves it out. One that was left
/// behind (the power went, the process was killed) is removed by the next drill in the same place:
/// nobody holds its lock any more.
class DrillScratch {
 public:
  /// place: an existing directory; nobody but its owner and root may be able to exchange what is in
  /// it. keep: it stays, under another name, that no drill removes. Throws Error(config) for a
  /// place that cannot be used, FileError.
  DrillScratch(const std::string& place, bool keep, base::Progress& progress,
               base::Warnings& warnings);
  DrillScratch(const DrillScratch&) = delete;
  DrillScratch& operator=(const DrillScratch&) = delete;
  ~DrillScratch();

  /// Where to restore to; absent at first.
  std::string tree() const { return path_ + "/tree"; }
  const std::string& path() const { return path_; }

  /// Throws Error(refused), with what to do, unless so much fits there: bytes of files and the room
  /// that names take. files: entries of all kinds.
  void require_room(std::uint64_t bytes, std::uint64_t files, bool sample) const;

  /// Removes it, but for one that is kept. A failure is a warning, which names what is left. The
  /// destructor does it when nobody did, and warns of what was kept.
  void remove();

 private:
  void remove_left_behind();

  std::string place_;
  std::string path_;
  base::Progress& progress_;
  base::Warnings& warnings_;
  base::Fd place_fd_;
  base::Fd fd_;  ///< locked as long as the drill lasts
  std::string name_;
  bool keep_;
  bool done_ = false;
};

}  // namespace rota::recovery
