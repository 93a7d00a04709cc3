#include "job/backup_job.h"

#include <fmt/core.h>
#include <unistd.h>

#include <array>

#include "base/error.h"
#include "base/signals.h"
#include "base/version.h"
#include "chain/backup.h"
#include "dump/hooks.h"
#include "job/facts.h"
#include "job/recipients.h"
#include "tree/local_source.h"

namespace rota::job {

namespace {

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "";
  return name.data();
}

tree::Selection selection(const profile::Profile& profile, const profile::Places& places) {
  tree::Selection selection;
  // Rota's own things first: the first rule that matches decides.
  for (const std::string& path : profile::implied_excludes(profile, places)) {
    selection.rules.add_exclude(path);
  }
  selection.rules.append(tree::ExcludeRules::parse(profile.exclude_text, profile.exclude_path));
  selection.one_file_system = profile.one_file_system;
  selection.exclude_caches = profile.exclude_caches;
  selection.exclude_if_present = profile.exclude_if_present;
  return selection;
}

void hook(const Server& server, const Surroundings& around, const std::string& path,
          const char* when, const char* consequence) {
  if (!path.empty()) around.progress.set_activity(fmt::format("{} hook", when));
  try {
    dump::run_hook(around.processes, path, server.profile().name, when);
  } catch (const base::Error& error) {
    base::check_stop(around.stop);  // Ctrl-C reaches the hook too
    if (error.kind() == base::ErrorKind::interrupted) {
      throw base::Error(error.kind(), fmt::format("{}: {}", error.what(), consequence));
    }
    throw base::Error(error.kind(), fmt::format("{}: {}", consequence, error.what()));
  }
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
  hook(server, around, profile.pre, "pre", "nothing was backed up");

  tree::LocalSource source(profile.source, selection(profile, server.places()), around.warnings);
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
  hook(server, around, profile.post, "post", "the backup is complete, but what follows it failed");
  return report;
}

}  // namespace rota::job
