#include "disk/predecessors.h"

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>

#include "base/error.h"
#include "disk/small_file.h"

namespace rota::disk {

Predecessors::Predecessors(int server, const std::vector<CopyInfo>& copies, ChangeCounter& changes,
                           base::Warnings& warnings)
    : damage(DamageList::load(server)) {
  const auto add = [&](const CopyInfo& copy, EarlierCopy::Standing standing,
                       std::function<void(const tree::Entry&)> gone) {
    const std::string shown = fmt::format("{}/{}/{}", kTop, copy.server, copy.directory);
    const base::Fd directory = open_directory(server, copy.directory);
    if (!directory.valid()) base::throw_os("cannot open the copy", shown, errno);
    trees.push_back(std::make_unique<EarlierCopy>(directory.get(), standing, copy.time, shown,
                                                  damage, std::move(gone), warnings));
  };
  if (copies.empty()) return;
  if (const auto sealed = newest_sealed(copies, copies.front().server)) {
    has_sealed = true;
    changes.set_predecessor(sealed->directory);
    add(*sealed, EarlierCopy::Standing::sealed,
        [&changes](const tree::Entry& entry) { changes.gone(entry); });
  }
  std::vector<CopyInfo> unfinished;
  std::copy_if(copies.begin(), copies.end(), std::back_inserter(unfinished),
               [](const CopyInfo& copy) { return copy.state != CopyState::sealed; });
  // The newest; attempts before what is being removed.
  std::stable_sort(unfinished.begin(), unfinished.end(), [](const CopyInfo& a, const CopyInfo& b) {
    if (a.state != b.state) return a.state == CopyState::partial;
    return a.time > b.time;
  });
  if (unfinished.size() > kMostUnfinished) unfinished.resize(kMostUnfinished);
  for (const CopyInfo& copy : unfinished) add(copy, EarlierCopy::Standing::unfinished, {});
}

}  // namespace rota::disk
