#pragma once

#include "cli/command.h"
#include "job/disk_events.h"

namespace rota::cli {

/// Shows what happens to a disk: each event as a line of JSON with --json, what a person should
/// know with --verbose or on a terminal, nothing in cron.
job::OnDiskEvent show_disk_events(const Context& context);

}  // namespace rota::cli
