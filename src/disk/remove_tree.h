#pragma once

#include <stop_token>
#include <string>

#include "base/progress.h"

namespace rota::disk {

/// Removes a directory and all that is in it, however deep and however many, following no symlink.
/// shown: it, for messages. Throws FileError, Error(interrupted), and Error(refused) where
/// something is mounted in it, which is left alone.
///
/// Needs no room on the filesystem, and bounded memory: what lies deeper than kMaxDepth is first
/// moved up.
void remove_tree(int parent, const std::string& name, const std::string& shown,
                 base::Progress& progress, const std::stop_token& stop);

}  // namespace rota::disk
