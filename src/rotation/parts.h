#pragma once

#include "rotation/rotation.h"

/// The parts of rotation_status(), for its own files only.
namespace rota::rotation {

/// A disk with all that is known of it, and the set that it belongs to (null: none).
struct Member {
  const ledger::DiskState* state = nullptr;
  const SetPolicy* set = nullptr;
  DiskStatus status;

  bool in_turn() const { return state->disk.end == ledger::DiskEnd::in_use; }
};

/// The set that names the disk, else the one that takes all; null when there is neither.
const SetPolicy* set_of(std::span<const SetPolicy> sets, const std::string& disk);

/// Where the disk is, and what stands on it. Not yet: due dates and level.
DiskStatus disk_status(const ledger::DiskState& state, const SetPolicy* set, base::Instant now,
                       const std::optional<std::vector<std::string>>& connected);

/// Those of the disks of a set that are in turn, the one that is next first.
std::vector<const ledger::DiskState*> in_order(std::span<const ledger::DiskState* const> disks,
                                               base::Instant now);

/// The newest copy that counts and is not dated later than now, of the disk or of one server on it;
/// null: none.
const ledger::CopyRow* newest_counting(const ledger::DiskState& disk, base::Instant now,
                                       const std::string& server = "");

/// Fills in the set's turn: who is next and when; sets `next` and `due` of its members.
SetStatus set_status(const SetPolicy& set, std::span<Member> members,
                     std::span<const std::string> servers, base::Instant now);

/// servers: of all profiles; with several, the sentence names the one that is meant.
Exposure exposure(const std::string& server, std::span<const Member> members, bool several,
                  base::Instant now);
/// The one that is worst off.
Exposure worst_of(std::span<const Exposure> exposures);

/// What is wrong and what is to be done, in any order.
struct Findings {
  std::vector<Notice> notices;
  std::vector<Notice> duties;
};
/// Where disks are: claims, transit, places, connections.
void judge_places(std::span<const Member> members, std::span<const SetPolicy> sets,
                  base::Instant now, Findings& findings);
/// All the rest: turns, copies, wear, open alarms, the clock.
void judge(std::span<const Member> members, const RotationStatus& status, const Facts& facts,
           base::Instant now, Findings& findings);

/// Of each server; what is to be said of them goes to the findings. Not yet: level.
std::vector<DrillStatus> drill_status(std::span<const Member> members, const Facts& facts,
                                      base::Instant now, Findings& findings);

/// "2026-10-25"
std::string day(base::Instant time);

}  // namespace rota::rotation
