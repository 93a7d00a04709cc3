#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "job/disk_copy.h"
#include "profile/rotation.h"

namespace rota::job {

/// What shall be copied to a disk.
struct SourceChoice {
  std::string disk;
  std::vector<std::string> profiles;  ///< only these of those that the disk is for; empty: all
  bool from_chain = false;
  std::string from_copy;  ///< a copy on another disk, a directory; empty: no
};

struct DiskSources {
  std::vector<std::unique_ptr<CopySource>> sources;  ///< at least one
  /// A server that cannot be copied, and why.
  struct Missing {
    std::string server;
    base::Error error;
  };
  std::vector<Missing> missing;
};

/// The trees that go to a disk, as rotation.toml and the person who asked say.
///
/// Throws Error: refused for a server that the disk is not for, config when there is none, and what
/// is wrong with the only one.
DiskSources disk_sources(const profile::Places& places, const profile::Rotation& rotation,
                         const SourceChoice& choice, const Surroundings& around);

}  // namespace rota::job
