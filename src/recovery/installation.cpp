#include "recovery/installation.h"

#include <unistd.h>

#include <array>

#include "job/server.h"
#include "status/read_facts.h"

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
  for (const std::string& name : profile::list_profiles(places)) {
    here.profiles.push_back(profile::load_profile(places, name));
  }
  rotation::Facts facts = status::read_facts(places, ledger);
  here.status = rotation::compute(facts, now);
  here.disks = std::move(facts.disks);
  return here;
}

Installation read_installation(const profile::Places& places, base::Instant now) {
  ledger::Ledger ledger(places.ledger());
  return read_installation(places, ledger, now);
}

}  // namespace rota::recovery
