#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "profile/places.h"

namespace rota::job {

/// The mount points at or below `source` that hold data of their own, sorted: a source with one of
/// them missing looks like a source whose files were deleted. Not those of the kernel (proc, sysfs,
/// cgroups, …), of memory (tmpfs, ramfs), or below /run.
///
/// mountinfo: the text of /proc/self/mountinfo. Pure.
std::vector<std::string> data_mounts(std::string_view mountinfo, const std::string& source);

/// The same of this machine, now.
std::vector<std::string> data_mounts(const std::string& source);

/// Whose mounts are remembered: those of the last sealed copy, or of the last run.
enum class MountMemory { copy, run };

/// What was mounted then; nothing when that is not known. Kept in <state>/<profile>/mounts and
/// mounts-run, a path a line.
std::optional<std::vector<std::string>> remembered_mounts(const profile::Places& places,
                                                          const std::string& profile,
                                                          MountMemory of);
void remember_mounts(const profile::Places& places, const std::string& profile, MountMemory of,
                     const std::vector<std::string>& mounts);

/// Of those that were mounted before, the ones that are not now and whose directory is there still,
/// with nothing in it: forgotten rather than given up. Removing the directory says that it is.
std::vector<std::string> forgotten_mounts(const std::vector<std::string>& before,
                                          const std::vector<std::string>& now);

}  // namespace rota::job
