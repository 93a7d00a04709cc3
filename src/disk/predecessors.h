#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/progress.h"
#include "disk/changes.h"
#include "disk/copies.h"
#include "disk/damage_list.h"
#include "disk/earlier_copy.h"

namespace rota::disk {

/// What a new copy of a server is held against: the newest sealed copy, if there is one, and the
/// newest attempts that were interrupted. Neither may be moved while the object lives.
///
/// Memory: an index block, at most 4 MiB and mostly 256 KiB, for each.
struct Predecessors {
  static constexpr std::size_t kMostUnfinished = 2;

  /// server: rota/<server>, open. changes: hears of what is gone from the sealed copy.
  Predecessors(int server, const std::vector<CopyInfo>& copies, ChangeCounter& changes,
               base::Warnings& warnings);
  Predecessors(const Predecessors&) = delete;
  Predecessors& operator=(const Predecessors&) = delete;

  bool has_sealed = false;  ///< then it is the first of `trees`
  DamageList damage;
  std::vector<std::unique_ptr<EarlierCopy>> trees;
};

}  // namespace rota::disk
