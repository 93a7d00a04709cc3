#pragma once

#include <stop_token>
#include <string>

#include "chain/key.h"
#include "cli/command.h"

namespace rota::cli {

/// What opens an encrypted store, as every reading command takes it.
struct KeyOptions {
  std::string key;              ///< --key FILE
  std::string passphrase_file;  ///< --passphrase-file FILE
};

/// Adds "--key FILE" and "--passphrase-file FILE" with their help.
void declare_keys(CLI::App& app, KeyOptions& options);

/// The keys of `options`; when it names none, `profile_key`, the profile's own key file (may be
/// empty). Asks for a passphrase at the terminal, if there is one, when nothing else opens a run.
/// Throws Error(config) or not_found for a file that cannot be used.
chain::KeyRing make_key_ring(const KeyOptions& options, const std::string& profile_key,
                             const std::stop_token& stop);

}  // namespace rota::cli
