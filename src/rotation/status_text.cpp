#include "rotation/status_text.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "rotation/parts.h"

namespace rota::rotation {

namespace {

using base::Instant;

std::string due_text(const DiskStatus& disk) {
  if (!disk.due) return "";
  return day(*disk.due) + (disk.next ? " next" : "");
}

std::string notice_line(const Notice& notice) {
  const char* mark = notice.level == Level::alarm     ? "X"
                     : notice.level == Level::warning ? "!"
                                                      : "i";
  return fmt::format("{} {}\n", mark, notice.text);
}

std::string rotation_text(const RotationStatus& rotation) {
  std::string text = rotation.worst.sentence + "\n";
  if (rotation.exposures.size() > 1) {
    for (const Exposure& exposure : rotation.exposures) {
      if (exposure.server != rotation.worst.server) text += exposure.sentence + "\n";
    }
  }
  if (!rotation.disks.empty()) {
    text += "\n" + disk_table(rotation) + "\n";
    for (const SetStatus& set : rotation.sets) {
      if (rotation.sets.size() > 1) text += set.name + ": ";
      text += set.detection_sentence + "\n";
    }
  }
  for (const Notice& notice : rotation.notices) text += notice_line(notice);
  for (const Notice& duty : rotation.duties) text += notice_line(duty);
  return text;
}

std::string line(const char* what, const std::string& text) {
  return fmt::format("  {:<14}{}\n", what, text);
}

std::string profile_text(const ProfileStatus& profile, const RotationStatus& rotation,
                         Instant now) {
  std::string text = fmt::format("\n{}: {}\n", profile.profile, word(profile.level));
  if (profile.newest) {
    const ledger::RunRow& run = *profile.newest;
    text += line("newest run", fmt::format("{}, {} ({})", base::relative(run.time, now),
                                           ledger::word(run.kind), run.name));
    if (run.known_well()) {
      text += line("tree", fmt::format("{} entries, {}", base::human_count(run.files),
                                       base::human_size(run.bytes)));
    }
    text += line(
        "online",
        fmt::format("{} run{} in {} chain{}, {}{}", profile.runs, profile.runs == 1 ? "" : "s",
                    profile.chains, profile.chains == 1 ? "" : "s",
                    profile.stored_known ? "" : "at least ", base::human_size(profile.stored)));
  }
  if (profile.next_full_due) text += line("next full", base::relative(*profile.next_full_due, now));
  if (profile.last_verification) {
    const ledger::VerifyRow& row = *profile.last_verification;
    text += line("verified",
                 fmt::format("{}, {}: {}", base::relative(row.time, now), ledger::word(row.what),
                             row.good ? "good" : base::printable_text(row.problem)));
  }
  for (const DrillStatus& drill : rotation.drills) {
    if (drill.server == profile.profile && !drill.text.empty()) text += line("drill", drill.text);
  }
  for (const std::string& message : profile.messages) text += fmt::format("  ! {}\n", message);
  return text;
}

}  // namespace

std::string disk_table(const RotationStatus& status) {
  if (status.disks.empty()) return "";
  const bool several_sets = status.sets.size() > 1;
  std::vector<std::string> headings{
      "", "DISK", "STATE", "PLACE", "SINCE", "NEWEST COPY", ">COPIES", ">USED", "LAST SEEN", "DUE"};
  if (several_sets) headings.emplace_back("SET");
  std::vector<std::vector<std::string>> rows;
  for (const DiskStatus& disk : status.disks) {
    std::vector<std::string> row{
        std::string(1, disk.symbol),
        disk.name,
        disk.word,
        base::printable(disk.place),
        disk.since ? day(*disk.since) : "",
        disk.newest ? base::local(disk.newest->snapshot_time()) : "none",
        std::to_string(disk.copies),
        disk.used ? fmt::format("{:.0f} %", std::floor(*disk.used * 100)) : "",
        disk.last_seen ? day(*disk.last_seen) : "never",
        due_text(disk)};
    if (several_sets) row.push_back(disk.set);
    rows.push_back(std::move(row));
  }
  return base::table(headings, rows);
}

std::string status_text(const Status& status, Instant now) {
  std::string text = rotation_text(status.rotation);
  for (const ProfileStatus& profile : status.profiles) {
    text += profile_text(profile, status.rotation, now);
  }
  return text;
}

}  // namespace rota::rotation
