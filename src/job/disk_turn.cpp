#include "job/disk_turn.h"

#include <fmt/core.h>

#include <algorithm>

#include "job/disk_events.h"
#include "job/rotation_status.h"
#include "rotation/rotation.h"
#include "status/read_facts.h"

namespace rota::job {

namespace {

void check_next(const std::string& name, const profile::Rotation& rotation, ledger::Disks& disks,
                DiskLog& log, const Surroundings& around) {
  const std::string next =
      rotation::next_disk(status::set_policies(rotation), rotation.set_of(name)->name,
                          disks.states(), around.clock.now());
  if (next.empty() || next == name) return;
  const std::string message = fmt::format(
      "Disk {} was plugged in, but it is the turn of {}: the copy is made all the same; bring {} "
      "next time.",
      name, next, next);
  around.warnings.warn(name, message);
  log.event("turn", "warning", message);
}

void check_others(const std::string& name, const std::vector<std::string>& others,
                  ledger::Disks& disks, const Surroundings& around) {
  const base::Instant now = around.clock.now();
  std::vector<std::string> connected = others;
  connected.push_back(name);
  close_two_connected(disks, connected, now);
  for (const std::string& other : others) {
    const std::string message = fmt::format(
        "Disks {} and {} are plugged in at once: whatever reaches this machine reaches both; take "
        "one away.",
        std::min(name, other), std::max(name, other));
    raise_alarm(disks, now, kTwoConnected, ledger::Severity::alarm, name, "", message);
    around.warnings.warn(name, message);
  }
}

}  // namespace

void check_turn(const DiskSession& session, const profile::Rotation& rotation, ledger::Disks& disks,
                DiskLog& log, const Surroundings& around) {
  check_next(session.row().name, rotation, disks, log, around);
  check_others(session.row().name, session.others(), disks, around);
}

}  // namespace rota::job
