#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace rota::disk {

inline constexpr std::string_view kLabelPrefix = "ROTA-";
/// XFS labels have 12 characters.
inline constexpr std::size_t kMaxDiskName = 7;

/// True for the name of a disk: 1 to 7 of A-Z and 0-9. Pure.
bool is_disk_name(std::string_view name);
/// "B" -> "ROTA-B".
std::string disk_label(std::string_view name);
/// "ROTA-B" -> "B"; nothing when it is not the label of a rotation disk.
std::optional<std::string> name_of_label(std::string_view label);

/// What `rota/disk.json` on a disk says. The file names the disk for people as well; what proves it
/// is the token, whose hash the ledger knows and which is replaced at each seal, so that a clone of
/// the disk goes stale.
struct Identity {
  std::string name;     ///< is_disk_name()
  std::string set;      ///< of the rotation; is_set_name(), or empty: the only one
  std::string fs_uuid;  ///< as libblkid gives it
  base::Instant prepared{};
  std::string token;  ///< 64 hexadecimal digits
  friend bool operator==(const Identity&, const Identity&) = default;
};

/// 1 to 64 of a-z, A-Z, 0-9, "-", "_" and ".", not beginning with a dot. Pure.
bool is_set_name(std::string_view name);

/// 32 bytes from the kernel's random source, in hexadecimal.
std::string new_token();
/// SHA-256 in hexadecimal: what the ledger keeps of a token.
std::string token_hash(std::string_view token);

/// The file's bytes, and back. decode throws Error(corrupt) for anything that encode does not
/// write but for unknown members, which a later version may add, and Error(config) for a newer
/// format.
std::string encode_identity(const Identity& identity);
Identity decode_identity(std::string_view text);

/// Reads the identity below a disk's root directory, following no symlink and opening nothing but a
/// regular file. Nothing when there is none. Throws Error: corrupt, config (see above), io.
std::optional<Identity> read_identity(int root);

/// Writes it whole and durably, or not at all: beside its place, then renamed. Throws Error(io).
void write_identity(int root, const Identity& identity);

/// Gives the disk a new token. The order that an interruption cannot break: the ledger notes
/// token_hash(token) as the next one; then this; then the disk is unmounted; and only then does the
/// ledger make it the current one. (Of a disk that was pulled out before, an `untouched` mount may
/// still show the token before, since the rename is in the journal only.)
void replace_token(int root, Identity& identity, const std::string& token);

}  // namespace rota::disk
