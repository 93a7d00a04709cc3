#include "job/disk_care.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "disk/copies.h"
#include "disk/verify_copy.h"
#include "job/disk_room.h"

namespace rota::job {

using base::Error;
using base::ErrorKind;
using disk::MountMode;
using ledger::Observed;

DiskCare::DiskCare(const profile::Places& places, udev::DeviceProbe& devices,
                   const std::string& word, const SessionOptions& options,
                   const OnDiskEvent& listener, const Surroundings& around)
    : around_(around),
      ledger_(places.ledger()),
      disks_(ledger_),
      patient_(wait_for_writers(ledger_, around)),
      log_(places, disks_, around, listener),
      session_(places, disks_, devices, word, options, around, &log_) {
  log_.open(name(), session_.device().node, session_.device().serial);
  log_.observe(Observed::connected, session_.filesystem_note());
}

/// What the ledger does not know cannot be recorded as checked. A disk that is kept as it is may
/// show less than it holds, since its journal is left alone.
void DiskCare::take_up(const disk::DiskMount& mount) {
  if (session_.row().end != ledger::DiskEnd::in_use) return;
  reconcile(disks_, log_, name(), mount, around_);
}

std::vector<DiskCare::Verified> DiskCare::verify(const std::string& server, bool all) {
  const disk::DiskMount& mount = session_.mount(MountMode::read_only);
  log_.observe(Observed::verifying);
  take_up(mount);
  DiskChecks checks(disks_, log_, session_, around_);
  std::vector<Verified> verified;
  const std::vector<disk::CopyInfo> copies = disk::list_copies(mount.fd());
  for (const disk::CopyInfo& info : copies) {
    if (info.state != disk::CopyState::sealed) continue;
    if (!server.empty() && info.server != server) continue;
    if (!all && disk::newest_sealed(copies, info.server)->directory != info.directory) continue;
    verified.push_back({info.server, base::compact(info.time),
                        checks.verify(mount, info.server, info.directory, ledger::CheckKind::full,
                                      info.record ? info.record->bytes : 0)});
  }
  note(verified);
  session_.close();
  log_.observe(Observed::connected, "verified");
  if (verified.empty()) {
    throw Error(ErrorKind::not_found, server.empty()
                                          ? fmt::format("disk {} holds no sealed copy yet", name())
                                          : fmt::format("disk {} holds no sealed copy of {}",
                                                        name(), base::printable(server)));
  }
  return verified;
}

/// Nothing is written to a disk that is held, lost or retired, and none that takes no more writes
/// can be told: it is damaged all the same.
void DiskCare::note(std::vector<Verified>& verified) {
  const auto damaged = [](const Verified& one) { return !one.check.good(); };
  const bool in_use = session_.row().end == ledger::DiskEnd::in_use;
  if (!in_use || std::ranges::none_of(verified, damaged)) return;
  try {
    const disk::DiskMount& mount = session_.mount(MountMode::read_write);
    for (Verified& one : verified) {
      if (damaged(one)) disk::note_damage(mount.fd(), one.server, one.check);
    }
    session_.unmount();
    for (Verified& one : verified) one.noted = damaged(one);
  } catch (const Error& error) {
    around_.warnings.warn(
        name(), fmt::format("what is damaged could not be noted on the disk: {}", error.what()));
  }
}

std::vector<Scrubbed> DiskCare::scrub(std::chrono::seconds budget) {
  DiskChecks checks(disks_, log_, session_, around_);
  log_.observe(Observed::verifying);
  const disk::DiskMount& mount = session_.mount(MountMode::read_only);
  take_up(mount);
  std::vector<Scrubbed> scrubbed = checks.scrub(mount, budget);
  // Where to go on is written to the disk: not to one that is kept as it is.
  if (session_.row().end == ledger::DiskEnd::in_use) {
    checks.keep(session_.mount(MountMode::read_write), scrubbed);
  }
  session_.close();
  log_.observe(Observed::connected, "scrubbed");
  return scrubbed;
}

std::vector<disk::PowerStep> DiskCare::eject() {
  const udev::BlockDevice whole = session_.whole();
  session_.close();
  const std::vector<disk::PowerStep> steps = disk::power_down(whole);
  log_.observe(Observed::safe_to_remove, ledger::kEjected);
  return steps;
}

}  // namespace rota::job
