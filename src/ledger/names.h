#pragma once

#include <string_view>

#include "ledger/disk_rows.h"
#include "ledger/drills.h"

namespace rota::ledger {

/// Whether a disk can have this name; see check_disk_name().
bool is_disk_name(std::string_view name);
/// Whether a directory rota/<server> on a disk can have this name: that of a profile.
bool is_server_name(std::string_view name);

/// The names in a row become names of files and stand in messages. Each throws Error(corrupt) for
/// one that none can have.
void check_names(const DiskRow& row);
void check_names(const ClaimRow& row);
void check_names(const ObservationRow& row);
void check_names(const CopyRow& row);
void check_names(const CheckRow& row);
void check_names(const AlarmRow& row);
void check_names(const DrillRow& row);

}  // namespace rota::ledger
