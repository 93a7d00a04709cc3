#include <algorithm>
#include <set>

#include "rotation/clock.h"
#include "rotation/rotation.h"

namespace rota::rotation {

namespace {

using ledger::CopyRow;
using ledger::CopyState;

/// until: none that is dated later by more than kClockSlack.
const CopyRow* newest(std::span<const CopyRow> copies, const std::string& disk, bool counting,
                      std::optional<base::Instant> until = std::nullopt) {
  const CopyRow* found = nullptr;
  for (const CopyRow& copy : copies) {
    if (copy.disk != disk || (until && is_of_future(copy, *until))) continue;
    if (counting ? !copy.counts() : copy.state != CopyState::sealed) continue;
    if (found == nullptr || copy.snapshot > found->snapshot) found = &copy;
  }
  return found;
}

std::vector<const CopyRow*> prunable(std::span<const CopyRow> copies, const std::string& disk,
                                     base::Instant now) {
  // The newest that counts, which covers the newest of the set, and the newest sealed: what nobody
  // has verified may still be the only thing left. Of those with a date that can be, too: a copy
  // from a night on which the clock was years ahead stays the newest for years.
  const std::set<const CopyRow*> kept{newest(copies, disk, true), newest(copies, disk, false),
                                      newest(copies, disk, true, now),
                                      newest(copies, disk, false, now)};
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

std::vector<CopyRow> may_prune(std::span<const CopyRow> copies, const std::string& disk,
                               base::Instant now) {
  return values(prunable(copies, disk, now));
}

std::vector<CopyRow> must_prune(std::span<const CopyRow> copies, const std::string& disk,
                                const SetPolicy& policy, base::Instant now) {
  std::vector<std::string> sealed;  // on the disk, newest first
  for (const CopyRow& copy : copies) {
    const bool counted = copy.state == CopyState::sealed && !is_of_future(copy, now);
    if (copy.disk == disk && counted) sealed.push_back(copy.snapshot);
  }
  std::ranges::sort(sealed, std::ranges::greater());
  std::vector<const CopyRow*> found;
  for (const CopyRow* copy : prunable(copies, disk, now)) {
    if (is_of_future(*copy, now)) continue;
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
