#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "rotation/clock.h"
#include "rotation/parts.h"

namespace rota::rotation {

namespace {

using base::Instant;
using ledger::CopyRow;
using ledger::Observed;

/// A disk is to be fetched a few days before its turn.
constexpr std::chrono::hours kAhead{3 * 24};
/// Bytes that nobody read for so long may have rotted unnoticed.
constexpr std::chrono::hours kUnread{365 * 24};

void judge_clock(std::span<const Member> members, const Facts& facts, Instant now,
                 Findings& findings) {
  Instant latest = now;
  const auto see = [&](Instant time) {
    if (!is_known_wrong(time, facts.known_wrong)) latest = std::max(latest, time);
  };
  for (const ledger::DrillRow& drill : facts.drills) see(drill.time);
  for (const Member& member : members) {
    see(member.state->disk.prepared);
    if (member.state->observation) see(member.state->observation->time);
    for (const CopyRow& copy : member.state->copies) {
      see(copy.sealed_time.value_or(copy.snapshot_time()));
    }
  }
  if (latest - now < kClockSlack) return;
  findings.notices.push_back(
      {Level::alarm, "clock", "", "", "",
       fmt::format("The clock of this machine says {}, but something was recorded at {}: set the "
                   "clock, because no age or due date can be trusted until then.",
                   base::local(now), base::local(latest))});
}

/// What rotation.toml names and nobody has prepared.
void judge_missing(std::span<const Member> members, const SetStatus& status, const SetPolicy& set,
                   Findings& findings) {
  if (status.disks == 0) {
    findings.notices.push_back(
        {Level::alarm, "no disk", set.name, "", "",
         fmt::format("The set {} has no disk in turn, so that nothing is copied: prepare one with "
                     "`rota disk prepare`.",
                     set.name)});
  }
  for (const std::string& name : set.disks) {
    const bool known = std::ranges::any_of(
        members, [&](const Member& member) { return member.status.name == name; });
    if (known) continue;
    findings.duties.push_back(
        {Level::good, "not prepared", set.name, name, "",
         fmt::format("Disk {} of the set {} was not prepared yet: do so with `rota disk prepare`.",
                     name, set.name)});
  }
}

void judge_turn(const SetStatus& status, const SetPolicy& set, Instant now, Findings& findings) {
  if (status.disks == 1) {
    findings.notices.push_back(
        {Level::warning, "one disk", set.name, "", "",
         fmt::format("The set {} has one disk in turn, which is on site whenever a copy is made: "
                     "prepare a second one.",
                     set.name)});
  }
  if (!status.due || now < *status.due - kAhead) return;
  const bool missed = now > base::after(*status.due, set.interval);
  const bool late = now > base::after(*status.due, set.transit);
  std::string what =
      fmt::format("A copy {} due on {}", now < *status.due ? "is" : "was", day(*status.due));
  if (!status.missing.empty() && *status.due == now) {
    what = fmt::format("{} {} on no disk of the set {} yet", fmt::join(status.missing, " and "),
                       status.missing.size() == 1 ? "is" : "are", set.name);
  }
  Notice notice{missed ? Level::alarm
                : late ? Level::warning
                       : Level::good,
                missed || late ? "overdue" : "due",
                set.name,
                status.next_disk,
                "",
                fmt::format("{}: plug in disk {}.", what, status.next_disk)};
  (missed || late ? findings.notices : findings.duties).push_back(std::move(notice));
}

/// Somebody took note of everything that was found with the disk.
bool is_noted(const Member& member, std::span<const ledger::AlarmRow> alarms) {
  return std::ranges::none_of(alarms, [&](const ledger::AlarmRow& alarm) {
    // A contradiction is about where it is, and ends by saying so.
    return alarm.open() && alarm.disk == member.status.name && alarm.kind != "contradiction";
  });
}

void judge_result(const Member& member, std::span<const ledger::AlarmRow> alarms,
                  Findings& findings) {
  if (!member.in_turn() || !member.state->result) return;
  const ledger::ObservationRow& result = *member.state->result;
  const std::string detail =
      result.detail.empty() ? "" : " (" + base::printable(result.detail) + ")";
  const auto add = [&](Level level, const std::string& what_to_do) {
    findings.notices.push_back(
        {level, ledger::word(result.state), member.status.set, member.status.name, "",
         fmt::format("The last job with disk {} on {} ended as {}{}: {}.", member.status.name,
                     base::local(result.time), ledger::word(result.state), detail, what_to_do)});
  };
  switch (result.state) {
    case Observed::interrupted:
      add(Level::warning, "plug it in again, and the copy goes on");
      break;
    case Observed::full:
      add(Level::alarm, "make room on it, or take a larger disk");
      break;
    case Observed::suspect:
      if (is_noted(member, alarms)) {
        add(Level::warning, "noted; plug it in again, and the copy goes on");
      } else {
        add(Level::alarm, "see what it found, and take note with `rota disk accept`");
      }
      break;
    case Observed::damaged:
      add(Level::alarm, "do not rely on it, and prepare another in its place");
      break;
    default:
      break;
  }
}

/// A lost disk is an alarm until another one of the set was prepared in its place.
void judge_lost(const Member& member, std::span<const Member> members, Findings& findings) {
  const ledger::DiskRow& disk = member.state->disk;
  if (disk.end != ledger::DiskEnd::lost || !disk.end_time) return;
  const bool replaced = std::ranges::any_of(members, [&](const Member& other) {
    return other.set == member.set && other.state->disk.prepared > *disk.end_time;
  });
  if (replaced) return;
  findings.notices.push_back(
      {Level::alarm, "lost", member.status.set, disk.name, "",
       fmt::format("Disk {} is lost since {}{}: prepare another in its place.", disk.name,
                   day(*disk.end_time),
                   disk.luks_uuid.empty() ? ", and whoever finds it can read it" : "")});
}

void judge_wear(const Member& member, Instant now, Findings& findings) {
  const DiskStatus& status = member.status;
  if (member.in_turn() && status.replace && now >= *status.replace) {
    findings.duties.push_back(
        {Level::good, "replace", status.set, status.name, "",
         fmt::format("Disk {} is in use since {}, which is long for a disk: prepare a new one, and "
                     "retire it.",
                     status.name, day(member.state->disk.prepared))});
  }
  const bool gone = status.custody == Custody::lost || status.custody == Custody::retired;
  if (!gone && status.oldest_read && now - *status.oldest_read > kUnread) {
    findings.duties.push_back(
        {Level::good, "unread", status.set, status.name, "",
         fmt::format("The oldest byte on disk {0} was last read {1}: plug it in and run `rota disk "
                     "verify {0}`.",
                     status.name, base::relative(*status.oldest_read, now))});
  }
}

/// Copies that are older than they may be, and a next copy for which there will be no room.
void judge_room(const Member& member, std::span<const Member> members, Instant now,
                Findings& findings) {
  const DiskStatus& status = member.status;
  if (!member.in_turn() || member.set == nullptr) return;
  std::vector<CopyRow> all;
  std::vector<std::string> servers;
  for (const Member& other : members) {
    if (other.set == member.set) {
      all.insert(all.end(), other.state->copies.begin(), other.state->copies.end());
    }
  }
  for (const CopyRow& copy : member.state->copies) {
    if (std::ranges::find(servers, copy.server) == servers.end()) servers.push_back(copy.server);
  }
  bool prunable = false;
  SetPolicy age_only = *member.set;
  age_only.keep = 0;
  for (const std::string& server : servers) {
    std::vector<CopyRow> own;
    std::ranges::copy_if(all, std::back_inserter(own),
                         [&](const CopyRow& copy) { return copy.server == server; });
    prunable = prunable || !may_prune(own, status.name, now).empty();
    const std::vector<CopyRow> old = must_prune(own, status.name, age_only, now);
    if (old.empty()) continue;
    findings.duties.push_back(
        {Level::good, "max age", status.set, status.name, server,
         fmt::format("Disk {} holds {} of {} that must go, the oldest of {}: plug it in, and they "
                     "are removed.",
                     status.name, old.size() == 1 ? "a copy" : fmt::format("{} copies", old.size()),
                     server, day(old.front().snapshot_time()))});
  }
  if (!status.next_fits && !prunable) {
    findings.notices.push_back(
        {Level::warning, "no room", status.set, status.name, "",
         fmt::format("The next copy will no longer fit on disk {}: prepare a larger one in its "
                     "place.",
                     status.name)});
  }
}

void judge_alarms(std::span<const ledger::AlarmRow> alarms, Findings& findings) {
  for (const ledger::AlarmRow& alarm : alarms) {
    if (!alarm.open()) continue;
    const bool warning = alarm.severity == ledger::Severity::warning;
    std::string text = base::printable(alarm.message);
    if (!text.ends_with('.')) text += '.';
    if (alarm.kind != "contradiction" && !alarm.disk.empty()) {
      text += fmt::format(" Take note with `rota disk accept {} --reason … --by NAME`.",
                          base::printable(alarm.disk));
    }
    findings.notices.push_back({warning ? Level::warning : Level::alarm, alarm.kind, "", alarm.disk,
                                alarm.server, std::move(text)});
  }
}

void judge_exposure(const RotationStatus& status, const Facts& facts, Findings& findings) {
  for (const Exposure& exposure : status.exposures) {
    bool in_a_set = false;
    bool said = false;  // that all the disks of a set of it are here says it already
    for (const SetPolicy& set : facts.sets) {
      if (!set.servers.empty() &&
          std::ranges::find(set.servers, exposure.server) == set.servers.end()) {
        continue;
      }
      in_a_set = true;
      said = said || std::ranges::any_of(findings.notices, [&](const Notice& notice) {
               return notice.kind == "all on site" && notice.set == set.name;
             });
    }
    if (!in_a_set) {
      findings.notices.push_back(
          {Level::warning, "no set", "", "", exposure.server,
           fmt::format("The profile {} belongs to no set of disks: name it in rotation.toml.",
                       exposure.server)});
    } else if (!exposure.any_offsite_copy && !said) {
      findings.notices.push_back(
          {Level::alarm, "no copy off site", "", "", exposure.server, exposure.sentence});
    }
  }
}

}  // namespace

void judge(std::span<const Member> members, const RotationStatus& status, const Facts& facts,
           Instant now, Findings& findings) {
  judge_clock(members, facts, now, findings);
  if (!facts.lost_history.empty()) {
    findings.notices.push_back(
        {Level::alarm, "lost history", "", "", "", facts.lost_history + "."});
    if (members.empty()) return;
  }
  if (members.empty()) {
    const std::string text =
        "There is no rotation disk yet, so that whoever takes over this server or its account at "
        "the "
        "store can destroy every copy: make the first with `rota disk prepare`.";
    (facts.written ? findings.notices : findings.duties)
        .push_back({facts.written ? Level::alarm : Level::good, "no disk", "", "", "", text});
    return;
  }
  judge_exposure(status, facts, findings);
  for (std::size_t i = 0; i < facts.sets.size(); ++i) {
    judge_missing(members, status.sets[i], facts.sets[i], findings);
    judge_turn(status.sets[i], facts.sets[i], now, findings);
  }
  for (const Member& member : members) {
    judge_result(member, facts.alarms, findings);
    judge_lost(member, members, findings);
    judge_wear(member, now, findings);
    judge_room(member, members, now, findings);
    if (member.set == nullptr && member.in_turn()) {
      findings.notices.push_back(
          {Level::warning, "no set", "", member.status.name, "",
           fmt::format("Disk {} belongs to no set: name it in rotation.toml.",
                       member.status.name)});
    }
  }
  judge_alarms(facts.alarms, findings);
}

}  // namespace rota::rotation
