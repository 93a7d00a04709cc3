#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "store/store.h"
#include "store/version_choice.h"
#include "store/versioned.h"

namespace rota::store {

/// A store as it was at an instant, for reading: of every name the version that was the newest
/// then, unless the name was hidden. What came later, deletions of versions excepted, has no
/// effect.
///
/// Who knows which content a name must have says so with expect(): then the newest version with
/// that hash counts, whenever it was put and whatever hides it. That finds the true object also
/// where it was overwritten before the instant.
///
/// Of some versions a store keeps no hash: at B2 of large files, at S3 of what is encrypted with a
/// key of KMS. Where no version has the right hash, those of the right size stand for the name, by
/// the instant; if there are several, they are read, and the SHA-256 decides.
class TimeTravelStore final : public Store {
 public:
  /// Throws Error(config) when `store` keeps no versions.
  TimeTravelStore(std::unique_ptr<Store> store, base::Instant at);

  /// content: without an id. Memory: 300 bytes a name.
  void expect(const std::string& name, Expected content);
  /// The same for who knows another hash than the store's: looks through the versions, the one that
  /// stands for `name` first and then from the newest on, for content that is `right`, expects it
  /// from now on, and returns it; nothing when there is none. Versions larger than `limit` are not
  /// looked at.
  std::optional<base::Bytes> choose(const std::string& name, std::uint64_t limit,
                                    const std::function<bool(const base::Bytes&)>& right);

  base::Bytes get(const std::string& name, std::uint64_t limit) override;
  std::size_t read_some(const std::string& name, std::uint64_t offset,
                        std::span<std::byte> buffer) override;
  Page list(const std::string& prefix, const std::string& after, std::size_t limit) override;
  HashKind hash_kind() const override { return store_->hash_kind(); }
  std::optional<base::Instant> now() override { return store_->now(); }
  std::string description() const override;

  /// These throw Error(refused): the past is not changed.
  void put(const std::string& name, std::span<const std::byte> data) override;
  Removal remove(const std::string& name) override;

 private:
  /// With the mutex held. The choice is of use while that is held.
  VersionChoice choice_of(const std::string& name) const;
  /// The version that stands for `name`. Throws Error(not_found).
  ObjectVersion find(const std::string& name);
  /// Remembers what stands for `name`, and for names behind it that the same answers tell of.
  VersionChoice search(const std::string& name);
  /// Reads versions of `name`, `likely` first, until one has the expected SHA-256, and remembers
  /// that.
  void find_by_content(const std::string& name, const ObjectVersion& likely);
  /// Calls `use` with the versions of `name`, the newest first, until it returns true.
  template <typename Use>
  void each_version(const std::string& name, Use use);
  /// The content of a version; nothing where that is lost, or too large.
  std::optional<base::Bytes> try_to_read(const ObjectVersion& version, std::uint64_t limit);
  void remember(const ObjectVersion& version);
  void remember(const VersionChoice& choice);

  std::unique_ptr<Store> store_;
  VersionedStore& versions_;
  base::Instant at_;
  std::mutex mutex_;
  std::map<std::string, Expected> expected_;    ///< by name
  std::map<std::string, ObjectVersion> found_;  ///< what find() answered; bounded
};

}  // namespace rota::store
