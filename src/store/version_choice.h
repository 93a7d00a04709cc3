#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/hash.h"
#include "base/time.h"
#include "store/store.h"
#include "store/versioned.h"

namespace rota::store {

/// What is known of a name's true version.
struct Expected {
  std::string hash;  ///< the store's; empty: not known
  std::uint64_t size = 0;
  base::Sha256Digest sha256{};
  std::string id;  ///< of the version that was read and found right; empty: none was yet
};

/// Which of the versions of one name stands for it at an instant: add() takes them in the order of
/// a listing, the newest first. Pure.
class VersionChoice {
 public:
  /// expected: of this name; null: nothing is known. Outlives this. kind: the store's: where it is
  /// MD5, a version's hash may be none although it looks like one, since S3 shows the ETag of what
  /// is encrypted with a key of KMS in the same form.
  VersionChoice(const Expected* expected, HashKind kind, base::Instant at)
      : expected_(expected), kind_(kind), at_(at) {}

  void add(const ObjectVersion& version);

  /// The version that stands for the name, beyond doubt: no older one can. A marker: the name is
  /// hidden.
  const std::optional<ObjectVersion>& sure() const { return sure_; }
  /// Without a sure one, and after all of them: the newest of the instant that may be right, or
  /// else the oldest of later ones.
  const std::optional<ObjectVersion>& likely() const { return likely_; }
  /// Which of several is right, or whether the one is, only its content can tell.
  bool needs_reading() const { return !sure_ && likely_ && (several_ || of_other_hash_); }
  /// True when only the content of `version` can tell whether it is right.
  bool may_be(const ObjectVersion& version) const;

 private:
  bool is_sure(const ObjectVersion& version) const;
  bool was_there(const ObjectVersion& version) const;

  const Expected* expected_;
  HashKind kind_;
  base::Instant at_;
  std::optional<ObjectVersion> sure_;
  std::optional<ObjectVersion> likely_;
  bool several_ = false;
  bool of_other_hash_ = false;
};

}  // namespace rota::store
