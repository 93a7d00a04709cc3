#include <algorithm>
#include <set>

#include "rotation/rotation.h"

namespace rota::rotation {

namespace {

using ledger::CopyRow;
using ledger::CopyState;

const CopyRow* newest(std::span<const CopyRow> copies, const std::string& disk, bool counting) {
  const CopyRow* found = nullptr;
  for (const CopyRow& copy : copies) {
    if (copy.disk != disk) continue;
    if (counting ? !copy.counts() : copy.state != CopyState::sealed) continue;
    if (found == nullptr || copy.snapshot > found->snapshot) found = &copy;
  }
  return found;
}

std::vector<const CopyRow*> prunable(std::span<const CopyRow> copies, const std::string& disk) {
  // The newest that counts, which covers the newest of the set, and the newest sealed: what nobody
  // has verified may still be the only thing left.
  const std::set<const CopyRow*> kept{newest(copies, disk, true), newest(copies, disk, false)};
  std::vector<const CopyRow*> found;
  for (const CopyRow& copy : copies) {
    const bool here = copy.state == CopyState::sealed || copy.state == CopyState::damaged;
    if (copy.disk == disk && here && !kept.contains(&copy)) found.push_back(&copy);
  }
  std::ranges::sort(found, {}, [](const CopyRow* copy) { return copy->snapshot; });
  return found;
}

std::vector<CopyRow> values(const std::vector<const CopyRow*>& copies) {
  std::vector<CopyRow> list;
  for (const CopyRow* copy : copies) list.push_back(*copy);
  return list;
}

}  // namespace

std::vector<CopyRow> may_prune(std::span<const CopyRow> copies, const std::string& disk) {
  return values(prunable(copies, disk));
}

std::vector<CopyRow> must_prune(std::span<const CopyRow> copies, const std::string& disk,
                                const SetPolicy& policy, base::Instant now) {
  const bool future = std::ranges::any_of(copies, [&](const CopyRow& copy) {
    return copy.state != CopyState::pruned && copy.snapshot_time() > now;
  });
  if (future) return {};
  std::vector<std::string> sealed;  // on the disk, newest first
  for (const CopyRow& copy : copies) {
    if (copy.disk == disk && copy.state == CopyState::sealed) sealed.push_back(copy.snapshot);
  }
  std::ranges::sort(sealed, std::ranges::greater());
  std::vector<const CopyRow*> found;
  for (const CopyRow* copy : prunable(copies, disk)) {
    const auto older_than = std::ranges::find(sealed, copy->snapshot) - sealed.begin();
    const bool beyond = policy.keep > 0 && copy->state == CopyState::sealed &&
                        older_than >= static_cast<std::ptrdiff_t>(policy.keep);
    const bool old =
        policy.max_age != base::Span{} && copy->snapshot_time() < base::before(now, policy.max_age);
    if (beyond || old) found.push_back(copy);
  }
  return values(found);
}

}  // namespace rota::rotation
