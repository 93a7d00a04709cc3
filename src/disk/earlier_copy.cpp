#include "disk/earlier_copy.h"

#include "base/error.h"
#include "disk/copy_names.h"
#include "disk/index_source.h"
#include "disk/small_file.h"

namespace rota::disk {

EarlierCopy::EarlierCopy(int copy, Standing standing, base::Instant time, std::string shown,
                         const DamageList& damage, std::function<void(const tree::Entry&)> gone,
                         base::Warnings& warnings)
    : standing_(standing),
      time_(time.time_since_epoch().count()),
      shown_(std::move(shown)),
      damage_(damage),
      gone_(std::move(gone)),
      warnings_(warnings),
      tree_(open_directory(copy, kTree)) {
  if (!tree_.valid()) return;  // an attempt that came no further
  try {
    index_.emplace(open_index(copy,
                              standing == Standing::sealed ? CopyIndexReader::Extent::whole
                                                           : CopyIndexReader::Extent::marked,
                              shown_));
  } catch (const base::Error& error) {
    if (standing == Standing::sealed) warnings_.warn(shown_, error.what());
  }
  advance();
}

bool EarlierCopy::advance() {
  has_ = false;
  asked_ = false;
  CopyEntry next;
  try {
    if (!index_ || !index_->next(next)) return false;
  } catch (const base::Error& error) {
    warnings_.warn(shown_, std::string(error.what()) + "; what follows is written anew");
    index_.reset();
    return false;
  }
  known_.entry = std::move(next.entry);
  known_.racy = next.racy;
  known_.noise = next.noise;
  known_.tag = next.born != 0 ? next.born : time_;
  known_.distrusted = !damage_.empty() && damage_.contains(known_.tag, known_.entry.path);
  // Of an attempt only what it linked was ever verified, in the copy that it was linked from.
  if (standing_ == Standing::unfinished && next.born == 0) known_.tag = 0;
  return has_ = true;
}

const tree::Known* EarlierCopy::find(const std::string& path) {
  while (has_) {
    const auto order = tree::compare_paths(known_.entry.path, path);
    if (order > 0) return nullptr;
    if (order == 0) {
      asked_ = true;
      return &known_;
    }
    if (!asked_ && gone_) gone_(known_.entry);
    advance();
  }
  return nullptr;
}

void EarlierCopy::finish() {
  while (has_) {
    if (!asked_ && gone_) gone_(known_.entry);
    advance();
  }
}

}  // namespace rota::disk
