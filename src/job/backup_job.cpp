#include "job/backup_job.h"

#include <fmt/core.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/signals.h"
#include "base/text.h"
#include "base/version.h"
#include "chain/backup.h"
#include "chain/encryption.h"
#include "job/facts.h"
#include "job/known_runs.h"
#include "job/mounts.h"
#include "job/recipients.h"
#include "job/source.h"
#include "ledger/disks.h"
#include "ledger/export.h"
#include "ledger/history.h"
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

namespace {

void note_run(Server& server, const chain::RunRecord& record, std::int64_t seconds) {
  try {
    server.ledger().add_run(run_row(server.profile().name, record, seconds));
  } catch (const base::Error& error) {
    throw base::Error(error.kind(),
                      fmt::format("run {} is complete, but the ledger does not know of it: {}",
                                  record.run, error.what()));
  }
}

}  // namespace

void recover(Server& server) {
  const chain::Recovered recovered =
      chain::recover_interrupted(server.store(), server.state(), chain::Unfinished::keep);
  if (recovered.completed) note_run(server, *recovered.completed, 0);
}

namespace {

/// What stands between the hooks. start: when the first of them began.
BackupReport make_run(Server& server, bool force_full, base::Instant start,
                      const Surroundings& around) {
  base::check_stop(around.stop);
  const profile::Profile& profile = server.profile();
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
  recover(server);
  BackupReport report;
  report.record = chain::backup(server.store(), server.state(), source, settings, around.clock,
                                around.warnings, around.progress, around.stop);
  report.seconds = (around.clock.now() - start).count();
  remember_mounts(server.places(), profile.name, MountMemory::run, mounts);

  note_run(server, report.record, report.seconds);
  put_ledger(server, around.warnings);
  return report;
}

}  // namespace

BackupReport backup(Server& server, const base::LockFile&, bool force_full,
                    const Surroundings& around) {
  const profile::Profile& profile = server.profile();
  const base::Instant start = around.clock.now();
  run_pre(profile, around, "nothing was backed up");
  BackupReport report;
  try {
    report = make_run(server, force_full, start, around);
  } catch (...) {
    run_post_after_failure(profile, around);
    throw;
  }
  try {
    run_post(profile, around, "the backup is complete, but what follows it failed");
  } catch (const base::Error& error) {
    around.warnings.warn(profile.name, error.what());  // no reason to verify and purge nothing
  }
  return report;
}

namespace {

/// What an earlier rota, or the profile before it named recipients, put there in the clear: taken
/// away with its old versions, so far as the key may.
void remove_open_ledger(store::Store& store, base::Warnings& warnings) {
  base::Bytes start(chain::kHeaderSize);
  try {
    store.read(kLedgerObject, 0, start);
    if (start.front() != std::byte{'{'}) return;
  } catch (const base::Error& error) {
    if (error.kind() == base::ErrorKind::interrupted) throw;
    return;  // it is not there, or the key may not read
  }
  try {
    if (store.remove(kLedgerObject) != store::Removal::later) return;
  } catch (const base::Error& error) {
    if (error.kind() != base::ErrorKind::refused) throw;
  }
  warnings.warn(kLedgerObject,
                "an unencrypted history of the disks, with names of files, stood in the store, and "
                "this key may not delete it: delete all of its versions with a key that may");
}

}  // namespace

void put_ledger(Server& server, base::Warnings& warnings) {
  if (ledger::Disks(server.ledger()).all().empty()) return;
  // What stands there may be what brings it back.
  if (!ledger::History(server.ledger()).lost().empty()) return;
  const std::vector<chain::Recipient> recipients = recipients_of(server.profile());
  ledger::ExportScope scope;
  scope.people = !recipients.empty();
  scope.servers = {server.profile().name};
  scope.known_servers = profile::list_profiles(server.places());
  const std::string text = ledger::export_json(server.ledger(), scope);
  const auto plain = base::as_bytes(text);
  try {
    if (server.profile().lock_days > 0) server.store().set_lock(std::nullopt);  // it is replaced
    if (recipients.empty()) {
      server.store().put(kLedgerObject, plain);
    } else {
      remove_open_ledger(server.store(), warnings);
      server.store().put(kLedgerObject, chain::encrypt_alone(chain::ObjectType::ledger,
                                                             kLedgerObject, recipients, plain));
    }
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
