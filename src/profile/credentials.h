#pragma once

#include <string>
#include <string_view>

#include "profile/places.h"

namespace rota::profile {

/// What a credentials file holds.
struct KeyPair {
  std::string id;
  std::string key;  ///< secret
};

/// True for what can only be the name of a credential, not a path: [A-Za-z0-9_-][A-Za-z0-9._-]*.
bool is_credential_name(std::string_view name);

/// Reads the access key of a store: a TOML file with the two texts key_id and key.
///
/// name: a path; or a name without a directory, which is looked for in $CREDENTIALS_DIRECTORY,
/// where systemd puts what LoadCredential= names (systemd.exec(5)), and beside that in the working
/// directory.
/// Throws Error(config), with what to do and never with anything from the file, when it is absent,
/// no regular file, another user's, readable by group or others, or anything but these two lines.
KeyPair read_credentials(const std::string& name);

/// The same for a given environment.
KeyPair read_credentials(const std::string& name, const Environment& environment);

}  // namespace rota::profile
