#include "job/disk_finish.h"

#include "base/atomic_file.h"
#include "disk/copies.h"
#include "disk/power.h"
#include "disk/recover_text.h"
#include "ledger/export.h"

namespace rota::job {

/// A plain disk that somebody finds must not tell where the others are, nor one customer's disk the
/// names of another's files.
ledger::ExportScope scope_of(const ledger::DiskRow& disk, const profile::Rotation& rotation,
                             std::vector<std::string> profiles) {
  ledger::ExportScope scope;
  scope.people = !disk.luks_uuid.empty();
  if (!scope.people) scope.disk = disk.name;
  scope.servers = rotation.limit_of(disk.name);
  scope.known_servers = std::move(profiles);
  return scope;
}

void finish_disk(const disk::DiskMount& mount, const ledger::DiskRow& disk,
                 const ledger::ExportScope& scope, std::uint64_t next_copy, ledger::Ledger& ledger,
                 base::Instant now) {
  disk::RecoverFacts facts;
  facts.label = disk.label;
  facts.encrypted = !disk.luks_uuid.empty();
  facts.written = now;
  for (const disk::CopyInfo& info : disk::list_copies(mount.fd())) {
    if (info.state != disk::CopyState::sealed || !info.record) continue;
    facts.copies.push_back({info.server, base::compact(info.time), info.time, info.record->source,
                            info.record->entries, info.record->bytes, info.record->long_paths});
  }
  base::write_file(mount.path() + "/RECOVER.txt", disk::recover_text(facts), 0644);
  const disk::Usage usage = disk::usage(mount.fd());
  ledger::Disks disks(ledger);
  disks.set_room(disk.name, usage.size, usage.used, next_copy, now);
  base::write_file(mount.path() + "/" + kLedgerFile, ledger::export_json(ledger, scope), 0600);
}

}  // namespace rota::job
