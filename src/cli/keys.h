#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "chain/key.h"
#include "cli/command.h"
#include "cli/options.h"

namespace rota::cli {

/// What opens an encrypted store, as every reading command takes it.
struct KeyOptions {
  std::string key;              ///< --key FILE
  std::string passphrase_file;  ///< --passphrase-file FILE
};

/// Adds "--key FILE" and "--passphrase-file FILE" with their help.
void declare_keys(Options& options, KeyOptions& keys);

/// The keys of `options`; when it names none, `profile_key`, the profile's own key file (may be
/// empty). Asks for a passphrase at the terminal, if there is one, when nothing else opens a run.
/// Throws Error(config) or not_found for a file that cannot be used.
chain::KeyRing make_key_ring(const KeyOptions& options, const std::string& profile_key,
                             const std::stop_token& stop);

/// The secret key that `options` or the profile names, or that the passphrase unlocks (asked for at
/// the terminal if need be), when it is one of the profile's recipients. Throws Error(config)
/// saying whose key it is when it is not.
chain::SecretKey fitting_key(const KeyOptions& options, const profile::Profile& profile,
                             const std::vector<chain::Recipient>& recipients,
                             const std::stop_token& stop);

}  // namespace rota::cli
