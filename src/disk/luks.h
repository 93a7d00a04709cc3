#pragma once

#include <string>
#include <string_view>

#include "base/process.h"

namespace rota::disk {

/// True when this kernel has the device mapper, so that a container can be opened. Formatting one
/// works without.
bool luks_is_possible();

/// A new passphrase for people: 8 groups of 5 letters and digits, 32 symbols, so 200 bits that fit
/// on one line; no 0, 1, 8 and 9, which look like O, I, B and G.
std::string new_recovery_passphrase();

/// Whether it looks like one; nothing else has this form, a key file least of all.
bool is_recovery_passphrase(std::string_view text);

/// Makes a new key file (64 random bytes, mode 0400; its directory 0700). Throws Error(refused)
/// when there is a file of that name: it may be the only key to a disk.
void make_disk_key(const std::string& key_file);

/// What opens a container. As its opener: the key file or, when that is empty, the passphrase.
struct LuksSecrets {
  std::string key_file;             ///< path on the host
  std::string recovery_passphrase;  ///< as new_recovery_passphrase() gives it, hyphens included
};

/// Makes a LUKS2 container without a label: slot 0 PBKDF2 for the key file (it has all the entropy
/// that it needs, and opens at once), slot 1 Argon2id with 64 MiB for the recovery
/// passphrase (so that a small machine can open it). Nothing secret in the argument list.
/// Throws Error(io).
void luks_format(const std::string& node, const LuksSecrets& secrets,
                 base::ProcessRunner& processes);

/// Sets the container's label, which is what wakes the service. Throws Error(io).
void luks_set_label(const std::string& node, const std::string& label,
                    base::ProcessRunner& processes);

/// True when the key file, or the recovery passphrase, opens the container. Needs no device mapper.
bool luks_key_fits(const std::string& node, const std::string& key_file,
                   base::ProcessRunner& processes);
bool luks_passphrase_fits(const std::string& node, const std::string& passphrase,
                          base::ProcessRunner& processes);

/// Replaces what opens a container, by what opens it now. The new keys are in before the old ones
/// are gone: an interruption leaves a container that opens. Throws Error(refused) when `current`
/// does not open it, and io.
void luks_rekey(const std::string& node, const LuksSecrets& current, const LuksSecrets& fresh,
                base::ProcessRunner& processes);

/// An opened container; closed by close() or, quietly, by the destructor. What a process left open
/// that died is closed when the same container is opened again.
class LuksMapping {
 public:
  /// name: the disk's; the mapping is called "rota-<name>".
  /// Throws Error: refused when the key does not fit or the mapping is in use, io.
  LuksMapping(const std::string& node, const LuksSecrets& opener, const std::string& name,
              base::ProcessRunner& processes);
  LuksMapping(LuksMapping&& other) noexcept;
  LuksMapping& operator=(LuksMapping&&) = delete;
  ~LuksMapping();

  /// "/dev/mapper/rota-B".
  const std::string& node() const { return node_; }
  /// Throws Error(io) when it is still in use.
  void close();

 private:
  std::string mapping_;
  std::string node_;
  base::ProcessRunner* processes_;
};

}  // namespace rota::disk
