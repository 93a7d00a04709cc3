#pragma once

#include "chain/record.h"
#include "job/server.h"

namespace rota::job {

struct BackupReport {
  chain::RunRecord record;
  std::int64_t seconds = 0;
};

/// One nightly backup: lock, `pre` hook, source into chain, ledger, `post` hook. Warnings (files
/// that could not be read) go to `around.warnings`; anything thrown means that no run was made,
/// unless the message says that it is complete: by `post`, and where it could not be noted here.
BackupReport backup(Server& server, bool force_full, const Surroundings& around);
/// The same as a step of a job that holds the profile's lock.
BackupReport backup(Server& server, const base::LockFile& held, bool force_full,
                    const Surroundings& around);

/// The history of rotation disks in a profile's store, for `rota ledger rebuild`.
inline constexpr const char* kLedgerObject = "ledger.json";
/// Puts it there after every run: what is said of this server and the disks that hold it. Where the
/// profile encrypts, for the same recipients; else without names of people and places. Nothing
/// where there are no disks; that it could not be put is a warning, but for a key that may not
/// replace objects.
void put_ledger(Server& server, base::Warnings& warnings);

/// Ends what was interrupted, but for a run that may be resumed (chain::recover_interrupted), and
/// tells the ledger of a run that had become visible. For jobs that hold the profile's lock.
void recover(Server& server);

}  // namespace rota::job
