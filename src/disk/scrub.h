#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/progress.h"
#include "base/time.h"
#include "disk/check_result.h"

namespace rota::disk {

/// The inodes that the copy of one time wrote, wherever they are still linked.
struct ScrubGroup {
  base::Instant born{};
  base::Instant read{};  ///< the start of the last pass over all of them, or the copy's own check
  std::optional<base::Instant> pass;  ///< the start of the pass that is under way
  std::string position;               ///< the last path that this pass has read
};

/// How far re-reading has come on a disk, kept there as rota/<server>/scrub.json.
struct ScrubState {
  std::vector<ScrubGroup> groups;
};

/// An unreadable or foreign file counts as none. Groups are added for copies that have none yet (as
/// read when the copy was finished) and dropped when no copy links them any more.
ScrubState load_scrub_state(int root, const std::string& server);
void save_scrub_state(int root, const std::string& server, const ScrubState& state);

/// When the byte that nobody looked at for the longest time was read.
std::optional<base::Instant> oldest_read(const ScrubState& state);

struct ScrubResult {
  CheckResult check;
  bool all = false;  ///< everything was read again since `since`
  std::optional<base::Instant> oldest;
};

/// Reads inodes of sealed copies again, each once though many copies link to it, those that were
/// read least recently first, until `budget` is used up or all was read since `since`. Writes
/// nothing: the caller saves `state` when the disk is writable.
ScrubResult scrub(int root, const std::string& server, ScrubState& state,
                  std::chrono::seconds budget, base::Instant since, base::Clock& clock,
                  base::Progress& progress, const std::stop_token& stop);

}  // namespace rota::disk
