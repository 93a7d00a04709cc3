#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/progress.h"
#include "base/time.h"
#include "disk/copy_index.h"
#include "disk/damage_list.h"
#include "tree/predecessor.h"

namespace rota::disk {

/// A copy that a new one is written beside: a sealed one, or what an interrupted attempt left.
///
/// The tag of what it knows is the time of the copy that wrote the inode; 0 for what was never read
/// back from the medium, which counts as new in the copy that takes it over.
class EarlierCopy final : public tree::Predecessor {
 public:
  enum class Standing { sealed, unfinished };
  /// copy: its directory, open. time: of its snapshot. damage: outlives this object. gone: hears of
  /// every entry that was not asked for; may be empty.
  ///
  /// A damaged index is a warning, and what stands behind the damage is not known.
  EarlierCopy(int copy, Standing standing, base::Instant time, std::string shown,
              const DamageList& damage, std::function<void(const tree::Entry&)> gone,
              base::Warnings& warnings);

  int root() const override { return tree_.get(); }
  const tree::Known* find(const std::string& path) override;
  /// Comes to the end of it, so that `gone` has heard of the rest.
  void finish();

 private:
  bool advance();

  Standing standing_;
  std::int64_t time_;
  std::string shown_;
  const DamageList& damage_;
  std::function<void(const tree::Entry&)> gone_;
  base::Warnings& warnings_;
  base::Fd tree_;
  std::optional<CopyIndexReader> index_;
  tree::Known known_;
  bool has_ = false;
  bool asked_ = false;  ///< `known_` was found
};

}  // namespace rota::disk
