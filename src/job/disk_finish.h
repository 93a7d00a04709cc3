#pragma once

#include <cstdint>
#include <string>

#include "disk/mount.h"
#include "ledger/disks.h"
#include "ledger/export.h"
#include "ledger/ledger.h"
#include "profile/rotation.h"

namespace rota::job {

/// What the ledger on a disk may tell: all where the disk is encrypted, but on one that is limited
/// to certain servers only what is said of them and the disks that hold them; on a plain disk only
/// what is said of this one, without names of people and places. profiles: all of this machine.
ledger::ExportScope scope_of(const ledger::DiskRow& disk, const profile::Rotation& rotation,
                             std::vector<std::string> profiles);

/// Writes what a person or another station finds on a disk beside the copies: RECOVER.txt, and the
/// ledger as it is now. Notes the room on it in the ledger; next_copy: what the next copy is
/// expected to add, in bytes.
void finish_disk(const disk::DiskMount& mount, const ledger::DiskRow& disk,
                 const ledger::ExportScope& scope, std::uint64_t next_copy, ledger::Ledger& ledger,
                 base::Instant now);

/// The export of a ledger on a disk, below its root.
inline constexpr const char* kLedgerFile = "rota/ledger.json";

}  // namespace rota::job
