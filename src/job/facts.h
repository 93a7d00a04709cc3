#pragma once

#include <string>

#include "base/process.h"

namespace rota::job {

/// What a rebuild of this machine needs to know and a file tree does not tell: kernel, partitions,
/// mounts, volume groups, packages, network. Plain text in sections, the same as long as nothing of
/// it changes: neither times nor free space stand in it. What cannot be asked here (no such
/// program) is left out.
std::string system_facts(base::ProcessRunner& processes);

}  // namespace rota::job
