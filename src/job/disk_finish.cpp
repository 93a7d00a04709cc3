#include "job/disk_finish.h"

#include "base/atomic_file.h"
#include "disk/copies.h"
#include "disk/power.h"
#include "disk/recover_text.h"
#include "ledger/export.h"

namespace rota::job {

void finish_disk(const disk::DiskMount& mount, const ledger::DiskRow& disk, std::uint64_t next_copy,
                 ledger::Ledger& ledger, base::Instant now) {
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
  // A plain disk that somebody finds must not tell where the others are.
  const bool encrypted = !disk.luks_uuid.empty();
  base::write_file(mount.path() + "/" + kLedgerFile, ledger::export_json(ledger, encrypted), 0600);
}

}  // namespace rota::job
