#pragma once

#include <cstdint>
#include <string>

#include "disk/mount.h"
#include "ledger/disks.h"
#include "ledger/ledger.h"

namespace rota::job {

/// Writes what a person or another station finds on a disk beside the copies: RECOVER.txt, and the
/// ledger as it is now, with names of people and places only where the disk is encrypted. Notes the
/// room on it in the ledger; next_copy: what the next copy is expected to add, in bytes.
void finish_disk(const disk::DiskMount& mount, const ledger::DiskRow& disk, std::uint64_t next_copy,
                 ledger::Ledger& ledger, base::Instant now);

/// The export of a ledger on a disk, below its root.
inline constexpr const char* kLedgerFile = "rota/ledger.json";

}  // namespace rota::job
