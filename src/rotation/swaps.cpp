#include "rotation/swaps.h"

#include <fmt/core.h>

#include <algorithm>

namespace rota::rotation {

namespace {

/// Ten years of daily swaps of two disks: whatever is asked for, it ends.
constexpr int kMost = 4000;

/// What a turn of a disk counts from: it changes when the turn was kept.
std::string last_turn(const DiskStatus& disk) {
  return disk.newest ? disk.newest->snapshot : "new";
}

}  // namespace

std::vector<Swap> coming_swaps(const RotationStatus& status, base::Instant now,
                               base::Instant until) {
  std::vector<Swap> swaps;
  for (const SetStatus& set : status.sets) {
    const base::Span interval = base::parse_span(set.interval);
    for (const DiskStatus& disk : status.disks) {
      if (disk.set != set.name || !disk.due) continue;
      base::Instant due = *disk.due;
      for (int turn = 0; due <= until && turn < kMost; ++turn) {
        swaps.push_back({set.name, disk.name, due, due < now,
                         fmt::format("{}-{}-{}-{}", set.name, disk.name, last_turn(disk), turn)});
        // Its next turn comes when all have had theirs, which begins when this one is kept.
        due = std::max(due, now);
        for (int i = 0; i < std::max(set.disks, 1); ++i) due = base::after(due, interval);
      }
    }
  }
  std::ranges::stable_sort(swaps, {}, &Swap::due);
  return swaps;
}

}  // namespace rota::rotation
