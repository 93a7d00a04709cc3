#pragma once

#include <cstddef>
#include <span>
#include <stop_token>
#include <string>

#include "base/progress.h"
#include "tree/source.h"

namespace rota::tree {

/// Writes a content into `fd`, an empty file open for writing; holes stay holes. Counts bytes in
/// `progress`.
///
/// entry: its digest, if there is one, and size say what the content must be.
/// shown: the file's name for messages; buffer: room to work with.
///
/// Throws Error(io), Error(interrupted), and Error(corrupt) when the content is not what the digest
/// says.
void write_content(int fd, Content& content, const Entry& entry, const std::string& shown,
                   std::span<std::byte> buffer, base::Progress& progress,
                   const std::stop_token& stop);

}  // namespace rota::tree
