#include "disk/scrub.h"

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>

#include "base/error.h"
#include "disk/copies.h"
#include "disk/index_source.h"
#include "disk/read_back.h"
#include "disk/small_file.h"

namespace rota::disk {

using base::Error;

namespace {

/// One pass over a group, or a part of it.
class Pass {
 public:
  Pass(int copy, ScrubGroup& group, std::int64_t older, const std::string& shown)
      : group_(group),
        older_(older),
        index_(open_index(copy, CopyIndexReader::Extent::whole, shown)),
        position_(group.position) {}

  /// The next file that belongs to the group.
  bool next(Expected& expected) {
    CopyEntry line;
    while (index_.next(line)) {
      if (!line.entry.is_file()) continue;
      // An older copy on the disk has this inode too.
      if (line.born != 0 && line.born <= older_) continue;
      if (!position_.empty() && tree::compare_paths(line.entry.path, position_) <= 0) continue;
      group_.position = line.entry.path;
      const std::int64_t own = group_.copy.time_since_epoch().count();
      expected = {std::move(line.entry.path), line.entry.size, *line.entry.digest,
                  line.born != 0 ? line.born : own};
      return true;
    }
    done_ = true;
    return false;
  }
  bool done() const { return done_; }

 private:
  ScrubGroup& group_;
  std::int64_t older_;  ///< time of the copy before; less than all times when there is none
  CopyIndexReader index_;
  const std::string position_;  ///< where the last part ended
  bool done_ = false;
};

}  // namespace

ScrubResult scrub(int root, const std::string& server, ScrubState& state,
                  std::chrono::seconds budget, base::Instant since, base::Clock& clock,
                  base::Progress& progress, const std::stop_token& stop) {
  ScrubResult result;
  const base::Instant end = clock.now() + budget;
  std::vector<ScrubGroup*> order;
  for (ScrubGroup& group : state.groups) order.push_back(&group);
  std::stable_sort(order.begin(), order.end(),
                   [](const ScrubGroup* a, const ScrubGroup* b) { return a->read < b->read; });
  result.all = true;
  for (ScrubGroup* group : order) {
    // Within the same second it may have been read before: once more does no harm.
    if (group->read > since) continue;
    if (clock.now() >= end) {
      result.all = false;
      break;
    }
    if (!group->pass) {
      group->pass = clock.now();
      group->position.clear();
    }
    const std::size_t number = static_cast<std::size_t>(group - state.groups.data());
    const std::int64_t older =
        number == 0 ? INT64_MIN : state.groups[number - 1].copy.time_since_epoch().count();
    const std::string directory = copy_directory(group->copy, CopyState::sealed);
    const std::string shown = fmt::format("{}/{}/{}", kTop, server, directory);
    const base::Fd copy = open_copy(root, server, directory);
    const base::Fd tree = open_directory(copy.get(), kTree);
    if (!tree.valid()) base::throw_os("cannot open the files of", shown, errno);
    const std::string before = group->position;
    try {
      Pass pass(copy.get(), *group, older, shown);
      ReadBack(tree.get(), true, result.check, progress, stop).run([&](Expected& expected) {
        return clock.now() < end && pass.next(expected);
      });
      if (!pass.done()) {
        result.all = false;
        break;
      }
    } catch (const Error& error) {
      if (!is_damage(error)) {
        group->position = before;  // what was handed out may not have been read
        throw;
      }
      // Its files cannot be judged without it; the pass counts, or none would ever end.
      ++result.check.damaged;
      result.check.damage.push_back({group->copy.time_since_epoch().count(), kIndex, error.what()});
    }
    group->read = *group->pass;
    group->pass.reset();
    group->position.clear();
  }
  result.oldest = oldest_read(state);
  return result;
}

}  // namespace rota::disk
