#pragma once

#include <stop_token>
#include <string>

#include "base/progress.h"
#include "disk/check_result.h"

namespace rota::disk {

/// Which contents are read.
enum class What {
  fresh,      ///< every inode that the copy itself wrote: before the seal
  everything  ///< all of it
};

struct CheckOptions {
  What what = What::fresh;
  bool metadata = true;  ///< compare every entry of the tree with the index
  /// Off only to show, in tests, that the page cache hides damage.
  bool bypass_cache = true;
};

/// Reads a copy back and holds it against its index, and the index and SHA256SUMS against
/// COPY.json. For read-back to say something of the medium the disk was unmounted since it was
/// written.
///
/// Damage is no exception but in the result, also that of the index, SHA256SUMS and COPY.json:
/// without them the copy's files cannot be judged, and are not read. Throws FileError,
/// Error(interrupted).
///
/// Memory: kReaders × (1 MiB + one batch).
CheckResult verify_copy(int root, const std::string& server, const std::string& directory,
                        const CheckOptions& options, base::Progress& progress,
                        const std::stop_token& stop);

/// Notes what a check found in a file on the disk (which must be writable), so that later copies
/// write these files anew instead of linking them. When there was more than the result could hold,
/// all of the copies that it speaks of is distrusted. Nothing to note is no error.
void note_damage(int root, const std::string& server, const CheckResult& result);

}  // namespace rota::disk
