#include <fmt/core.h>

#include <algorithm>

#include "base/error.h"
#include "chain/key_file.h"
#include "recovery/plan.h"

namespace rota::recovery {

using base::Error;
using base::ErrorKind;

std::map<std::string, std::string> read_secret_keys(const Installation& installation,
                                                    const std::string& key_file) {
  std::map<std::string, std::string> keys;
  for (const profile::Profile& profile : installation.profiles) {
    if (profile.encrypt_to.empty()) continue;
    const std::string& file = key_file.empty() ? profile.key : key_file;
    if (file.empty()) continue;
    const chain::SecretKey key = chain::read_key_file(file);
    const bool fits = std::ranges::any_of(profile.encrypt_to, [&](const std::string& text) {
      return chain::Recipient::parse(text).public_key() == chain::Recipient(key).public_key();
    });
    if (fits) keys[profile.name] = key.text();
  }
  if (keys.empty()) {
    throw Error(ErrorKind::usage,
                key_file.empty()
                    ? "there is no secret key to print: no profile is encrypted and names its "
                      "`key`; give the file with --key FILE"
                    : fmt::format("no profile is encrypted for the key in {}; `rota key check` "
                                  "shows whose it is",
                                  key_file));
  }
  return keys;
}

}  // namespace rota::recovery
