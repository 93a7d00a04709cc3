#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "store/store.h"
#include "store/versioned.h"

namespace rota::store {

/// A store as it was at an instant, for reading: of every name the version that was the newest
/// then, unless the name was hidden. What came later, deletions of versions excepted, has no
/// effect.
///
/// Who knows which content a name must have says so with expect(): then the newest version with
/// that hash counts, whenever it was put and whatever hides it. That finds the true object also
/// where it was overwritten before the instant.
class TimeTravelStore final : public Store {
 public:
  /// Throws Error(config) when `store` keeps no versions.
  TimeTravelStore(std::unique_ptr<Store> store, base::Instant at);

  /// hash: as in ObjectInfo; an empty one says nothing. Memory: 250 bytes a name.
  void expect(const std::string& name, const std::string& hash);
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
  /// Whether no older version of its name can stand for it. With the mutex held.
  bool decides(const ObjectVersion& version) const;
  /// The version that stands for `name`. Throws Error(not_found).
  ObjectVersion find(const std::string& name);
  /// Remembers what stands for `name`, and for names behind it that the same answers tell of.
  void search(const std::string& name);
  void remember(const ObjectVersion& version);

  std::unique_ptr<Store> store_;
  VersionedStore& versions_;
  base::Instant at_;
  std::mutex mutex_;
  std::map<std::string, std::string> expected_;  ///< name to hash
  std::map<std::string, ObjectVersion> found_;   ///< what find() answered; bounded
};

}  // namespace rota::store
