#pragma once

#include <string>

#include "base/file.h"
#include "chain/key.h"

namespace rota::chain {

/// Reads a file that holds a secret key's text; lines that begin with '#' are comments, and the
/// text may be spread over several lines, as somebody types it who reads it from paper.
///
/// Throws Error(config) for a file that others than its owner can read or write (a pipe is not
/// looked at), and for what is no key, not_found or io.
SecretKey read_key_file(const std::string& path);

/// The first line of a file, without its end: a passphrase. The same rules.
std::string read_passphrase_file(const std::string& path);

/// Writes a new file (0600) that read_key_file() reads, whole and durable or not at all. Throws
/// Error(refused) when there is something of that name already.
void write_key_file(const std::string& path, const SecretKey& key,
                    base::FileOps& files = base::real_files());

}  // namespace rota::chain
