#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "base/process.h"

namespace rota::disk {

/// What a filesystem says of itself before it is mounted.
enum class FilesystemState {
  clean,         ///< unmounted in good order
  needs_replay,  ///< not unmounted in good order: mounting it read-write completes its journal
  flagged,       ///< it knows that it has errors: not to be mounted without a full check
};

struct FilesystemReport {
  FilesystemState state = FilesystemState::clean;
  std::string detail;  ///< in words, for the log and the screen: "its journal is to be replayed"
};

/// Reads the superblock of an unmounted filesystem; fs_type: "ext4", "xfs" or "btrfs".
///
/// ext4 tells all three. XFS tells only that it needs repair: whether its log is to be replayed
/// stands in the log, and the kernel does it while mounting. btrfs tells of a log and of errors.
/// Throws Error(corrupt) when there is no such superblock, refused for other kinds, not_found and
/// io.
FilesystemReport inspect_filesystem(const std::string& node, const std::string& fs_type);

/// The same from bytes: the first 128 KiB of the device, or what there is. Throws Error(corrupt).
FilesystemReport judge_superblock(std::span<const std::byte> head, const std::string& fs_type);

/// The full check, for a flagged filesystem only: with millions of links it takes hours.
///
/// ext4: `e2fsck -p -f`, which repairs what can be repaired without a decision; xfs: `xfs_repair
/// -n`, btrfs: `btrfs check --readonly`, which only look. Returns what was repaired, in words; ""
/// when nothing had to be. Throws Error(corrupt), naming the command that a person must run, when
/// it is damaged or only seems so, and io when the program cannot be run.
std::string check_filesystem(const std::string& node, const std::string& fs_type,
                             base::ProcessRunner& processes);

}  // namespace rota::disk
