#include "job/disk_check.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "disk/copies.h"
#include "disk/damaged_copies.h"
#include "disk/verify_copy.h"

namespace rota::job {

std::string check_text(const disk::CheckResult& check) {
  if (check.good()) {
    return fmt::format("{} files, {}{}", base::human_count(check.files),
                       base::human_size(check.bytes),
                       check.direct ? "" : " (without direct I/O, which the filesystem refuses)");
  }
  if (!check.damage.empty()) {
    return fmt::format("{}: {}", base::printable(check.damage.front().path),
                       check.damage.front().what);
  }
  if (check.differences.empty()) return "damaged";
  return fmt::format("{}: {}", base::printable(check.differences.front().first),
                     check.differences.front().second);
}

DiskChecks::DiskChecks(ledger::Disks& disks, DiskLog& log, const DiskSession& session,
                       const Surroundings& around)
    : disks_(disks), log_(log), session_(session), disk_(session.row().name), around_(around) {}

void DiskChecks::require_disk(const disk::CheckResult& check) const {
  if (check.good() || session_.is_at_its_port(kVanishing)) return;
  throw base::Error(base::ErrorKind::io,
                    fmt::format("disk {} was pulled out, or lost its power, while it was read; "
                                "that says nothing of its copies",
                                disk_));
}

disk::CheckResult DiskChecks::verify(const disk::DiskMount& mount, const std::string& server,
                                     const std::string& directory, ledger::CheckKind what,
                                     std::uint64_t bytes) {
  log_.begins("read back", server);
  around_.progress.total_bytes = bytes;
  const base::Instant start = around_.clock.now();
  disk::CheckOptions options;
  if (what == ledger::CheckKind::full) options.what = disk::What::everything;
  const disk::CheckResult check =
      disk::verify_copy(mount.fd(), server, directory, options, around_.progress, around_.stop);
  require_disk(check);
  ledger::CheckRow row;
  row.disk = disk_;
  row.server = server;
  row.snapshot = directory.substr(0, directory.find('.'));
  row.time = around_.clock.now();
  row.what = what;
  row.good = check.good();
  row.files = check.files;
  row.bytes = check.bytes;
  row.seconds = (row.time - start).count();
  if (!row.good) row.problem = check_text(check);
  disks_.add_check(row);
  log_.event("read back", row.good ? "done" : "failed", check_text(check), server);
  return check;
}

std::vector<Scrubbed> DiskChecks::scrub(const disk::DiskMount& mount, std::chrono::seconds budget) {
  const base::Instant since = around_.clock.now();
  std::vector<std::string> servers;
  for (const disk::CopyInfo& info : disk::list_copies(mount.fd())) {
    if (info.state == disk::CopyState::sealed &&
        std::ranges::find(servers, info.server) == servers.end()) {
      servers.push_back(info.server);
    }
  }
  std::vector<Scrubbed> all;
  for (const std::string& server : servers) {
    const std::chrono::seconds left = budget - (around_.clock.now() - since);
    if (left.count() <= 0) break;
    log_.begins("scrub", server);
    Scrubbed one{server, disk::load_scrub_state(mount.fd(), server), {}};
    one.result = disk::scrub(mount.fd(), server, one.state, left, since, around_.clock,
                             around_.progress, around_.stop);
    const disk::CheckResult& check = one.result.check;
    require_disk(check);
    log_.event("scrub", check.good() ? "done" : "failed", check_text(check), server);
    for (const disk::Damage& damage : check.damage) {
      around_.warnings.warn(fmt::format("{}/{}", server, damage.path), damage.what);
    }
    if (!check.good()) record_damage(mount, one);
    all.push_back(std::move(one));
  }
  return all;
}

/// Not only of the copies that wrote what is damaged: the newest one links to it, too.
void DiskChecks::record_damage(const disk::DiskMount& mount, const Scrubbed& scrubbed) {
  const disk::CheckResult& check = scrubbed.result.check;
  std::vector<std::string> names;
  for (const disk::CopyInfo& copy : disk::damaged_copies(mount.fd(), scrubbed.server, check)) {
    names.push_back(base::compact(copy.time));
    if (!disks_.copy(disk_, scrubbed.server, names.back())) continue;
    ledger::CheckRow row;
    row.disk = disk_;
    row.server = scrubbed.server;
    row.snapshot = names.back();
    row.time = around_.clock.now();
    row.what = ledger::CheckKind::scrub;
    row.files = check.files;
    row.bytes = check.bytes;
    row.problem = check_text(check);
    disks_.add_check(row);
  }
  const auto newest = disk::newest_sealed(disk::list_copies(mount.fd()), scrubbed.server);
  const bool is_newest = newest && !names.empty() && names.back() == base::compact(newest->time);
  raise_alarm(
      disks_, around_.clock.now(), "damaged copy", ledger::Severity::alarm, disk_, scrubbed.server,
      fmt::format("Damage in {} file{} of copies of {} was found on disk {}; {} cop{} shared it{}. "
                  "The next copy is written without it; think of replacing the disk.",
                  base::human_count(check.damaged), check.damaged == 1 ? "" : "s", scrubbed.server,
                  disk_, names.size(), names.size() == 1 ? "y" : "ies",
                  is_newest ? ", the newest among them" : ""),
      names);
}

void DiskChecks::keep(const disk::DiskMount& mount, const std::vector<Scrubbed>& scrubbed) {
  for (const Scrubbed& one : scrubbed) {
    disk::save_scrub_state(mount.fd(), one.server, one.state);
    if (!one.result.check.good()) disk::note_damage(mount.fd(), one.server, one.result.check);
    if (!one.result.oldest) continue;
    for (ledger::CopyRow row : disks_.copies(disk_)) {
      if (row.server != one.server || row.state != ledger::CopyState::sealed) continue;
      row.oldest_read = *one.result.oldest;
      disks_.put_copy(row, around_.clock.now());
    }
  }
}

}  // namespace rota::job
