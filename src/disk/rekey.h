#pragma once

#include <string>

#include "base/process.h"

namespace rota::disk {

/// Gives an encrypted disk a new key file and a new recovery passphrase, which is returned: to be
/// shown once. Whatever opened it before no longer does.
///
/// opener: a recovery passphrase, when the key file is lost; else empty. The new key is made beside
/// the old one ("<key_file>.new") and takes its place when the container has it. An interruption in
/// between is cleared up by the next call; until then one of the two files opens the disk.
/// Throws Error: refused when the opener, or the key file, does not open the container; io.
std::string rekey_disk(const std::string& node, const std::string& key_file,
                       const std::string& opener, base::ProcessRunner& processes);

}  // namespace rota::disk
