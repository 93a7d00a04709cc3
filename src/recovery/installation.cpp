#include "recovery/installation.h"

#include <unistd.h>

#include <array>

#include "job/rotation_status.h"
#include "job/server.h"
#include "rotation/rotation.h"

namespace rota::recovery {

namespace {

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 && name[0] != '\0' ? name.data()
                                                                             : "this machine";
}

}  // namespace

Installation read_installation(const profile::Places& places, ledger::Ledger& ledger,
                               base::Instant now) {
  Installation here;
  here.host = host_name();
  here.now = now;
  here.config = places.config;
  here.rotation = profile::load_rotation(places);
  here.disks = ledger::Disks(ledger).states();

  std::vector<rotation::ProfileRows> rows;
  rotation::RotationInput input;
  for (const std::string& name : profile::list_profiles(places)) {
    const profile::Profile& profile =
        here.profiles.emplace_back(profile::load_profile(places, name));
    rows.push_back({name,
                    ledger.runs(name),
                    ledger.last_verifications(name),
                    {profile.max_full_age, profile.max_age, profile.max_fulls_with_incrs}});
    input.servers.push_back(name);
  }
  const std::vector<rotation::SetPolicy> sets = job::set_policies(here.rotation);
  const std::vector<ledger::AlarmRow> alarms = ledger::Disks(ledger).alarms("", true);
  input.sets = sets;
  input.disks = here.disks;
  input.open_alarms = alarms;
  input.written = here.rotation.written;
  job::add_drills(here.rotation, ledger, input);
  here.status = rotation::compute(rows, input, now);
  return here;
}

Installation read_installation(const profile::Places& places, base::Instant now) {
  ledger::Ledger ledger(job::ledger_path(places));
  return read_installation(places, ledger, now);
}

}  // namespace rota::recovery
