#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "rotation/parts.h"

namespace rota::rotation {

namespace {

using base::Instant;
using ledger::Observed;
using namespace std::chrono_literals;

/// How long a disk may stay at a port: to be unplugged, idle, and while it is worked on.
constexpr std::chrono::hours kUnplug{2};
constexpr std::chrono::hours kIdle{24};
constexpr std::chrono::hours kWork{3 * 24};

Notice notice(Level level, const char* kind, const Member& member, std::string text) {
  Notice result;
  result.level = level;
  result.kind = kind;
  result.set = member.status.set;
  result.disk = member.status.name;
  result.text = std::move(text);
  return result;
}

void judge_connected(const Member& member, Instant now, Findings& findings) {
  if (!member.status.at_port || !member.state->observation) return;
  const Observed state = member.state->observation->state;
  const bool works = state == Observed::copying || state == Observed::verifying;
  const bool done = state == Observed::safe_to_remove;
  // The job has ended, and whoever sees to it does that with the disk unplugged.
  const bool ended =
      state == Observed::suspect || state == Observed::damaged || state == Observed::full;
  const auto limit = done || ended ? kUnplug : works ? kWork : kIdle;
  if (now - member.state->observation->time <= limit) return;
  findings.notices.push_back(notice(
      Level::alarm, "still connected", member,
      fmt::format(
          "Disk {0} is {1} since {2} and still connected, so that whoever breaks in here "
          "can destroy it too: {3}.",
          member.status.name, ledger::word(state), base::local(member.state->observation->time),
          done    ? "unplug it, and take it off site"
          : ended ? "unplug it"
                  : fmt::format("see what it waits for, then `rota disk eject {}` and unplug it",
                                member.status.name))));
}

void judge_transit(const Member& member, Instant now, Findings& findings) {
  const Custody custody = member.status.custody;
  if (custody != Custody::in_transit_out && custody != Custody::in_transit_back) return;
  if (now <= base::after(*member.status.since, member.set->transit)) return;
  findings.notices.push_back(notice(
      Level::alarm, "transit", member,
      fmt::format("Disk {0} is {1} since {2}, longer than {3}: find out where it is, and say "
                  "so with `rota disk move {0} STATE --by NAME`.",
                  member.status.name, member.status.word, day(*member.status.since),
                  base::to_string(member.set->transit))));
}

/// A claim is as old as a period and the time to swap the disks: by then another disk should have
/// taken its place, or somebody should look whether it is where it should be.
void judge_claim(const Member& member, Instant now, Findings& findings) {
  if (!member.status.off_site || member.status.custody == Custody::held) return;
  const Instant limit =
      base::after(base::after(*member.status.since, member.set->interval), member.set->transit);
  if (now <= limit) return;
  const std::string& place = member.status.place;
  std::string at;
  std::string option;  // to be pasted into a shell
  if (!place.empty()) {
    at = " at '" + base::printable(place) + "'";
    option = " --place " + (base::is_printable(place) ? base::shell_quoted(place) : "PLACE");
  }
  findings.notices.push_back(
      notice(Level::warning, "stale claim", member,
             fmt::format(
                 "That disk {0} is off site{1} was last said on {2}: look whether it is there, and "
                 "say so again with `rota disk move {0} off-site{3} --by NAME`.",
                 member.status.name, at, day(*member.status.since), option)));
}

std::string folded(std::string place) {
  std::ranges::transform(place, place.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return place;
}

void judge_one_place(std::span<const Member> members, const SetPolicy& set, Findings& findings) {
  std::map<std::string, std::vector<const Member*>> places;
  for (const Member& member : members) {
    if (member.set == &set && member.status.off_site && !member.status.place.empty()) {
      places[folded(member.status.place)].push_back(&member);
    }
  }
  for (const auto& [folded_place, disks] : places) {
    if (disks.size() < 2) continue;
    std::vector<std::string> names;
    for (const Member* disk : disks) names.push_back(disk->status.name);
    Notice result;
    result.kind = "one place";
    result.set = set.name;
    result.text = fmt::format(
        "The disks {} are all at '{}', where one fire takes them together: "
        "bring one back or to another place.",
        fmt::join(names, " and "), base::printable(disks.front()->status.place));
    findings.notices.push_back(result);
  }
}

void judge_all_here(std::span<const Member> members, const SetPolicy& set, Findings& findings) {
  bool any_copy = false;
  for (const Member& member : members) {
    if (member.set != &set || member.status.custody == Custody::lost ||
        member.status.custody == Custody::retired) {
      continue;
    }
    const bool away = member.status.off_site || member.status.custody == Custody::in_transit_out ||
                      member.status.custody == Custody::in_transit_back;
    if (away) return;
    any_copy = any_copy || member.status.newest.has_value();
  }
  if (!any_copy) return;
  Notice result;
  result.level = Level::alarm;
  result.kind = "all on site";
  result.set = set.name;
  result.text = fmt::format(
      "All disks of the set {} are on site, so that one fire or one theft takes "
      "everything: take the one with the newest copy off site.",
      set.name);
  findings.notices.push_back(result);
}

void judge_two_connected(std::span<const Member> members, Findings& findings) {
  std::vector<std::string> names;
  for (const Member& member : members) {
    if (member.status.at_port) names.push_back(member.status.name);
  }
  if (names.size() < 2) return;
  Notice result;
  result.level = Level::alarm;
  result.kind = "two connected";
  result.text = fmt::format(
      "The disks {} are connected at once, where one intruder or one surge of "
      "current takes them together: unplug all but one.",
      fmt::join(names, " and "));
  findings.notices.push_back(result);
}

}  // namespace

void judge_places(std::span<const Member> members, std::span<const SetPolicy> sets, Instant now,
                  Findings& findings) {
  for (const Member& member : members) {
    judge_connected(member, now, findings);
    if (member.set == nullptr) continue;
    judge_transit(member, now, findings);
    judge_claim(member, now, findings);
  }
  for (const SetPolicy& set : sets) {
    judge_one_place(members, set, findings);
    judge_all_here(members, set, findings);
  }
  judge_two_connected(members, findings);
}

}  // namespace rota::rotation
