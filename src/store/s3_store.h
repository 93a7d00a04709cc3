#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "store/powers.h"
#include "store/s3_client.h"
#include "store/s3_powers.h"
#include "store/store.h"
#include "store/target.h"
#include "store/tidyable.h"
#include "store/versioned.h"

namespace rota::store {

/// A bucket of Amazon S3 or of a store that speaks its language, or the part of one below a prefix:
/// object `name` is the key "<prefix><name>".
///
/// Each call is one request, and those that a retry adds. The store checks what is put against its
/// MD5 and SHA-256; a whole object that is read is checked against its ETag where that is an MD5.
///
/// In a bucket with versions a removed object goes with all its versions. Where the key may not
/// delete them, the object is hidden if a rule of the bucket deletes what is hidden; else, and
/// where a lock holds it, it stays.
class S3Store final : public Store,
                      public VersionedStore,
                      public InspectableStore,
                      public TidyableStore {
 public:
  /// clock: outlives the store.
  S3Store(BucketTarget target, S3Place place, Credentials credentials,
          std::unique_ptr<HttpClient> http, base::Clock& clock, std::stop_token stop = {},
          const RetryPolicy& policy = {});

  void put(const std::string& name, std::span<const std::byte> data) override;
  base::Bytes get(const std::string& name, std::uint64_t limit) override;
  std::size_t read_some(const std::string& name, std::uint64_t offset,
                        std::span<std::byte> buffer) override;
  unsigned connections() const override { return kConnections; }
  Page list(const std::string& prefix, const std::string& after, std::size_t limit) override;
  Removal remove(const std::string& name) override;
  /// Throws Error(config) too where the bucket was made without locks.
  void set_lock(const std::optional<ObjectLock>& lock) override;
  /// The hash is left out of listings where the bucket's encryption makes another ETag of it.
  HashKind hash_kind() const override { return HashKind::md5; }
  /// By its last answer; asks it when there was none yet.
  std::optional<base::Instant> now() override;
  std::string description() const override { return target_.description("s3"); }

  VersionPage versions(const std::string& prefix, const VersionPosition& from,
                       std::size_t limit) override;
  base::Bytes get_version(const ObjectVersion& version, std::uint64_t limit) override;
  std::size_t read_version(const ObjectVersion& version, std::uint64_t offset,
                           std::span<std::byte> buffer) override;

  /// What only the provider's own pages say of a key (whether it may make keys or change rules)
  /// stays unknown. Whether it may delete is tried on an object that does not exist.
  StorePowers inspect() override;

  std::vector<UnfinishedUpload> unfinished_uploads() override;
  Removal cancel_upload(const UnfinishedUpload& upload) override;

 private:
  enum class Etag { unknown, md5, other };

  /// A call for an object, or with "" for the bucket. doing: "cannot read". version: "" for the
  /// newest one.
  S3Call make_call(std::string method, const std::string& name, std::string_view doing,
                   std::string action, const std::string& version = "") const;
  base::Bytes get_whole(S3Call call, const std::string& name, std::uint64_t limit);
  std::size_t read_part(S3Call call, std::uint64_t offset, std::span<std::byte> buffer);
  /// One page as the store gives it. token: of the page before; "" for the one behind `after`.
  S3Listing list_once(const std::string& prefix, const std::string& after, std::size_t limit,
                      const std::string& token);
  /// One page of versions; nothing where the store answers in another form (Google's has
  /// generations instead). key, id: what it begins behind; the key is whole.
  std::optional<S3Versions> list_versions_once(const std::string& prefix, const std::string& key,
                                               const std::string& id, std::size_t limit);
  void note_encryption(const HttpResponse& response);
  /// Whether ETags are what they say. object, version: one of the newest, to look at; "" for the
  /// newest version.
  bool etags_are_md5(const S3Object* object, const std::string& version);

  /// One setting of the bucket. doing: "cannot see which rules delete".
  S3Setting ask(const std::string& query, std::string_view doing, const std::string& action);
  /// Whether the key may delete, tried on an object that no store of rota's has. versioning: as
  /// read_s3_versioning() gives it; nothing: not known.
  Right try_to_delete(const std::optional<std::string>& versioning);

  /// Of the bucket; name: of an object to look at where the key may not ask for that.
  bool has_versions(const std::string& name);
  bool has_version_id(const std::string& name);
  /// True when a rule of the bucket deletes what is hidden.
  bool deletes_hidden(const std::string& name);
  /// All versions and markers of an object, newest first; nothing where they cannot be seen.
  std::optional<std::vector<S3Version>> versions_of(const std::string& name);
  bool is_locked(const std::string& name, const std::string& version);
  Removal remove_versions(const std::string& name, const std::vector<S3Version>& versions);
  Removal hide(const std::string& name);
  /// Nothing when it turned out that there are versions, and the object is only hidden.
  std::optional<Removal> remove_plain(const std::string& name);

  BucketTarget target_;
  std::unique_ptr<HttpClient> http_;
  base::Clock& clock_;
  S3Client client_;
  std::optional<ObjectLock> lock_;
  std::atomic<Etag> etag_{Etag::unknown};
  std::mutex mutex_;
  std::optional<bool> has_versions_;                       ///< under mutex_
  std::optional<std::vector<S3LifecycleRule>> lifecycle_;  ///< under mutex_
};

}  // namespace rota::store
