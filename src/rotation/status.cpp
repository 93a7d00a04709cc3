#include "rotation/status.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/text.h"
#include "rotation/clock.h"

namespace rota::rotation {

namespace {

using base::Instant;
using ledger::RunRow;
using ledger::VerifyKind;
using ledger::VerifyRow;

using Message = std::pair<Level, std::string>;

/// "2026-01-04 03:00 (2 days ago)"
std::string dated(Instant time, Instant now) {
  return fmt::format("{} ({})", base::local(time), base::relative(time, now));
}

/// What a night with a clock years ahead left does not hide that no later night came.
const RunRow& newest_run(const std::vector<RunRow>& runs, Instant now) {
  const auto dated = std::find_if(runs.rbegin(), runs.rend(),
                                  [&](const RunRow& run) { return run.time <= now + kClockSlack; });
  return dated == runs.rend() ? runs.back() : *dated;
}

std::optional<Instant> next_full(const ProfileRows& rows, Instant now) {
  if (rows.runs.empty() || rows.policy.max_full_age == base::Span{}) return std::nullopt;
  const std::string& chain = newest_run(rows.runs, now).chain;
  for (const RunRow& run : rows.runs) {
    if (run.chain == chain && run.kind == ledger::RunKind::full) {
      return base::after(run.time, rows.policy.max_full_age);
    }
  }
  return std::nullopt;
}

/// The bad verification that nothing since has refuted. Only reading the data again refutes bad
/// data; it reads every object, and so refutes a bad listing too. A sample that is good refutes a
/// bad listing, which it looked at, but no bad sample: it was of other objects.
const VerifyRow* open_problem(const std::vector<VerifyRow>& verifications) {
  const VerifyRow* open = nullptr;
  for (const VerifyRow& verification : verifications) {
    const bool stronger = verification.what != VerifyKind::listing;
    if (!verification.good) {
      if (open == nullptr || stronger) open = &verification;
    } else if (open != nullptr &&
               (verification.what == VerifyKind::data || open->what == VerifyKind::listing)) {
      open = nullptr;
    }
  }
  return open;
}

void judge_clock(const ProfileRows& rows, Instant now, std::span<const Instant> known_wrong,
                 std::vector<Message>& messages) {
  Instant latest = now;
  const auto see = [&](Instant time) {
    if (!is_known_wrong(time, known_wrong)) latest = std::max(latest, time);
  };
  for (const RunRow& run : rows.runs) see(run.time);
  if (!rows.verifications.empty()) see(rows.verifications.back().time);
  if (latest - now < kClockSlack) return;
  messages.emplace_back(
      Level::alarm,
      fmt::format("The clock of this machine says {}, but something was recorded at {}: set the "
                  "clock, because no age or due date can be trusted until then.",
                  base::local(now), base::local(latest)));
}

void judge_newest(const RunRow& newest, Instant now, std::vector<Message>& messages) {
  const auto age = now - newest.time;
  if (age > kRunWarning) {
    messages.emplace_back(age > kRunAlarm ? Level::alarm : Level::warning,
                          fmt::format("The newest run is of {}: find out why the nightly run did "
                                      "not happen, and make one with `rota backup {}`.",
                                      dated(newest.time, now), newest.profile));
  }
  if (newest.warnings != 0) {
    messages.emplace_back(
        Level::warning,
        fmt::format("The newest run, of {}, had {} warning{}: read them in its mail or log, and "
                    "see to what they name.",
                    base::local(newest.time), base::human_count(newest.warnings),
                    newest.warnings == 1 ? "" : "s"));
  }
}

void judge_verification(const ProfileRows& rows, const ProfileStatus& status, Instant now,
                        std::vector<Message>& messages) {
  if (const VerifyRow* bad = open_problem(rows.verifications)) {
    const bool data = bad->what != VerifyKind::listing;
    messages.emplace_back(
        Level::alarm,
        fmt::format(
            "The verification of the {} on {} failed ({}): run `rota verify {}{}` again, "
            "and if it fails again do what it says: begin a new chain with `rota backup --full "
            "{}`, and part with the damaged one with `rota purge --chain CHAIN {}`.",
            ledger::word(bad->what), base::local(bad->time),
            bad->problem.empty() ? "no reason was recorded" : base::printable_text(bad->problem),
            data ? "--data " : "", rows.profile, rows.profile, rows.profile));
  } else if (!status.last_verification) {
    messages.emplace_back(
        Level::warning,
        fmt::format("The backup was never verified: run `rota verify {}`.", rows.profile));
  } else if (now - status.last_verification->time > kVerifyWarning) {
    messages.emplace_back(Level::warning,
                          fmt::format("The last verification is of {}: run `rota verify {}`.",
                                      dated(status.last_verification->time, now), rows.profile));
  }
}

}  // namespace

ProfileStatus profile_status(const ProfileRows& rows, Instant now,
                             std::span<const Instant> known_wrong) {
  ProfileStatus status;
  status.profile = rows.profile;
  status.runs = static_cast<int>(rows.runs.size());
  std::set<std::string> chains;
  for (const RunRow& run : rows.runs) {
    chains.insert(run.chain);
    status.stored += run.stored;
    status.stored_known = status.stored_known && run.known_well();
  }
  status.chains = static_cast<int>(chains.size());
  status.next_full_due = next_full(rows, now);
  if (!rows.verifications.empty()) status.last_verification = rows.verifications.back();

  std::vector<Message> messages;
  if (rows.runs.empty() && rows.wrote) {
    messages.emplace_back(
        Level::alarm,
        fmt::format("The ledger knows no run, and this machine has made some: `rota list {}` "
                    "looks what the store has.",
                    rows.profile));
  } else if (rows.runs.empty()) {
    messages.emplace_back(Level::alarm,
                          fmt::format("There is no run yet, so nothing is backed up: make the "
                                      "first with `rota backup {}`.",
                                      rows.profile));
  } else {
    status.newest = newest_run(rows.runs, now);
    judge_clock(rows, now, known_wrong, messages);
    judge_newest(*status.newest, now, messages);
    judge_verification(rows, status, now, messages);
  }
  std::stable_sort(messages.begin(), messages.end(),
                   [](const Message& a, const Message& b) { return a.first > b.first; });
  for (Message& message : messages) {
    status.level = std::max(status.level, message.first);
    status.messages.push_back(std::move(message.second));
    status.message_levels.push_back(message.first);
  }
  return status;
}

Status compute(const Facts& facts, Instant now) {
  Status status;
  status.rotation = rotation_status(facts, now);
  if (!facts.profiles.empty() || !facts.unusable.empty()) status.level = status.rotation.level;
  for (const ProfileRows& rows : facts.profiles) {
    status.profiles.push_back(profile_status(rows, now, facts.known_wrong));
    status.level = std::max(status.level, status.profiles.back().level);
  }
  return status;
}

int count(const Status& status, Level level) {
  auto number = std::ranges::count(status.rotation.notices, level, &Notice::level);
  for (const ProfileStatus& profile : status.profiles) {
    number += std::ranges::count(profile.message_levels, level);
  }
  return static_cast<int>(number);
}

std::string headline(const Status& status) {
  std::vector<Message> messages;
  for (const Notice& notice : status.rotation.notices) {
    messages.emplace_back(notice.level, notice.text);
  }
  for (const ProfileStatus& profile : status.profiles) {
    for (std::size_t i = 0; i < profile.messages.size(); ++i) {
      messages.emplace_back(profile.message_levels[i],
                            fmt::format("{}: {}", profile.profile, profile.messages[i]));
    }
  }
  if (messages.empty() && status.rotation.disks.empty()) {
    return "The online backups are good; no rotation disk is used yet.";
  }
  if (messages.empty()) return status.rotation.worst.sentence;
  std::stable_sort(messages.begin(), messages.end(),
                   [](const Message& a, const Message& b) { return a.first > b.first; });
  const std::size_t more = messages.size() - 1;
  return messages.front().second + (more == 0 ? "" : fmt::format(" (and {} more)", more));
}

}  // namespace rota::rotation
