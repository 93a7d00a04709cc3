#include "job/rotation_status.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>

#include "base/error.h"
#include "ledger/disks.h"
#include "profile/profile.h"

namespace rota::job {

std::vector<rotation::SetPolicy> set_policies(const profile::Rotation& rotation) {
  std::vector<rotation::SetPolicy> policies;
  for (const profile::DiskSet& set : rotation.sets) policies.push_back(rotation::policy_of(set));
  return policies;
}

void add_drills(const profile::Rotation& rotation, ledger::Ledger& ledger,
                rotation::RotationInput& input) {
  input.drills = ledger::Drills(ledger).all();
  input.drill_every = rotation.drill_every;
}

std::optional<std::vector<std::string>> look_at_ports(ledger::Disks& disks,
                                                      udev::DeviceProbe& devices,
                                                      base::Instant now) {
  const std::vector<ledger::DiskState> states = disks.states();
  if (states.empty() || ::geteuid() != 0) return std::nullopt;
  const std::vector<udev::BlockDevice> all = devices.devices();
  std::vector<std::string> connected;
  for (const ledger::DiskState& state : states) {
    const bool there = std::ranges::any_of(all, [&](const udev::BlockDevice& device) {
      return !device.uuid.empty() &&
             (device.uuid == state.disk.uuid || device.uuid == state.disk.luks_uuid);
    });
    if (there) {
      connected.push_back(state.disk.name);
      continue;
    }
    const bool was_there =
        state.observation && (state.observation->state == ledger::Observed::connected ||
                              state.observation->state == ledger::Observed::safe_to_remove);
    if (!was_there) continue;
    ledger::ObservationRow away;
    away.disk = state.disk.name;
    away.time = now;
    away.state = ledger::Observed::away;
    disks.observe(away);
  }
  return connected;
}

namespace {

/// A mistake in one profile must not keep what there is to say of the disks from being said.
rotation::Notice unusable_profile(const std::string& name, const base::Error& error) {
  rotation::Notice notice;
  notice.level = rotation::Level::alarm;
  notice.kind = "unusable profile";
  notice.server = name;
  notice.text = fmt::format(
      "The profile {} cannot be used, so that nothing is backed up by it: {}.", name, error.what());
  return notice;
}

}  // namespace

rotation::Status read_status(const profile::Places& places, ledger::Ledger& ledger,
                             std::span<const std::string> profiles, udev::DeviceProbe& devices,
                             base::Instant now) {
  std::vector<rotation::ProfileRows> rows;
  rotation::RotationInput input;
  std::vector<rotation::Notice> unusable;
  input.servers = profile::list_profiles(places);
  input.told.assign(profiles.begin(), profiles.end());
  for (const std::string& name : profiles) {
    try {
      const profile::Profile profile = profile::load_profile(places, name);
      rows.push_back({name,
                      ledger.runs(name),
                      ledger.last_verifications(name),
                      {profile.max_full_age, profile.max_age, profile.max_fulls_with_incrs}});
    } catch (const base::Error& error) {
      const bool there = std::ranges::find(input.servers, name) != input.servers.end();
      if (error.kind() != base::ErrorKind::config || !there) throw;
      unusable.push_back(unusable_profile(name, error));
    }
  }
  const profile::Rotation rotation = profile::load_rotation(places);
  const std::vector<rotation::SetPolicy> sets = set_policies(rotation);
  ledger::Disks disks(ledger);
  input.connected = look_at_ports(disks, devices, now);
  const std::vector<ledger::DiskState> states = disks.states();
  const std::vector<ledger::AlarmRow> alarms = disks.alarms("", true);
  input.sets = sets;
  input.disks = states;
  input.open_alarms = alarms;
  input.written = rotation.written;
  add_drills(rotation, ledger, input);
  rotation::Status status = rotation::compute(rows, input, now);
  if (unusable.empty()) return status;
  std::vector<rotation::Notice>& notices = status.rotation.notices;
  notices.insert(notices.begin(), unusable.begin(), unusable.end());
  status.rotation.level = status.level = rotation::Level::alarm;
  return status;
}

}  // namespace rota::job
