#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "store/b2_session.h"
#include "store/b2_uploads.h"
#include "store/powers.h"
#include "store/store.h"
#include "store/tidyable.h"
#include "store/versioned.h"

namespace rota::store {

/// Objects in a Backblaze B2 bucket, by the native API. An object's name is the name of the file,
/// behind the target's prefix. Every put makes a new version; what is below the newest one is seen
/// by VersionedStore alone. The store keeps and checks a SHA-1 of every object.
///
/// Retries what may pass, for some minutes; see B2Session and B2Uploads.
class B2Store final : public Store,
                      public VersionedStore,
                      public InspectableStore,
                      public TidyableStore {
 public:
  /// Throws as B2Session's constructor does. Nothing is asked of the server before the first call.
  B2Store(std::unique_ptr<HttpClient> http, B2Session::Settings settings);

  void put(const std::string& name, std::span<const std::byte> data) override;
  base::Bytes get(const std::string& name, std::uint64_t limit) override;
  std::size_t read_some(const std::string& name, std::uint64_t offset,
                        std::span<std::byte> buffer) override;
  Page list(const std::string& prefix, const std::string& after, std::size_t limit) override;
  /// Deletes every version. A key that may not delete hides the object where the bucket deletes
  /// what is hidden, and does nothing elsewhere: hidden objects would only be lost from sight.
  Removal remove(const std::string& name) override;
  unsigned connections() const override { return kConnections; }
  void set_lock(const std::optional<ObjectLock>& lock) override { lock_ = lock; }
  HashKind hash_kind() const override { return HashKind::sha1; }
  std::optional<base::Instant> now() override { return session_.now(); }
  std::string description() const override { return session_.description(); }

  VersionPage versions(const std::string& prefix, const VersionPosition& from,
                       std::size_t limit) override;
  base::Bytes get_version(const ObjectVersion& version, std::uint64_t limit) override;
  std::size_t read_version(const ObjectVersion& version, std::uint64_t offset,
                           std::span<std::byte> buffer) override;

  StorePowers inspect() override;

  std::vector<UnfinishedUpload> unfinished_uploads() override;
  Removal cancel_upload(const UnfinishedUpload& upload) override;

 private:
  std::string path_of(const std::string& name) const { return session_.target().prefix + name; }
  Removal delete_versions(const std::string& path, const B2Account& account);
  Removal hide(const std::string& path, const B2Account& account);
  /// The bucket as b2_list_buckets shows it; nothing when the key may not see it.
  std::optional<nlohmann::json> bucket_settings(const B2Account& account);
  /// Whether a rule of the bucket deletes what is hidden. Asks once.
  bool hidden_is_deleted(const std::string& path, const B2Account& account);

  std::unique_ptr<HttpClient> http_;
  B2Session session_;
  B2Uploads uploads_;
  std::optional<ObjectLock> lock_;
  std::mutex rules_mutex_;
  std::optional<nlohmann::json> rules_;  ///< the bucket's lifecycle rules
};

}  // namespace rota::store
