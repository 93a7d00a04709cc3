#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/process.h"

namespace rota::disk {

/// "ext4", "xfs" or "btrfs".
bool is_disk_filesystem(const std::string& fs_type);

/// The command that a person runs to repair a damaged one: "e2fsck -f /dev/sdb1". Pure.
std::string repair_command(const std::string& node, const std::string& fs_type);

/// The command that makes a filesystem without a label, quick on a disk of any size: nothing is
/// discarded, and tables are filled in lazily. size: of the device, bytes. Pure.
std::vector<std::string> mkfs_command(const std::string& node, const std::string& fs_type,
                                      std::uint64_t size);

/// The command that labels an unmounted filesystem. Pure.
std::vector<std::string> label_command(const std::string& node, const std::string& fs_type,
                                       const std::string& label);

/// Runs one of the commands above. Throws Error(io) with the last lines that it printed.
/// doing: "make the filesystem", for the message.
void run_tool(const std::vector<std::string>& argv, const std::string& doing,
              base::ProcessRunner& processes);

/// The name of the reserve file below a disk's root.
inline constexpr const char* kReserveFile = "rota/reserve";
/// Its size on a filesystem of `size` bytes: a 500th part, 1 to 64 MiB. Pure.
std::uint64_t reserve_size(std::uint64_t size);
/// Makes the reserve file, with blocks that are really allocated, so that a full disk can be
/// cleaned up: remove it first. Existing is no error. Throws Error(io).
void make_reserve(int root);
/// Gives its room free. Absent is no error. Throws Error(io).
void release_reserve(int root);

}  // namespace rota::disk
