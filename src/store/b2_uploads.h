#pragma once

#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "store/b2_session.h"
#include "store/store.h"

namespace rota::store {

/// Uploads to a B2 bucket, any number at once.
///
/// An upload URL serves one upload at a time, until an upload fails. So each put takes one from a
/// pool, and puts it back after success alone; there are as many as puts ran at once.
/// Source: backblaze.com/docs/cloud-storage-upload-files-with-the-native-api
class B2Uploads {
 public:
  /// session outlives this object.
  explicit B2Uploads(B2Session& session) : session_(session) {}

  /// name: in the bucket. sha1: of the data, in hexadecimal. Throws as Store::put() does.
  void put(const std::string& name, std::span<const std::byte> data, const std::string& sha1,
           const std::optional<ObjectLock>& lock);

 private:
  struct Place {
    std::string url;
    std::string token;
  };

  Place take();
  void give_back(Place place);
  /// Takes away what an upload left whose answer was lost: another version of the same content.
  void tidy(const std::string& name, const std::string& kept_id, const std::string& sha1);

  B2Session& session_;
  std::mutex mutex_;
  std::vector<Place> idle_;
};

}  // namespace rota::store
