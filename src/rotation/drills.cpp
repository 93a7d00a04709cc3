#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"
#include "rotation/parts.h"
#include "rotation/swaps.h"

namespace rota::rotation {

namespace {

using base::Instant;
using ledger::DrillRow;

/// A drill takes an hour of somebody's week: said so long before.
constexpr std::chrono::hours kAhead{7 * 24};

/// Nobody can say of a disk that the ledger does not know that it is gone: after so long it is.
constexpr std::chrono::hours kUnknownDisk{365 * 24};

/// Whether what `drill` says holds for all that `other` tried: the same store or the same disk, and
/// no less of it. That one disk can be restored from says nothing of another.
bool covers(const DrillRow& drill, const DrillRow& other) {
  return drill.source == other.source && drill.disk == other.disk &&
         (!drill.sample || other.sample) && (drill.checked || !other.checked);
}

/// Whether nobody will ever restore from there again: the disk is lost or retired, or holds nothing
/// of the server any more.
bool is_gone(const DrillRow& drill, std::span<const Member> members, Instant now) {
  if (drill.source == ledger::DrillSource::store) return false;
  const auto disk = std::ranges::find(members, drill.disk,
                                      [](const Member& member) { return member.status.name; });
  if (disk == members.end()) return now - drill.time > kUnknownDisk;
  const ledger::DiskEnd end = disk->state->disk.end;
  return end == ledger::DiskEnd::lost || end == ledger::DiskEnd::retired ||
         std::ranges::none_of(disk->state->copies, [&](const ledger::CopyRow& copy) {
           const bool there =
               copy.state == ledger::CopyState::sealed || copy.state == ledger::CopyState::damaged;
           return there && copy.server == drill.server;
         });
}

/// The failures that nothing since has refuted.
std::vector<const DrillRow*> open_failures(const std::string& server,
                                           std::span<const Member> members,
                                           std::span<const DrillRow> drills, Instant now) {
  std::vector<const DrillRow*> open;
  for (const DrillRow& drill : drills) {
    if (drill.server != server) continue;
    std::erase_if(open, [&](const DrillRow* failure) { return covers(drill, *failure); });
    // One that tried less than a failure before it adds nothing.
    const bool told =
        std::ranges::any_of(open, [&](const DrillRow* failure) { return covers(*failure, drill); });
    if (!drill.passed && !told) open.push_back(&drill);
  }
  std::erase_if(open, [&](const DrillRow* failure) { return is_gone(*failure, members, now); });
  return open;
}

/// The first moment from which something of the server could have been restored.
std::optional<Instant> restorable_since(const std::string& server, std::span<const Member> members,
                                        const Facts& facts) {
  std::optional<Instant> since;
  const auto earlier = [&](Instant time) { since = std::min(since.value_or(time), time); };
  for (const ProfileRows& rows : facts.profiles) {
    if (rows.profile == server && !rows.runs.empty()) earlier(rows.runs.front().time);
  }
  for (const Member& member : members) {
    for (const ledger::CopyRow& copy : member.state->copies) {
      if (copy.server == server && copy.sealed_time) earlier(*copy.sealed_time);
    }
  }
  return since;
}

/// How to make the same drill again.
std::string again(const DrillRow& drill) {
  if (drill.source == ledger::DrillSource::store) return "rota drill " + drill.server;
  if (drill.disk.empty()) return "rota drill --copy DIR";
  return fmt::format("rota drill {} --disk {}", drill.server, drill.disk);
}

Notice failed(const DrillRow& drill) {
  return {
      Level::alarm,
      "drill failed",
      "",
      drill.disk,
      drill.server,
      fmt::format("The drill of {} {} on {} failed ({}): a recovery would fail like that too. "
                  "Find out why, and repeat it{} with `{}`.",
                  drill.server, where_from(drill), base::local(drill.time),
                  drill.problem.empty() ? "no reason was recorded" : base::printable(drill.problem),
                  drill.checked ? ", its check program included," : "", again(drill))};
}

/// What is to be said of the turn of a server whose last drill passed, or that never had one.
void judge_turn(const DrillStatus& status, const base::Span& every, Instant now,
                Findings& findings) {
  const std::string how = fmt::format("`rota drill {}`", status.server);
  if (!status.passed) {
    if (now < *status.due) return;
    findings.duties.push_back(
        {Level::good, "no drill", "", "", status.server,
         fmt::format("Nobody has ever tried whether {} can be restored: do so with {}.",
                     status.server, how)});
    return;
  }
  if (now < *status.due - kAhead) return;
  if (now < *status.due) {
    findings.duties.push_back({Level::good, "drill due", "", "", status.server,
                               fmt::format("A drill of {} is due on {}: make it with {}.",
                                           status.server, day(*status.due), how)});
    return;
  }
  const bool missed = now >= base::after(*status.due, every);
  findings.notices.push_back(
      {missed ? Level::alarm : Level::warning, "drill overdue", "", "", status.server,
       fmt::format("A drill of {} was due on {}, the last is of {}: make it with {}.",
                   status.server, day(*status.due), day(status.passed->time), how)});
}

/// "2026-10-12 04:00 (3 weeks ago) from disk B: passed, 400 GB in 1 h 10 min"
std::string told(const DrillRow& drill, Instant now) {
  const std::string result =
      drill.passed
          ? fmt::format("passed, {}{} in {}", drill.sample ? "a sample of " : "",
                        base::human_size(drill.bytes),
                        base::human_duration(static_cast<std::int64_t>(drill.restore_seconds)))
          : "failed";
  return fmt::format("{} ({}) {}: {}", base::local(drill.time), base::relative(drill.time, now),
                     where_from(drill), result);
}

std::string text_of(const DrillStatus& status, Instant now) {
  std::string text = status.last ? told(*status.last, now) : "";
  if (!status.due) return text;
  if (text.empty()) text = "never";
  return text + fmt::format("; {} {}", now < *status.due ? "next due" : "was due",
                            base::relative(*status.due, now));
}

}  // namespace

std::vector<DrillStatus> drill_status(std::span<const Member> members, const Facts& facts,
                                      Instant now, Findings& findings) {
  std::vector<DrillStatus> all;
  for (const std::string& server : facts.servers) {
    DrillStatus& status = all.emplace_back();
    status.server = server;
    for (const DrillRow& drill : facts.drills) {
      if (drill.server != server) continue;
      status.last = drill;
      if (drill.passed) status.passed = drill;
    }
    const std::optional<Instant> from = status.passed ? std::optional(status.passed->time)
                                                      : restorable_since(server, members, facts);
    if (from && facts.drill_every != base::Span{}) {
      status.due = base::after(*from, facts.drill_every);
    }
    status.text = text_of(status, now);
    const auto failures = open_failures(server, members, facts.drills, now);
    status.failing = !failures.empty();
    for (const DrillRow* failure : failures) findings.notices.push_back(failed(*failure));
    if (failures.empty() && status.due) judge_turn(status, facts.drill_every, now, findings);
  }
  return all;
}

std::vector<ComingDrill> coming_drills(const RotationStatus& status, Instant now, Instant until) {
  constexpr int kMost = 4000;  // ten years of daily ones: whatever is asked for, it ends
  std::vector<ComingDrill> drills;
  if (status.drill_every == base::Span{}) return drills;
  for (const DrillStatus& drill : status.drills) {
    if (!drill.due) continue;
    const std::string since = drill.passed ? base::compact(drill.passed->time) : "first";
    Instant due = *drill.due;
    for (int turn = 0; due <= until && turn < kMost; ++turn) {
      drills.push_back(
          {drill.server, due, due < now, fmt::format("drill-{}-{}-{}", drill.server, since, turn)});
      due = base::after(std::max(due, now), status.drill_every);
    }
  }
  std::ranges::stable_sort(drills, {}, &ComingDrill::due);
  return drills;
}

}  // namespace rota::rotation
