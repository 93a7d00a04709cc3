#include "store/version_choice.h"

namespace rota::store {

bool VersionChoice::was_there(const ObjectVersion& version) const {
  return std::chrono::floor<std::chrono::seconds>(version.since) <= at_;
}

bool VersionChoice::is_sure(const ObjectVersion& version) const {
  if (expected_ == nullptr) return was_there(version);
  if (!expected_->id.empty()) return version.id == expected_->id;
  return !version.marker && !expected_->hash.empty() && version.hash == expected_->hash;
}

bool VersionChoice::may_be(const ObjectVersion& version) const {
  if (expected_ == nullptr || !expected_->id.empty()) return false;
  const bool hash_decides =
      kind_ == HashKind::sha1 && !expected_->hash.empty() && !version.hash.empty();
  return !version.marker && version.size == expected_->size && !hash_decides;
}

void VersionChoice::add(const ObjectVersion& version) {
  if (sure_) return;
  if (is_sure(version)) {
    sure_ = version;
    return;
  }
  if (!may_be(version)) return;
  several_ = several_ || likely_;
  const bool other = expected_ != nullptr && !expected_->hash.empty() && !version.hash.empty();
  of_other_hash_ = of_other_hash_ || other;
  if (!likely_ || !was_there(*likely_)) likely_ = version;
}

}  // namespace rota::store
