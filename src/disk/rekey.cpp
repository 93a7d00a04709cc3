#include "disk/rekey.h"

#include <unistd.h>

#include "base/file.h"
#include "disk/luks.h"

namespace rota::disk {

namespace {

void put_in_place(const std::string& fresh, const std::string& key_file) {
  base::real_files().rename(fresh, key_file);
  base::real_files().sync_directory(base::parent_directory(key_file));
}

}  // namespace

std::string rekey_disk(const std::string& node, const std::string& key_file,
                       const std::string& opener, base::ProcessRunner& processes) {
  const std::string fresh_file = key_file + ".new";
  if (base::exists(fresh_file)) {  // of a call that was interrupted
    if (luks_key_fits(node, fresh_file, processes)) {
      put_in_place(fresh_file, key_file);
    } else {
      base::real_files().unlink(fresh_file);
    }
  }
  make_disk_key(fresh_file);
  const LuksSecrets fresh{fresh_file, new_recovery_passphrase()};
  const LuksSecrets current{opener.empty() ? key_file : "", opener};
  try {
    luks_rekey(node, current, fresh, processes);
  } catch (...) {
    // Once the container has the new key it may be the only one: then it stays for the next call.
    bool needed = true;
    try {
      needed = luks_key_fits(node, fresh_file, processes);
    } catch (...) {
      // Not known: it stays.
    }
    if (!needed) ::unlink(fresh_file.c_str());
    throw;
  }
  put_in_place(fresh_file, key_file);
  return fresh.recovery_passphrase;
}

}  // namespace rota::disk
