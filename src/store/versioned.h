#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace rota::store {

/// One of the versions that a store keeps of an object: putting a name again adds one in front of
/// the others, hiding a name adds a marker.
struct ObjectVersion {
  std::string name;
  std::string id;  ///< the store's own; opaque
  std::uint64_t size = 0;
  std::string hash;  ///< as in ObjectInfo
  std::chrono::sys_time<std::chrono::milliseconds>
      since;            ///< when it was put, by the store's clock
  bool marker = false;  ///< no data: from here on the name is hidden
};

/// Where a listing of versions goes on.
struct VersionPosition {
  std::string name;  ///< the first name; "": from the beginning
  std::string id;    ///< and the first version of it; "": the newest
};

struct VersionPage {
  std::vector<ObjectVersion> versions;
  std::optional<VersionPosition> next;  ///< nothing: this was the last page
};

/// What a store that keeps old versions can do besides: it is how a backup comes back after someone
/// with the writer's key has hidden and overwritten everything. Thread safe; errors as of Store.
class VersionedStore {
 public:
  virtual ~VersionedStore() = default;

  /// Versions of the names that start with `prefix`, in bytewise order of names and the newest
  /// first, from `from` on; about `limit` of them, and maybe none although there is a next page.
  virtual VersionPage versions(const std::string& prefix, const VersionPosition& from,
                               std::size_t limit) = 0;

  /// The whole of a version, which must not be larger than `limit`.
  virtual base::Bytes get_version(const ObjectVersion& version, std::uint64_t limit) = 0;

  /// As Store::read_some().
  virtual std::size_t read_version(const ObjectVersion& version, std::uint64_t offset,
                                   std::span<std::byte> buffer) = 0;
};

}  // namespace rota::store
