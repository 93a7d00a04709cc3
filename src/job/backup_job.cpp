#include "job/backup_job.h"

#include <fmt/core.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/text.h"
#include "base/version.h"
#include "chain/backup.h"
#include "job/facts.h"
#include "job/mounts.h"
#include "job/recipients.h"
#include "job/source.h"
#include "ledger/disks.h"
#include "ledger/export.h"
#include "tree/local_source.h"

namespace rota::job {

namespace {

/// A filesystem that is not mounted looks like one whose files were all removed. What is to be
/// remembered after the run; a mount that is missing is missed each time.
std::vector<std::string> check_mounts(const profile::Profile& profile,
                                      const profile::Places& places, base::Warnings& warnings) {
  if (profile.one_file_system) return {};
  std::vector<std::string> mounts = data_mounts(profile.source);
  const auto before = remembered_mounts(places, profile.name, MountMemory::run);
  if (!before) return mounts;
  for (const std::string& path : forgotten_mounts(*before, mounts)) {
    const std::string shown = base::printable(path);
    if (path == profile.source) {
      throw base::Error(
          base::ErrorKind::refused,
          fmt::format("{} was mounted at the last run, is not now, and its directory is empty: "
                      "nothing was backed up; mount it, or remove the file mounts-run in {}/{} if "
                      "it shall be backed up as it is",
                      shown, places.state, profile.name));
    }
    warnings.warn(shown,
                  "was mounted at the last run and is not now: what was in it counts as removed; "
                  "mount it, or remove its empty directory if it is gone for good");
    mounts.push_back(path);
  }
  return mounts;
}

}  // namespace

BackupReport backup(Server& server, bool force_full, const Surroundings& around) {
  const base::LockFile lock = server.lock();
  return backup(server, lock, force_full, around);
}

BackupReport backup(Server& server, const base::LockFile&, bool force_full,
                    const Surroundings& around) {
  const profile::Profile& profile = server.profile();
  const base::Instant start = around.clock.now();
  run_hook(profile, around, Hook::pre, "nothing was backed up");

  const std::vector<std::string> mounts = check_mounts(profile, server.places(), around.warnings);
  tree::LocalSource source(profile.source, selection(profile, server.places(), around.warnings),
                           around.warnings);
  chain::BackupSettings settings;
  settings.force_full = force_full;
  settings.max_full_age = profile.max_full_age;
  settings.source = profile.source;
  settings.host = host_name();
  settings.program = fmt::format("rota {}", base::kVersion);
  settings.level = profile.compression_level;
  settings.facts = system_facts(around.processes);
  settings.recipients = recipients_of(profile);
  settings.keys = &server.keys();
  if (profile.lock_days > 0) {
    settings.lock = {std::chrono::days(profile.lock_days),
                     profile.lock_compliance ? store::ObjectLock::Mode::compliance
                                             : store::ObjectLock::Mode::governance};
  }
  BackupReport report;
  report.record = chain::backup(server.store(), server.state(), source, settings, around.clock,
                                around.warnings, around.progress, around.stop);
  report.seconds = (around.clock.now() - start).count();
  remember_mounts(server.places(), profile.name, MountMemory::run, mounts);

  const chain::RunRecord& record = report.record;
  ledger::RunRow row;
  row.profile = profile.name;
  row.name = record.run;
  row.chain = record.chain;
  row.kind =
      record.kind == chain::RunKind::full ? ledger::RunKind::full : ledger::RunKind::increment;
  row.time = record.time;
  row.files = record.files;
  row.bytes = record.bytes;
  row.stored = record.stored;
  row.warnings = record.warnings;
  row.seconds = report.seconds;
  server.ledger().add_run(row);
  put_ledger(server, around.warnings);
  run_hook(profile, around, Hook::post, "the backup is complete, but what follows it failed");
  return report;
}

/// Never with names of people and places: a store need not be encrypted.
void put_ledger(Server& server, base::Warnings& warnings) {
  if (ledger::Disks(server.ledger()).all().empty()) return;
  const std::string text = ledger::export_json(server.ledger(), false);
  try {
    if (server.profile().lock_days > 0) server.store().set_lock(std::nullopt);  // it is replaced
    server.store().put(kLedgerObject, base::as_bytes(text));
  } catch (const base::Error& error) {
    // A key that may add and not replace is a good key.
    if (error.kind() == base::ErrorKind::refused) return;
    if (error.kind() == base::ErrorKind::interrupted) throw;
    warnings.warn(
        kLedgerObject,
        fmt::format("the history of the disks was not put into the store: {}", error.what()));
  }
}

}  // namespace rota::job
