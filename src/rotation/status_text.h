#pragma once

#include <string>

#include "rotation/status.h"

namespace rota::rotation {

/// What `rota status` prints, for people: exposure, the disks as a table, what is wrong, what is to
/// be done, and each profile's chains.
std::string status_text(const Status& status, base::Instant now);

/// The disks alone, as a table with a line for each; empty when there are none.
std::string disk_table(const RotationStatus& status);

}  // namespace rota::rotation
