#include "rotation/rotation.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"
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
void tell_only(const Facts& facts, RotationStatus& status, Findings& findings) {
  if (facts.told.empty()) return;
  const auto untold = [&](const std::string& server) {
    return std::ranges::find(facts.servers, server) != facts.servers.end() &&
           std::ranges::find(facts.told, server) == facts.told.end();
  };
  std::erase_if(status.exposures, [&](const Exposure& one) { return untold(one.server); });
  std::erase_if(status.drills, [&](const DrillStatus& one) { return untold(one.server); });
  const auto other = [&](const Notice& one) { return one.disk.empty() && untold(one.server); };
  std::erase_if(findings.notices, other);
  std::erase_if(findings.duties, other);
}

/// A mistake in one profile must not keep what there is to say of the disks from being said.
void judge_profiles(const Facts& facts, Findings& findings) {
  for (const UnusableProfile& one : facts.unusable) {
    Notice& notice = findings.notices.emplace_back();
    notice.level = Level::alarm;
    notice.kind = "unusable profile";
    notice.server = one.profile;
    notice.text =
        fmt::format("The profile {} cannot be used, so that nothing is backed up by it: {}.",
                    one.profile, base::printable_text(one.problem));
  }
}

}  // namespace

RotationStatus rotation_status(const Facts& facts, base::Instant now) {
  RotationStatus status;
  std::vector<Member> members;
  for (const ledger::DiskState& state : facts.disks) {
    const SetPolicy* set = set_of(facts.sets, state.disk.name);
    members.push_back({&state, set, disk_status(state, set, now, facts.connected)});
  }
  for (const SetPolicy& set : facts.sets) {
    const std::vector<std::string>& servers = set.servers.empty() ? facts.servers : set.servers;
    status.sets.push_back(set_status(set, members, servers, now));
  }
  for (const std::string& server : facts.servers) {
    status.exposures.push_back(exposure(server, members, facts.servers.size() > 1, now));
  }

  Findings findings;
  judge_profiles(facts, findings);
  judge_places(members, facts.sets, now, findings);
  judge(members, status, facts, now, findings);
  status.drills = drill_status(members, facts, now, findings);
  status.drill_every = facts.drill_every;
  tell_only(facts, status, findings);
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
