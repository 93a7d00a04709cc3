#include "job/rotation_status.h"

#include <algorithm>

#include "job/usable.h"
#include "status/ports.h"
#include "status/read_facts.h"

namespace rota::job {

namespace {

/// Where nobody sees to it, a disk in these states is at a port. How a job ended stands in its
/// result; of one that was interrupted it also says why the disk is gone.
bool stays(ledger::Observed state) {
  using ledger::Observed;
  return state == Observed::connected || state == Observed::safe_to_remove ||
         state == Observed::suspect || state == Observed::damaged || state == Observed::full;
}

}  // namespace

void close_two_connected(ledger::Disks& disks, std::span<const std::string> connected,
                         base::Instant now) {
  for (const ledger::AlarmRow& alarm : disks.alarms("", true)) {
    const bool there = std::ranges::find(connected, alarm.disk) != connected.end();
    if (alarm.kind != kTwoConnected || (there && connected.size() > 1)) continue;
    disks.close_alarm(alarm.id, now);
  }
}

std::optional<std::vector<std::string>> look_at_ports(ledger::Disks& disks,
                                                      udev::DeviceProbe& devices,
                                                      base::Instant now) {
  auto connected = status::connected(disks.all(), devices);
  if (!connected) return connected;
  for (const ledger::DiskState& state : disks.states()) {
    const bool is_there = std::ranges::find(*connected, state.disk.name) != connected->end();
    const bool was_there = state.observation && stays(state.observation->state);
    if (is_there || !was_there) continue;
    ledger::ObservationRow away;
    away.disk = state.disk.name;
    away.time = now;
    away.state = ledger::Observed::away;
    disks.observe(away);
  }
  close_two_connected(disks, *connected, now);
  return connected;
}

rotation::Status read_status(const profile::Places& places, ledger::Ledger& ledger,
                             udev::DeviceProbe& devices, base::Instant now,
                             std::span<const std::string> told) {
  ledger::Disks disks(ledger);
  auto connected = ledger.read_only() ? status::connected(disks.all(), devices)
                                      : look_at_ports(disks, devices, now);
  rotation::Facts facts = status::read_facts(places, ledger, told, check_usable);
  facts.connected = std::move(connected);
  return rotation::compute(facts, now);
}

}  // namespace rota::job
