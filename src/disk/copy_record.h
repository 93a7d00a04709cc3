#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "base/time.h"

namespace rota::disk {

/// What COPY.json says of a copy.
struct CopyRecord {
  std::string server;
  base::Instant time{};      ///< of the snapshot
  base::Instant finished{};  ///< when it was written to its end (not yet verified or sealed)
  std::string source;        ///< what was copied, in words: "/ of web1", "chain … of …"
  std::string host;          ///< the machine that wrote it
  std::string program;       ///< "rota 0.1.0"
  std::uint64_t entries = 0;
  std::uint64_t files = 0;  ///< regular files, each hard-linked name for itself
  std::uint64_t bytes = 0;  ///< of regular files, a hard-linked file once
  std::uint64_t new_inodes =
      0;  ///< entries, directories apart, that share none with an earlier copy
  std::uint64_t new_bytes = 0;  ///< of those that are files
  std::uint64_t linked = 0;     ///< entries that are hard links to the copy before
  std::uint64_t linked_bytes = 0;
  std::string predecessor;  ///< snapshot; empty: none
  std::uint64_t changed = 0;
  std::uint64_t touched = 0;
  std::uint64_t added = 0;
  std::uint64_t removed = 0;
  std::uint64_t warnings = 0;
  std::uint64_t long_paths = 0;  ///< entries that stand in the index only, not in SHA256SUMS
  base::Sha256Digest index_sha256{};
  base::Sha256Digest sums_sha256{};
};

inline constexpr std::uint64_t kMaxRecordBytes = 1 << 20;

/// Texts that are not UTF-8 get U+FFFD where they are not.
std::string to_json(const CopyRecord& record);

/// Reads what to_json() made, from bytes that nobody vouches for: throws Error(corrupt), or
/// Error(config) for a newer format.
CopyRecord parse_copy_record(std::string_view text);

}  // namespace rota::disk
