#include "cli/keys.h"

#include <CLI/CLI.hpp>

#include "chain/key_file.h"
#include "cli/passphrase.h"
#include "cli/target.h"

namespace rota::cli {

void declare_keys(CLI::App& app, KeyOptions& options) {
  app.add_option("--key", options.key, "The secret key file that opens an encrypted store")
      ->check(not_empty())
      ->type_name("FILE");
  app.add_option("--passphrase-file", options.passphrase_file,
                 "A file whose first line is the passphrase; without it you are asked for it")
      ->check(not_empty())
      ->type_name("FILE");
}

chain::KeyRing make_key_ring(const KeyOptions& options, const std::string& profile_key,
                             const std::stop_token& stop) {
  chain::KeyRing ring;
  if (!options.key.empty()) ring.add(chain::read_key_file(options.key));
  if (!options.passphrase_file.empty()) {
    ring.add_passphrase(chain::read_passphrase_file(options.passphrase_file));
  }
  if (options.key.empty() && options.passphrase_file.empty() && !profile_key.empty()) {
    ring.add(chain::read_key_file(profile_key));
  }
  ring.set_ask([stop] { return ask_passphrase("Passphrase of the backup: ", stop); });
  return ring;
}

}  // namespace rota::cli
