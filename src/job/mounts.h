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

/// What was mounted when a copy of the profile was sealed last; nothing when that is not known.
/// Kept in <state>/<profile>/mounts, a path a line.
std::optional<std::vector<std::string>> remembered_mounts(const profile::Places& places,
                                                          const std::string& profile);
void remember_mounts(const profile::Places& places, const std::string& profile,
                     const std::vector<std::string>& mounts);

}  // namespace rota::job
