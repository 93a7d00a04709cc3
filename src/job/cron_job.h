#pragma once

#include "job/backup_job.h"
#include "job/purge_job.h"
#include "job/verify_job.h"

namespace rota::job {

struct CronReport {
  BackupReport backup;
  chain::VerifyResult verified;
  chain::Removed purged;  ///< by both rules
};

/// The nightly run, under one lock: back up, verify from the listing, then purge by age and by the
/// number of fulls. Nothing is purged unless what stays is whole: Error(corrupt) says what is not.
/// Whatever is thrown says which step failed and what stands.
CronReport cron(Server& server, const Surroundings& around);

}  // namespace rota::job
