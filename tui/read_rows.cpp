#include "tui/read_rows.h"

#include "ledger/disks.h"
#include "profile/rotation.h"
#include "status/read_facts.h"
#include "tui/model.h"

namespace rota::tui {

Rows read_rows(const profile::Places& places, ledger::Ledger& ledger,
               const std::optional<std::vector<std::string>>& connected, base::Instant now) {
  Rows rows;
  rows.now = now;
  rows.facts = status::read_facts(places, ledger);
  rows.facts.connected = connected;
  for (const profile::DiskSet& set : profile::load_rotation(places).sets) {
    if (!set.place.empty()) rows.places[set.name] = set.place;
  }
  ledger::Disks disks(ledger);
  rows.facts.alarms = disks.alarms("", false);  // those that are over are shown, too
  const base::Instant from = base::before(now, kBack);
  rows.claims = disks.claims_since(from);
  rows.observations = disks.observations_since(from);
  rows.history = ledger::History(ledger).last("", kMostHistory);
  return rows;
}

}  // namespace rota::tui
