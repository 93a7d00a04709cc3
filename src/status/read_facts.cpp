#include "status/read_facts.h"

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "base/file.h"
#include "ledger/disks.h"
#include "ledger/drills.h"
#include "ledger/history.h"
#include "rotation/clock.h"

namespace rota::status {

namespace {

rotation::ProfileRows read_profile(const profile::Places& places, ledger::Ledger& ledger,
                                   const profile::Profile& profile) {
  const std::string& name = profile.name;
  return {name,
          ledger.runs(name),
          ledger.last_verifications(name),
          {profile.max_full_age, profile.max_age, profile.max_fulls_with_incrs},
          base::exists(places.state + "/" + name + "/last")};
}

}  // namespace

std::vector<rotation::SetPolicy> set_policies(const profile::Rotation& rotation) {
  std::vector<rotation::SetPolicy> policies;
  for (const profile::DiskSet& set : rotation.sets) {
    policies.push_back({.name = set.name,
                        .disks = set.disks,
                        .interval = set.interval,
                        .servers = set.profiles,
                        .transit = set.transit,
                        .max_age = set.max_age,
                        .keep = set.keep,
                        .replace_after = set.replace_after});
  }
  return policies;
}

rotation::Facts read_facts(const profile::Places& places, ledger::Ledger& ledger,
                           std::span<const std::string> told, const ProfileCheck& check) {
  rotation::Facts facts;
  facts.servers = profile::list_profiles(places);
  facts.told.assign(told.begin(), told.end());
  for (const std::string& name : told.empty() ? facts.servers : facts.told) {
    std::optional<profile::Profile> profile;
    try {
      profile = profile::load_profile(places, name);
      if (check) check(*profile);
    } catch (const base::Error& error) {
      const bool there = std::ranges::find(facts.servers, name) != facts.servers.end();
      if (!profile && (error.kind() != base::ErrorKind::config || !there)) throw;
      facts.unusable.push_back({name, error.what()});
      continue;
    }
    facts.profiles.push_back(read_profile(places, ledger, *profile));
  }
  const profile::Rotation rotation = profile::load_rotation(places);
  facts.sets = set_policies(rotation);
  facts.written = rotation.written;
  ledger::Disks disks(ledger);
  facts.disks = disks.states();
  facts.lost_history = ledger::History(ledger).lost();
  facts.alarms = disks.alarms("", true);
  facts.known_wrong = rotation::known_wrong(disks.alarms("", false));
  facts.drills = ledger::Drills(ledger).all();
  facts.drill_every = rotation.drill_every;
  return facts;
}

}  // namespace rota::status
