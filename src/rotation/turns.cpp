#include <fmt/core.h>

#include <algorithm>
#include <tuple>

#include "base/text.h"
#include "rotation/clock.h"
#include "rotation/parts.h"

namespace rota::rotation {

namespace {

using base::Instant;
using ledger::CopyRow;
using ledger::DiskState;

bool names(const std::vector<std::string>& list, const std::string& name) {
  return std::ranges::find(list, name) != list.end();
}

Instant after(Instant time, const base::Span& span, std::size_t times) {
  for (std::size_t i = 0; i < times; ++i) time = base::after(time, span);
  return time;
}

const CopyRow* newest_of(const std::string& server, std::span<const DiskState* const> disks,
                         Instant now) {
  const CopyRow* newest = nullptr;
  for (const DiskState* disk : disks) {
    const CopyRow* copy = newest_counting(*disk, now, server);
    if (copy != nullptr && (newest == nullptr || copy->snapshot > newest->snapshot)) newest = copy;
  }
  return newest;
}

/// Since when a copy is due where no disk has one that counts: since there is a disk, or since the
/// newest of those that turned out to be bad.
std::optional<Instant> due_without_copies(std::span<const DiskState* const> disks, Instant now) {
  std::optional<Instant> prepared;
  std::optional<Instant> bad;
  for (const DiskState* disk : disks) {
    prepared = std::min(prepared.value_or(disk->disk.prepared), disk->disk.prepared);
    for (const CopyRow& copy : disk->copies) {
      if (is_of_future(copy, now)) continue;
      bad = std::max(bad.value_or(copy.snapshot_time()), copy.snapshot_time());
    }
  }
  return std::max(prepared, bad);  // nothing is less than anything
}

/// When the next copy is due: an interval after the newest one of the server that is worst off; at
/// once when one of them is on no disk, while others are.
void set_due(const SetPolicy& set, std::span<const DiskState* const> disks,
             std::span<const std::string> servers, Instant now, SetStatus& status) {
  std::optional<Instant> oldest;
  for (const std::string& server : servers) {
    if (const CopyRow* newest = newest_of(server, disks, now)) {
      oldest = std::min(oldest.value_or(newest->snapshot_time()), newest->snapshot_time());
    } else {
      status.missing.push_back(server);
    }
  }
  if (oldest) {
    status.due = base::after(*oldest, set.interval);
    if (!status.missing.empty()) status.due = std::min(*status.due, now);
  } else {
    status.missing.clear();
    status.due = due_without_copies(disks, now);
  }
}

std::string detection(const SetStatus& status) {
  if (status.disks < 2) {
    return fmt::format(
        "The set {} has {} in turn: the next copy goes where the last one is, so that "
        "damage which it holds is in every offline copy.",
        status.name, status.disks == 0 ? "no disk" : "one disk");
  }
  return fmt::format(
      "Damage must be noticed within {} ({} disks, every {}), or every offline copy "
      "holds it.",
      base::human_duration(status.detection_window->count()), status.disks, status.interval);
}

}  // namespace

const SetPolicy* set_of(std::span<const SetPolicy> sets, const std::string& disk) {
  const SetPolicy* takes_all = nullptr;
  for (const SetPolicy& set : sets) {
    if (names(set.disks, disk)) return &set;
    if (set.disks.empty()) takes_all = &set;
  }
  return takes_all;
}

std::vector<const DiskState*> in_order(std::span<const DiskState* const> disks, Instant now) {
  std::vector<const DiskState*> order;
  for (const DiskState* disk : disks) {
    if (disk->disk.end == ledger::DiskEnd::in_use) order.push_back(disk);
  }
  // One that is damaged comes last, so that it holds up nothing while another can go on.
  const auto rank = [now](const DiskState* disk) {
    const CopyRow* newest = newest_counting(*disk, now);
    const bool damaged = disk->result && disk->result->state == ledger::Observed::damaged;
    return std::make_tuple(damaged, newest == nullptr ? std::string() : newest->snapshot,
                           disk->disk.name);
  };
  std::ranges::sort(order, {}, rank);
  return order;
}

std::string next_disk(std::span<const SetPolicy> sets, const std::string& set,
                      std::span<const DiskState> disks, Instant now) {
  std::vector<const DiskState*> members;
  for (const DiskState& disk : disks) {
    const SetPolicy* own = set_of(sets, disk.disk.name);
    if (own != nullptr && own->name == set) members.push_back(&disk);
  }
  const auto order = in_order(members, now);
  return order.empty() ? "" : order.front()->disk.name;
}

SetStatus set_status(const SetPolicy& set, std::span<Member> members,
                     std::span<const std::string> servers, Instant now) {
  SetStatus status;
  status.name = set.name;
  status.interval = base::to_string(set.interval);
  std::vector<const DiskState*> own;
  for (const Member& member : members) {
    if (member.set == &set) own.push_back(member.state);
  }
  const std::vector<const DiskState*> order = in_order(own, now);
  status.disks = static_cast<int>(order.size());
  if (!order.empty()) {
    status.next_disk = order.front()->disk.name;
    set_due(set, order, servers, now, status);
    status.detection_window = after(now, set.interval, order.size() - 1) - now;
  }
  std::optional<Instant> due = status.due;
  for (const DiskState* state : order) {
    DiskStatus& disk = std::ranges::find(members, state, &Member::state)->status;
    disk.next = state == order.front();
    disk.due = due;
    // Whatever was missed, the others' turns come after one that can be kept.
    if (due) due = base::after(std::max(*due, now), set.interval);
    if (!disk.due || !disk.newest) continue;
    const Instant copied = disk.newest->snapshot_time();
    const auto whole = std::max(*disk.due - copied, std::chrono::seconds(1));
    disk.turn_over =
        static_cast<double>(disk.newest_age->count()) / static_cast<double>(whole.count());
  }
  status.detection_sentence = detection(status);
  return status;
}

}  // namespace rota::rotation
