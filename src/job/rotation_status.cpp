#include "job/rotation_status.h"

#include "ledger/disks.h"
#include "profile/profile.h"

namespace rota::job {

std::vector<rotation::SetPolicy> set_policies(const profile::Rotation& rotation) {
  std::vector<rotation::SetPolicy> policies;
  for (const profile::DiskSet& set : rotation.sets) {
    rotation::SetPolicy& policy = policies.emplace_back();
    policy.name = set.name;
    policy.disks = set.disks;
    policy.interval = set.interval;
    policy.servers = set.profiles;
    policy.transit = set.transit;
    policy.max_age = set.max_age;
    policy.keep = set.keep;
    policy.replace_after = set.replace_after;
  }
  return policies;
}

rotation::Status read_status(const profile::Places& places, ledger::Ledger& ledger,
                             std::span<const std::string> profiles, base::Instant now) {
  std::vector<rotation::ProfileRows> rows;
  rotation::RotationInput input;
  for (const std::string& name : profiles) {
    const profile::Profile profile = profile::load_profile(places, name);
    rows.push_back({name,
                    ledger.runs(name),
                    ledger.last_verifications(name),
                    {profile.max_full_age, profile.max_age, profile.max_fulls_with_incrs}});
    input.servers.push_back(name);
  }
  const profile::Rotation rotation = profile::load_rotation(places);
  const std::vector<rotation::SetPolicy> sets = set_policies(rotation);
  ledger::Disks disks(ledger);
  const std::vector<ledger::DiskState> states = disks.states();
  const std::vector<ledger::AlarmRow> alarms = disks.alarms("", true);
  input.sets = sets;
  input.disks = states;
  input.open_alarms = alarms;
  input.written = rotation.written;
  return rotation::compute(rows, input, now);
}

}  // namespace rota::job
