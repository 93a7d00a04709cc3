#pragma once

#include <string_view>

#include "base/file.h"

namespace rota::tree {

/// Opens `path`, relative and of any length, beneath the directory `root`, and follows no symlink,
/// neither on the way nor at the end: whoever may write in the tree cannot lead rota out of it.
/// `flags` are open(2)'s; O_CLOEXEC and O_NOFOLLOW are added. An invalid Fd leaves errno set.
base::Fd open_beneath(int root, std::string_view path, int flags);

/// openat(2) for reading without touching the access time where the caller may do that.
base::Fd open_quietly(int directory, const char* name, int flags);

}  // namespace rota::tree
