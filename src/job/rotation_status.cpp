#include "job/rotation_status.h"

#include <algorithm>

#include "job/usable.h"
#include "status/ports.h"
#include "status/read_facts.h"

namespace rota::job {

std::optional<std::vector<std::string>> look_at_ports(ledger::Disks& disks,
                                                      udev::DeviceProbe& devices,
                                                      base::Instant now) {
  auto connected = status::connected(disks.all(), devices);
  if (!connected) return connected;
  for (const ledger::DiskState& state : disks.states()) {
    const bool is_there = std::ranges::find(*connected, state.disk.name) != connected->end();
    const bool was_there =
        state.observation && (state.observation->state == ledger::Observed::connected ||
                              state.observation->state == ledger::Observed::safe_to_remove);
    if (is_there || !was_there) continue;
    ledger::ObservationRow away;
    away.disk = state.disk.name;
    away.time = now;
    away.state = ledger::Observed::away;
    disks.observe(away);
  }
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
