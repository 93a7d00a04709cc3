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

/// The inodes that a sealed copy has and no older one on the disk: each inode belongs to one group.
struct ScrubGroup {
  base::Instant copy{};               ///< the snapshot
  base::Instant read{};               ///< none of its bytes was read longer ago
  std::optional<base::Instant> pass;  ///< the start of the pass that is under way
  std::string position;               ///< the last path that this pass has read
};

/// How far re-reading has come on a disk, kept there as rota/<server>/scrub.json.
struct ScrubState {
  std::vector<ScrubGroup> groups;  ///< oldest copy first
};

/// An unreadable file counts as none. A sealed copy that has no group yet gets one, as read when it
/// was written (it was read back before the seal); the group of a copy that is gone goes over to
/// the next newer copy, whose inodes the rest of it are now.
ScrubState load_scrub_state(int root, const std::string& server);
void save_scrub_state(int root, const std::string& server, const ScrubState& state);

/// When the byte was read that nobody looked at for the longest time; nothing without copies.
std::optional<base::Instant> oldest_read(const ScrubState& state);

/// For fuzzing and the two above. Throws Error(corrupt).
ScrubState parse_scrub_state(std::string_view text);
std::string to_json(const ScrubState& state);

struct ScrubResult {
  CheckResult check;  ///< without metadata
  bool all = false;   ///< everything was read since `since`
  std::optional<base::Instant> oldest;
};

/// Reads inodes of sealed copies again, each once though many copies link to it, those that were
/// read least recently first, until `budget` is used up or all was read behind `since`. Writes
/// nothing: the caller saves `state`, and notes damage (note_damage), when the disk is writable.
///
/// A damaged index is told of in the result as damage of "index"; the rest goes on.
ScrubResult scrub(int root, const std::string& server, ScrubState& state,
                  std::chrono::seconds budget, base::Instant since, base::Clock& clock,
                  base::Progress& progress, const std::stop_token& stop);

}  // namespace rota::disk
