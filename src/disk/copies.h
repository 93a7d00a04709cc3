#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/progress.h"
#include "disk/copy_names.h"
#include "disk/copy_record.h"

namespace rota::disk {

/// A directory of a copy as it lies on a disk.
struct CopyInfo {
  std::string server;
  std::string directory;  ///< its name, state included
  base::Instant time{};   ///< of the snapshot, by the name
  CopyState state = CopyState::sealed;
  std::optional<CopyRecord> record;  ///< COPY.json, where there is a sound one
  std::string problem;               ///< why there is none, for people; empty when there is one
  /// Written to its end: only verification and the seal are missing.
  bool complete() const { return state == CopyState::partial && record.has_value(); }
};

/// All copies below `root` (a disk's root directory, open), by server and time. Names that are no
/// copies are passed over. Throws FileError when a directory cannot be read.
std::vector<CopyInfo> list_copies(int root);

/// Those of one server; `directory` is rota/<server>, open.
std::vector<CopyInfo> list_copies(int directory, const std::string& server);

/// The newest sealed copy of a server, of a list.
std::optional<CopyInfo> newest_sealed(const std::vector<CopyInfo>& copies,
                                      const std::string& server);

/// Gives a complete partial copy its final name, durably: from now on it counts. Throws
/// Error(refused) when it is not complete or a sealed one of that time is there, FileError.
void seal(int root, const std::string& server, base::Instant snapshot);

/// Takes a copy's name away, durably: it is a leftover from now on, to be removed. Returns that
/// name.
std::string set_aside(int root, const std::string& server, const std::string& directory,
                      base::Progress& progress, const std::stop_token& stop);

/// Removes a copy. It loses its name first (it becomes a leftover), so that a sealed one that is
/// half gone is never met; interrupted, the next call goes on. Needs no room. Which copy may go is
/// not decided here.
void remove_copy(int root, const std::string& server, const std::string& directory,
                 base::Progress& progress, const std::stop_token& stop);

}  // namespace rota::disk
