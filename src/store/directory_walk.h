#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/file.h"
#include "store/store.h"

namespace rota::store {

/// Opens a directory below `root`, one component at a time and never through a symbolic link: what
/// lies in a store may have been planted there.
///
/// path: components joined by '/'; "" is the root itself.
/// Returns an invalid Fd when there is no such directory. The descriptor serves only as the base
/// of other calls (O_PATH). Throws FileError, with ELOOP at a symbolic link.
base::Fd open_beneath(int root, std::string_view path);

/// One page of Store::list() from the files below `root`, an open directory.
///
/// Memory: the names of one directory for each level. Whatever is not a regular file or directory,
/// or has a name that is_name() refuses, is passed over, and so is what disappears meanwhile.
/// Throws FileError.
Page list_directory(base::Fd root, const std::string& prefix, const std::string& after,
                    std::size_t limit);

}  // namespace rota::store
