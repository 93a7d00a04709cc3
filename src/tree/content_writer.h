#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <stop_token>
#include <string>

#include "base/error.h"
#include "base/hash.h"
#include "base/progress.h"
#include "tree/content_error.h"
#include "tree/source.h"

namespace rota::tree {

struct WriteNeeds {
  bool digest = false;  ///< hash the content though the entry has no digest to check
  /// The file to write is a clone of this one: only what differs is written, so that the rest stays
  /// shared. -1: it is empty.
  int clone_of = -1;
};

struct Written {
  std::optional<base::Sha256Digest> digest;  ///< where it was needed
  std::uint64_t size = 0;
  bool noise = false;  ///< see NoiseMeter
};

/// Writes a content into `fd`, open for writing; holes stay holes. Counts bytes in `progress`.
///
/// entry: its digest, if there is one, and size say what the content must be.
/// shown: the file's name for messages; buffer: room to work with.
///
/// Throws FileError, ContentError(io), Error(interrupted), and Error(corrupt) when the content is
/// not what the digest says.
Written write_content(int fd, Content& content, const Entry& entry, const std::string& shown,
                      std::span<std::byte> buffer, base::Progress& progress,
                      const std::stop_token& stop, const WriteNeeds& needs = {});

/// Lets `fd`, open for writing, share all of the content of `other` (FICLONE). False where the
/// filesystem cannot.
bool clone_file(int fd, int other);

}  // namespace rota::tree
