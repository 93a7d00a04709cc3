#pragma once

#include <functional>
#include <optional>
#include <string>

#include "disk/luks.h"
#include "profile/places.h"

namespace rota::job {

/// What a person gives to open an encrypted disk that is only to be read.
struct DiskKey {
  std::string file;  ///< key file, or one that holds the recovery passphrase; empty: not named
  /// Asks for the recovery passphrase; gives nothing where nobody can be asked. Null: not to ask.
  std::function<std::optional<std::string>(const std::string& question)> ask;
};

/// What opens the disk of that name (empty: it is not known): the file that was named, else the one
/// that this machine keeps, else the passphrase that is asked for: the key file is gone with its
/// server. Throws Error(not_found) when there is none, saying what to give.
disk::LuksSecrets opener_of(const profile::Places& places, const std::string& disk,
                            const DiskKey& key);

}  // namespace rota::job
