#include "cli/keys.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "chain/key_file.h"
#include "cli/passphrase.h"
#include "cli/target.h"

namespace rota::cli {

using base::Error;
using base::ErrorKind;

void declare_keys(Options& options, KeyOptions& keys) {
  options.text("--key", keys.key, "FILE",
               "The secret key that opens an encrypted store (`rota key generate` made it)");
  options.text("--passphrase-file", keys.passphrase_file, "FILE",
               "The passphrase that opens it stands in the first line of this file; without it, it "
               "is asked for at the terminal");
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

chain::SecretKey fitting_key(const KeyOptions& options, const profile::Profile& profile,
                             const std::vector<chain::Recipient>& recipients,
                             const std::stop_token& stop) {
  std::string names;
  for (const chain::Recipient& recipient : recipients) {
    names += (names.empty() ? "" : ", ") + recipient.short_text();
  }
  const bool by_passphrase = !options.passphrase_file.empty();
  const std::string file = !options.key.empty() ? options.key : by_passphrase ? "" : profile.key;
  if (!file.empty()) {
    chain::SecretKey key = chain::read_key_file(file);
    for (const chain::Recipient& recipient : recipients) {
      if (recipient.public_key() == key.public_key()) return key;
    }
    throw Error(ErrorKind::config,
                fmt::format("the key in {} belongs to {}, but the backups of the profile {} are "
                            "encrypted for {}",
                            base::printable(file), chain::Recipient(key).short_text(), profile.name,
                            names));
  }
  std::optional<std::string> passphrase;
  if (by_passphrase) {
    passphrase = chain::read_passphrase_file(options.passphrase_file);
  } else if (std::ranges::any_of(recipients, &chain::Recipient::has_lock)) {
    passphrase = ask_passphrase("Passphrase of the backup: ", stop);
  }
  if (!passphrase) {
    throw Error(ErrorKind::usage,
                "which key? Give --key FILE, or --passphrase-file FILE for a passphrase");
  }
  for (const chain::Recipient& recipient : recipients) {
    if (auto key = recipient.unlock(*passphrase)) return std::move(*key);
  }
  throw Error(ErrorKind::config,
              fmt::format("the passphrase opens none of the recipients of the profile {}: {}",
                          profile.name, names));
}

}  // namespace rota::cli
