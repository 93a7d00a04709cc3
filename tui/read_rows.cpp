#include "tui/read_rows.h"

#include <unistd.h>

#include <algorithm>

#include "ledger/disks.h"
#include "ledger/drills.h"
#include "profile/profile.h"
#include "profile/rotation.h"
#include "tui/model.h"

namespace rota::tui {

std::string ledger_path(const profile::Places& places) { return places.state + "/ledger.db"; }

std::optional<std::vector<std::string>> connected_disks(ledger::Ledger& ledger,
                                                        udev::DeviceProbe& devices) {
  if (::geteuid() != 0) return std::nullopt;
  std::vector<std::string> connected;
  const std::vector<ledger::DiskRow> disks = ledger::Disks(ledger).all();
  if (disks.empty()) return connected;
  for (const udev::BlockDevice& device : devices.devices()) {
    if (device.uuid.empty()) continue;
    for (const ledger::DiskRow& disk : disks) {
      const bool same = device.uuid == disk.uuid || device.uuid == disk.luks_uuid;
      if (same && std::ranges::find(connected, disk.name) == connected.end()) {
        connected.push_back(disk.name);
      }
    }
  }
  return connected;
}

Rows read_rows(const profile::Places& places, ledger::Ledger& ledger,
               const std::optional<std::vector<std::string>>& connected, base::Instant now) {
  Rows rows;
  rows.now = now;
  for (const std::string& name : profile::list_profiles(places)) {
    const profile::Profile profile = profile::load_profile(places, name);
    rows.profiles.push_back(
        {name,
         ledger.runs(name),
         ledger.last_verifications(name),
         {profile.max_full_age, profile.max_age, profile.max_fulls_with_incrs}});
  }
  const profile::Rotation rotation = profile::load_rotation(places);
  rows.written = rotation.written;
  for (const profile::DiskSet& set : rotation.sets) {
    rows.sets.push_back(rotation::policy_of(set));
    if (!set.place.empty()) rows.places[set.name] = set.place;
  }
  ledger::Disks disks(ledger);
  rows.disks = disks.states();
  rows.alarms = disks.alarms("", false);
  const base::Instant from = base::before(now, kBack);
  rows.claims = disks.claims_since(from);
  rows.observations = disks.observations_since(from);
  rows.history = ledger::History(ledger).last("", kMostHistory);
  rows.connected = connected;
  rows.drills = ledger::Drills(ledger).all();
  rows.drill_every = rotation.drill_every;
  return rows;
}

}  // namespace rota::tui
