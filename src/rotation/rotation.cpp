#include "rotation/rotation.h"

#include <algorithm>

#include "rotation/parts.h"

namespace rota::rotation {

const char* word(Level level) {
  switch (level) {
    case Level::good:
      return "good";
    case Level::warning:
      return "warning";
    case Level::alarm:
      return "alarm";
  }
  return "";
}

namespace {

/// Leaves out what concerns none of the servers that are asked about.
void tell_only(const RotationInput& input, RotationStatus& status, Findings& findings) {
  if (input.told.empty()) return;
  const auto untold = [&](const std::string& server) {
    return std::ranges::find(input.servers, server) != input.servers.end() &&
           std::ranges::find(input.told, server) == input.told.end();
  };
  std::erase_if(status.exposures, [&](const Exposure& one) { return untold(one.server); });
  std::erase_if(status.drills, [&](const DrillStatus& one) { return untold(one.server); });
  const auto other = [&](const Notice& one) { return one.disk.empty() && untold(one.server); };
  std::erase_if(findings.notices, other);
  std::erase_if(findings.duties, other);
}

}  // namespace

RotationStatus rotation_status(const RotationInput& input, base::Instant now) {
  RotationStatus status;
  std::vector<Member> members;
  for (const ledger::DiskState& state : input.disks) {
    const SetPolicy* set = set_of(input.sets, state.disk.name);
    members.push_back({&state, set, disk_status(state, set, now, input.connected)});
  }
  for (const SetPolicy& set : input.sets) {
    const std::vector<std::string>& servers = set.servers.empty() ? input.servers : set.servers;
    status.sets.push_back(set_status(set, members, servers, now));
  }
  for (const std::string& server : input.servers) {
    status.exposures.push_back(exposure(server, members, input.servers.size() > 1, now));
  }

  Findings findings;
  judge_places(members, input.sets, now, findings);
  judge(members, status, input, now, findings);
  status.drills = drill_status(members, input, now, findings);
  status.drill_every = input.drill_every;
  tell_only(input, status, findings);
  status.worst = worst_of(status.exposures);
  std::ranges::stable_sort(findings.notices, std::ranges::greater(), &Notice::level);
  for (const Notice& notice : findings.notices) {
    status.level = std::max(status.level, notice.level);
    for (DrillStatus& drill : status.drills) {
      const bool of_drills = notice.kind == "drill failed" || notice.kind == "drill overdue";
      if (of_drills && notice.server == drill.server) drill.level = notice.level;
    }
    for (Member& member : members) {
      if (member.status.name == notice.disk) {
        member.status.level = std::max(member.status.level, notice.level);
      }
    }
  }
  for (Member& member : members) status.disks.push_back(std::move(member.status));
  status.notices = std::move(findings.notices);
  status.duties = std::move(findings.duties);
  return status;
}

}  // namespace rota::rotation
