#pragma once

#include <catch2/catch.hpp>
#include <cstdlib>
#include <string>
#include <vector>

#include "ledger/disk_samples.h"
#include "rotation/status.h"

namespace rota::test {

/// Sentences show local time.
inline const bool kUtc = [] {
  ::setenv("TZ", "UTC", 1);
  ::tzset();
  return true;
}();

/// A disk with one verified copy, off site at a place of its own.
inline ledger::DiskState away(const std::string& name, const std::string& snapshot,
                              const std::string& since) {
  ledger::DiskState state;
  state.disk = some_disk(name);
  state.copies = {some_copy(name, snapshot)};
  state.observation = seen(name, ledger::Observed::away, since);
  state.result = seen(name, ledger::Observed::safe_to_remove, since);
  state.last_seen = state.observation->time;
  state.claim = claimed(name, ledger::Claimed::off_site, since, fmt::format("place of {}", name));
  state.claim_holds = true;
  return state;
}

/// The same on a shelf here.
inline ledger::DiskState here(const std::string& name, const std::string& snapshot,
                              const std::string& since) {
  ledger::DiskState state = away(name, snapshot, since);
  state.claim.reset();
  state.claim_holds = false;
  return state;
}

/// The rotation's status of these disks, one set, one server "web".
struct Station {
  std::vector<rotation::SetPolicy> sets{1};
  std::vector<ledger::DiskState> disks;
  std::vector<ledger::AlarmRow> alarms;
  std::vector<base::Instant> known_wrong;
  std::vector<std::string> servers{"web"};
  std::vector<std::string> told;
  std::optional<std::vector<std::string>> connected;
  bool written = false;

  rotation::RotationStatus at(const std::string& now) const {
    rotation::Facts facts;
    facts.sets = sets;
    facts.disks = disks;
    facts.alarms = alarms;
    facts.known_wrong = known_wrong;
    facts.servers = servers;
    facts.told = told;
    facts.connected = connected;
    facts.written = written;
    return rotation::rotation_status(facts, when(now));
  }
};

/// "warning stale claim B: …" of each notice of the kind; empty when there is none.
inline std::string told(const std::vector<rotation::Notice>& notices, const std::string& kind) {
  std::string text;
  for (const rotation::Notice& notice : notices) {
    if (notice.kind == kind) {
      text += fmt::format("{} {}: {}", rotation::word(notice.level), notice.disk, notice.text);
    }
  }
  return text;
}

}  // namespace rota::test
