#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"
#include "job/doctor.h"

namespace rota::job {

namespace {

using namespace std::chrono_literals;

/// Behind an hour nothing is purged (chain/retention.h); five minutes are no clock that is kept.
constexpr auto kClockDanger = 1h;
constexpr auto kClockWarning = 5min;

/// A run needs room for index copies, signatures and temporary files.
constexpr std::uint64_t kLittleRoom = 1'000'000'000;
constexpr std::uint64_t kNoRoom = 200'000'000;

/// A run younger than this was started by something.
constexpr auto kFresh = 50h;

std::vector<Finding> judge_clock(const Seen& seen) {
  if (!seen.store_time) return {};
  const auto apart = std::chrono::abs(*seen.store_time - seen.now);
  const std::string shown = base::human_duration(apart.count());
  if (apart < kClockWarning) {
    return {{Level::good, "clock",
             fmt::format("This machine's clock and the store's agree ({} apart).", shown), ""}};
  }
  const bool far = apart >= kClockDanger;
  return {{far ? Level::danger : Level::warning, "clock",
           fmt::format("This machine's clock is {} {} the store's{}.", shown,
                       *seen.store_time > seen.now ? "behind" : "ahead of",
                       far ? ", and so nothing is purged" : ""),
           "Set the clock, and let chrony or systemd-timesyncd keep it."}};
}

std::vector<Finding> judge_rooms(const Seen& seen) {
  std::vector<Finding> findings;
  const Room* least = nullptr;
  for (const Room& room : seen.rooms) {
    if (least == nullptr || room.free < least->free) least = &room;
    if (room.free >= kLittleRoom) continue;
    findings.push_back({room.free < kNoRoom ? Level::danger : Level::warning, "room",
                        fmt::format("Only {} are free for {}, in {}.", base::human_size(room.free),
                                    room.what, base::printable(room.path)),
                        "Make room before a run fails for want of it."});
  }
  if (findings.empty() && least != nullptr) {
    findings.push_back(
        {Level::good, "room",
         fmt::format("At least {} are free wherever rota writes.", base::human_size(least->free)),
         ""});
  }
  return findings;
}

std::vector<Finding> judge_canaries(const Seen& seen) {
  std::vector<Finding> findings;
  for (const std::string& path : seen.missing_canaries) {
    findings.push_back(
        {Level::warning, "canary",
         fmt::format("The canary file {} is not there: the next copy to a rotation disk is held.",
                     base::printable(path)),
         "Make it, or take it out of `canaries`."});
  }
  return findings;
}

Finding judge_schedule(const Seen& seen) {
  if (!seen.schedules.empty()) {
    std::string places;
    for (const Schedule& schedule : seen.schedules) {
      places += (places.empty() ? "" : ", ") + base::printable(schedule.place);
    }
    return {Level::good, "schedule", fmt::format("Started by {}.", places), ""};
  }
  const std::string to_do =
      fmt::format("Put into /etc/cron.d/rota:  17 3 * * *  root  rota cron {}", seen.profile.name);
  const bool fresh = !seen.runs.empty() && seen.now - seen.runs.back().time < kFresh;
  if (fresh) {
    return {Level::advice, "schedule",
            "No cron entry or timer names rota for this profile, but the newest run is young.",
            "If a script of your own starts it, all is well. If not: " + to_do};
  }
  return {Level::warning, "schedule",
          "Nothing starts rota for this profile: no cron entry, no timer.", to_do};
}

/// Whether a failure at night reaches a person.
std::vector<Finding> judge_mail(const Seen& seen) {
  std::vector<Finding> findings;
  const auto add = [&](Level level, const std::string& what, const std::string& to_do) {
    findings.push_back({level, "mail", what, to_do});
  };
  bool cron = seen.schedules.empty();
  for (const Schedule& schedule : seen.schedules) {
    const std::string place = base::printable(schedule.place);
    if (schedule.kind == Schedule::Kind::timer) {
      if (!schedule.tells_failure) {
        add(Level::warning, fmt::format("When the service of {} fails, nobody is told.", place),
            "Give it OnFailure= with a unit that sends a mail; systemd.unit(5).");
      }
      continue;
    }
    cron = true;
    if (schedule.mail_to && schedule.mail_to->empty()) {
      add(Level::warning,
          fmt::format("MAILTO in {} is empty: cron throws away what rota reports.", place),
          "Write the address of a person there.");
    }
  }
  if (cron && seen.sendmail.empty()) {
    add(Level::warning, "This machine has no sendmail: what cron has to say reaches nobody.",
        "Install a mailer that forwards to a real mailbox: msmtp-mta, nullmailer or postfix.");
  }
  if (findings.empty()) {
    add(Level::good, "A failure at night is reported; whether the mail arrives is not known here.",
        "");
  }
  return findings;
}

std::vector<Finding> judge_encryption(const Seen& seen) {
  const profile::Profile& profile = seen.profile;
  if (profile.encrypt_to.empty()) {
    return {{Level::advice, "encryption",
             "The backup is not encrypted: who can read the store reads everything.",
             "Make a key on another machine with `rota key generate`, and put its recipient into "
             "encrypt_to."}};
  }
  if (!seen.unusable.empty()) return {};  // it may be the recipients
  if (!profile.key.empty()) {
    return {{Level::warning, "encryption",
             fmt::format("The backup is encrypted, but the key that opens it lies on this server, "
                         "in {}.",
                         base::printable(profile.key)),
             "Unless restores are tried on this machine: move it off, take `key` from the profile, "
             "and keep a copy on paper."}};
  }
  return {{Level::good, "encryption",
           "The backup is encrypted, and the profile names no key that opens it.", ""}};
}

}  // namespace

std::vector<Finding> judge_machine(const Seen& seen) {
  std::vector<Finding> findings = judge_clock(seen);
  const auto add = [&](std::vector<Finding> more) {
    findings.insert(findings.end(), std::move_iterator(more.begin()),
                    std::move_iterator(more.end()));
  };
  add(judge_rooms(seen));
  add(judge_canaries(seen));
  findings.push_back(judge_schedule(seen));
  add(judge_mail(seen));
  add(judge_encryption(seen));
  return findings;
}

}  // namespace rota::job
