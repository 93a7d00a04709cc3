#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "base/time.h"
#include "store/credentials.h"
#include "store/store.h"

namespace rota::store {

/// What it takes to open a store. Only the target is always needed.
struct StoreSettings {
  std::string target;  ///< see open_store()
  std::optional<Credentials> credentials{};
  std::string b2_api_url{};  ///< where to authorize; empty: Backblaze itself
  struct S3 {
    std::string endpoint{};  ///< "https://host[:port]"; empty: Amazon's of the region
    std::string region{};
    /// The bucket stands in the path, not in the host's name. Nothing: as s3_place() says.
    std::optional<bool> path_style{};
  } s3{};
  struct Sftp {
    std::string key_file{};     ///< the private key; empty: the user's own keys
    std::string known_hosts{};  ///< empty: the user's own file
  } sftp{};
  std::uint64_t rate = 0;  ///< bytes a second, each way, for all transfers together; 0: no limit
  std::stop_token stop{};  ///< ends calls and pauses with Error(interrupted)
  base::Clock* clock = &base::real_clock();  ///< for pauses between attempts; outlives the store
};

/// Opens the store that a target names: "b2://bucket/prefix", "s3://bucket/prefix",
/// "sftp://user@host[:port]/path", "file:///path" or an absolute path.
///
/// Throws Error(config) for anything else, with the forms that exist, and where credentials are
/// missing. Nothing is asked of a server until the first call, and nothing created until the first
/// put.
std::unique_ptr<Store> open_store(const StoreSettings& settings);

}  // namespace rota::store
