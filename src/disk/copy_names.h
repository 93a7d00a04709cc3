#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/time.h"

namespace rota::disk {

/// Where a copy lies below the root of a disk (docs/format.md, "On a disk"):
///   rota/<server>/<snapshot>/tree/       the files
///   rota/<server>/<snapshot>/index       what they were in the source
///   rota/<server>/<snapshot>/SHA256SUMS  for `sha256sum -c`, to be run in tree/
///   rota/<server>/<snapshot>/COPY.json   what the copy is
/// The snapshot is named by its UTC time. "<snapshot>.partial" is a copy that is not sealed;
/// "<snapshot>.old" one that is being removed, or that another attempt of the same snapshot
/// replaces.
inline constexpr const char* kTop = "rota";
inline constexpr const char* kTree = "tree";
inline constexpr const char* kIndex = "index";
inline constexpr const char* kSums = "SHA256SUMS";
inline constexpr const char* kRecord = "COPY.json";

enum class CopyState {
  sealed,   ///< it counts
  partial,  ///< its writing, or what follows it, did not come to the seal
  leftover  ///< nothing but room for others
};
std::string_view state_word(CopyState state);  ///< "sealed", "partial", "leftover"

struct CopyName {
  base::Instant time{};
  CopyState state = CopyState::sealed;
};

/// Names of directories of copies. parse: nothing when the text is no such name.
std::string copy_directory(base::Instant time, CopyState state);
std::optional<CopyName> parse_copy_directory(std::string_view name);

/// True for what may name a server on a disk: 1 to 100 letters, digits, '.', '-', '_', not with a
/// '.' in front.
bool is_server_name(std::string_view name);

/// The directory rota/<server> of a disk, opened; made (durably) when `make` is set. An invalid Fd
/// when it is not there. Throws Error(usage) for a name that cannot be one, FileError.
base::Fd open_server(int root, const std::string& server, bool make = false);

/// The directory of one copy. Throws FileError, not_found when there is none.
base::Fd open_copy(int root, const std::string& server, const std::string& directory);

}  // namespace rota::disk
