#include <algorithm>

#include "rotation/clock.h"
#include "rotation/parts.h"

namespace rota::rotation {

namespace {

using ledger::Claimed;
using ledger::DiskEnd;
using ledger::DiskState;
using ledger::Observed;

Custody claimed(Claimed state) {
  switch (state) {
    case Claimed::on_site:
      return Custody::on_site;
    case Claimed::in_transit_out:
      return Custody::in_transit_out;
    case Claimed::off_site:
      return Custody::off_site;
    case Claimed::in_transit_back:
      return Custody::in_transit_back;
  }
  return Custody::on_site;
}

/// here: whether it is at a port now, where somebody looked.
Custody observed(Observed state, std::optional<bool> here) {
  switch (state) {
    case Observed::enrolled:
      return here == true ? Custody::connected : Custody::new_disk;
    case Observed::connected:
      return here == false ? Custody::on_site : Custody::connected;
    case Observed::copying:
    case Observed::verifying:
    case Observed::sealed:
      // A job that comes to its end says so: this one was killed.
      return here == false ? Custody::failed : Custody::connected;
    case Observed::safe_to_remove:
      return here == false ? Custody::on_site : Custody::safe_to_remove;
    case Observed::away:
      return here == true ? Custody::connected : Custody::on_site;
    case Observed::interrupted:
    case Observed::suspect:
    case Observed::damaged:
    case Observed::full:
      return Custody::failed;
  }
  return Custody::on_site;
}

/// Whether it is at a port, as far as the last observation says.
bool was_left_at_port(Observed state) {
  switch (state) {
    case Observed::connected:
    case Observed::copying:
    case Observed::verifying:
    case Observed::sealed:
    case Observed::safe_to_remove:
    case Observed::suspect:
    case Observed::damaged:
    case Observed::full:
      return true;
    case Observed::interrupted:  // mostly because it was pulled out
    case Observed::enrolled:
    case Observed::away:
      return false;
  }
  return false;
}

/// The word for a job that failed.
const char* failure(Observed state) {
  const bool killed =
      state == Observed::copying || state == Observed::verifying || state == Observed::sealed;
  return ledger::word(killed ? Observed::interrupted : state);
}

/// Where it is, whether it is in turn or not.
void locate(const DiskState& state, std::optional<bool> here, DiskStatus& status) {
  if (state.claim && state.claim_holds && here != true) {
    status.custody = claimed(state.claim->state);
    status.place = state.claim->place;
    status.by = state.claim->by;
    status.since = state.claim->time;
  } else if (state.observation) {
    status.custody = observed(state.observation->state, here);
    status.at_port = here.value_or(was_left_at_port(state.observation->state));
    status.since = state.observation->time;
  } else {
    status.custody = here == true ? Custody::connected : Custody::new_disk;
    status.at_port = here == true;
    status.since = state.disk.prepared;
  }
  status.off_site = status.custody == Custody::off_site;
}

}  // namespace

const char* word(Custody custody) {
  switch (custody) {
    case Custody::new_disk:
      return "new";
    case Custody::connected:
      return "connected";
    case Custody::safe_to_remove:
      return "safe to remove";
    case Custody::on_site:
      return "on site";
    case Custody::in_transit_out:
      return "in transit out";
    case Custody::off_site:
      return "off site";
    case Custody::in_transit_back:
      return "in transit back";
    case Custody::failed:
      return "failed";
    case Custody::lost:
      return "lost";
    case Custody::retired:
      return "retired";
    case Custody::held:
      return "held";
  }
  return "";
}

char symbol(Custody custody) {
  switch (custody) {
    case Custody::new_disk:
      return 'o';
    case Custody::connected:
      return '*';
    case Custody::safe_to_remove:
      return '^';
    case Custody::on_site:
      return '.';
    case Custody::in_transit_out:
      return '>';
    case Custody::off_site:
      return '+';
    case Custody::in_transit_back:
      return '<';
    case Custody::failed:
      return '!';
    case Custody::lost:
      return 'x';
    case Custody::retired:
      return '-';
    case Custody::held:
      return '=';
  }
  return '?';
}

DiskStatus disk_status(const DiskState& state, const SetPolicy* set, base::Instant now,
                       const std::optional<std::vector<std::string>>& connected) {
  const ledger::DiskRow& disk = state.disk;
  DiskStatus status;
  status.name = disk.name;
  status.label = disk.label;
  if (set != nullptr) status.set = set->name;
  std::optional<bool> here;
  if (connected) here = std::ranges::find(*connected, disk.name) != connected->end();
  locate(state, here, status);
  status.word =
      status.custody == Custody::failed ? failure(state.observation->state) : word(status.custody);
  if (disk.end != DiskEnd::in_use) {
    status.custody = disk.end == DiskEnd::lost      ? Custody::lost
                     : disk.end == DiskEnd::retired ? Custody::retired
                                                    : Custody::held;
    status.word = word(status.custody);
    status.at_port = false;
    if (disk.end != DiskEnd::held) {
      status.off_site = false;
      status.place.clear();
      status.by = disk.end_by;
      status.since = disk.end_time;
    }
  }
  status.symbol = symbol(status.custody);
  status.last_seen = state.last_seen;
  if (const ledger::CopyRow* newest = newest_counting(state, now)) {
    status.newest = *newest;
    status.newest_age = std::max(now - newest->snapshot_time(), std::chrono::seconds(0));
  }
  for (const ledger::CopyRow& copy : state.copies) {
    if (copy.state != ledger::CopyState::sealed) continue;
    ++status.copies;
    const base::Instant read =
        copy.oldest_read.value_or(copy.sealed_time.value_or(copy.snapshot_time()));
    if (!status.oldest_read || read < *status.oldest_read) status.oldest_read = read;
  }
  if (disk.capacity > 0) {
    status.used = static_cast<double>(disk.used) / static_cast<double>(disk.capacity);
    status.next_fits = disk.used <= disk.capacity && disk.next_copy <= disk.capacity - disk.used;
  }
  if (set != nullptr && set->replace_after != base::Span{}) {
    status.replace = base::after(disk.prepared, set->replace_after);
  }
  return status;
}

const ledger::CopyRow* newest_counting(const DiskState& disk, base::Instant now,
                                       const std::string& server) {
  const ledger::CopyRow* newest = nullptr;
  for (const ledger::CopyRow& copy : disk.copies) {
    if (!copy.counts() || is_of_future(copy, now)) continue;
    if (!server.empty() && copy.server != server) continue;
    if (newest == nullptr || copy.snapshot > newest->snapshot) newest = &copy;
  }
  return newest;
}

}  // namespace rota::rotation
