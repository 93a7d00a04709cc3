#include "job/disk_copy.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/signals.h"
#include "base/text.h"
#include "base/version.h"
#include "disk/copies.h"
#include "disk/survey.h"
#include "job/mounts.h"
#include "job/source.h"
#include "job/source_error.h"
#include "rotation/clock.h"

namespace rota::job {

using ledger::CopyRow;

namespace {

constexpr int kCopiesHeldAgainst = 10;
/// Beside a copy's tree; named in RECOVER.txt.
constexpr const char* kFactsFile = "FACTS.txt";

std::string summary_text(const disk::CopySummary& summary) {
  const disk::CopyRecord& record = summary.record;
  std::string text =
      fmt::format("{} entries, {}; {} new", base::human_count(record.entries),
                  base::human_size(record.bytes), base::human_size(record.new_bytes));
  if (summary.resumed > 0) {
    text +=
        fmt::format("; {} taken over from the attempt before", base::human_count(summary.resumed));
  }
  return text;
}

/// What a person must know who saw none of the warnings.
std::string warned_text(const std::string& server, std::uint64_t count,
                        const std::vector<std::string>& first) {
  std::string text = fmt::format("The copy of {} was made with {} warning{}", server,
                                 base::human_count(count), count == 1 ? "" : "s");
  for (std::size_t i = 0; i < first.size(); ++i) {
    text += (i == 0 ? ": " : "; ") + base::printable(first[i]);
  }
  return text + (count > first.size() ? "; …" : ".");
}

}  // namespace

CopyStep::CopyStep(const profile::Places& places, ledger::Ledger& ledger, ledger::Disks& disks,
                   DiskLog& log, DiskRoom& room, const ledger::DiskRow& disk, KeptWarnings& kept,
                   const Surroundings& around)
    : places_(places),
      ledger_(ledger),
      disks_(disks),
      log_(log),
      room_(room),
      disk_(disk),
      kept_(kept),
      around_(around) {}

/// What bears the clock out, and what does not.
void CopyStep::record_clock(const std::string& server, disk::TripwireFacts& facts) {
  for (const ledger::DiskRow& disk : disks_.all()) {
    for (const CopyRow& copy : disks_.copies(disk.name, false)) {
      if (copy.server != server || !copy.sealed_time) continue;
      facts.recorded.push_back({*copy.sealed_time, "copy on disk " + disk.name, true});
    }
  }
  for (const ledger::RunRow& run : ledger_.runs(server)) {
    facts.recorded.push_back({run.time, "run", false});
  }
  std::vector<ledger::AlarmRow> noted = disks_.alarms("", false);
  // What waits for the seal here is let pass by acceptance(), which tells of it.
  std::erase_if(noted, [&](const ledger::AlarmRow& alarm) {
    return alarm.disk == disk_.name && alarm.server == server && !alarm.closed;
  });
  facts.known_wrong = rotation::known_wrong(noted);
  facts.interval = room_.interval();
}

disk::TripwireFacts CopyStep::facts(const CopySource& source) {
  disk::TripwireFacts facts;
  facts.now = around_.clock.now();
  record_clock(source.server(), facts);
  for (const CopyRow& copy : disks_.last_sealed(source.server(), kCopiesHeldAgainst)) {
    const std::uint64_t before = copy.entries + copy.removed - std::min(copy.entries, copy.added);
    if (before > 0) {
      facts.changed_before.push_back(static_cast<double>(copy.changed) /
                                     static_cast<double>(before));
    }
    ++facts.copies;
  }
  if (auto now = source.mounts()) {
    facts.mounts_now = std::move(*now);
    facts.mounts_before = remembered_mounts(places_, source.server(), MountMemory::copy);
  }
  CanaryFaults canaries = source.canary_faults();
  facts.canaries_changed = std::move(canaries.changed);
  facts.canaries_missing = std::move(canaries.missing);
  return facts;
}

/// A person looked at what was held, and no copy was sealed since: the seal closes the alarm. That
/// is good for what was looked at, and for nothing else or clearly larger.
std::optional<ledger::AlarmRow> CopyStep::acceptance(const std::string& server,
                                                     const disk::Tripwire& tripwire) {
  for (ledger::AlarmRow& alarm : disks_.alarms(disk_.name, false)) {
    if (alarm.kind == kTripwire && alarm.server == server && alarm.acknowledged && !alarm.closed &&
        disk::covers({alarm.what, alarm.extent, alarm.details}, tripwire)) {
      return std::move(alarm);
    }
  }
  return std::nullopt;
}

void CopyStep::hold(ServerCopy& copy, const disk::Tripwire& tripwire) {
  copy.end = ServerCopy::End::held;
  if (copy.problem.empty()) copy.problem = tripwire.message;
  room_.spare(copy.server);
  ledger::AlarmRow alarm;
  alarm.kind = kTripwire;
  alarm.what = tripwire.kind;
  alarm.extent = tripwire.extent;
  alarm.disk = disk_.name;
  alarm.server = copy.server;
  alarm.opened = around_.clock.now();
  alarm.message = fmt::format("The new copy of {} on disk {} is held: {}.", copy.server, disk_.name,
                              tripwire.message);
  alarm.details = tripwire.details;
  raise_alarm(disks_, alarm);
  log_.event("tripwire", "held", tripwire.message, copy.server);
}

void CopyStep::judge(ServerCopy& copy, std::vector<disk::Tripwire> tripwires) {
  for (disk::Tripwire& tripwire : tripwires) {
    const bool known = std::ranges::any_of(copy.tripwires, [&](const disk::Tripwire& before) {
      return disk::covers({before.kind, before.extent, before.details}, tripwire);
    });
    if (known) continue;
    if (!tripwire.holds) {
      around_.warnings.warn(copy.server, tripwire.message);
    } else if (const auto accepted = acceptance(copy.server, tripwire)) {
      copy.accepted.push_back(fmt::format("accepted by {} ({}): {}",
                                          base::printable(accepted->acknowledged_by),
                                          base::printable(accepted->reason), tripwire.message));
      around_.warnings.warn(copy.server, copy.accepted.back());
      log_.event("tripwire", "accepted", tripwire.message, copy.server);
    } else {
      hold(copy, tripwire);
    }
    copy.tripwires.push_back(std::move(tripwire));
  }
}

/// The dumps of the source, which are its own until what is returned goes.
std::optional<base::LockFile> CopyStep::prepare(ServerCopy& copy, CopySource& source) {
  bool waited = false;
  std::optional<base::LockFile> held = source.prepare([&] {
    waited = true;
    around_.progress.set_activity("waiting for the nightly run of " + copy.server);
    log_.event("copy", "waits", "waiting for the nightly run", copy.server);
  });
  // Hours may have passed: the copy is of now.
  if (waited && source.renew()) copy.snapshot = base::compact(source.time());
  return held;
}

/// The copy is written: what tidies up behind it cannot spoil it.
void CopyStep::finish(ServerCopy& copy, CopySource& source) {
  try {
    source.finished();
  } catch (const base::Error& error) {
    if (error.kind() == base::ErrorKind::interrupted) throw;
    around_.warnings.warn(copy.server, error.what());
    copy.notes.push_back(fmt::format("{}: {}.", copy.server, error.what()));
  }
}

CopyStep::Surveyed CopyStep::survey(const disk::DiskMount& mount, CopySource& source) {
  Surveyed surveyed;
  surveyed.source = &source;
  ServerCopy& copy = surveyed.copy;
  copy.server = source.server();
  const auto there = [&]() -> std::optional<CopyRow> {
    const auto row = disks_.copy(disk_.name, copy.server, base::compact(source.time()));
    const bool lies_there = row && (row->state == ledger::CopyState::sealed ||
                                    row->state == ledger::CopyState::damaged);
    return lies_there ? row : std::nullopt;
  };
  // Copies are named by the second: this machine may have changed within the one of the last copy.
  while (there() && source.renew() && there()) {
    around_.clock.sleep(std::chrono::milliseconds(200), around_.stop);
    base::check_stop(around_.stop);
  }
  copy.snapshot = base::compact(source.time());
  if (const auto row = there()) {
    if (row->state == ledger::CopyState::damaged) {
      throw base::Error(base::ErrorKind::refused,
                        fmt::format("what would be copied, {}, is on disk {} already, in a copy "
                                    "that is damaged: copy something newer (after `rota backup`, "
                                    "for a run), which writes anew what was damaged",
                                    source.description(), disk_.name));
    }
    copy.end = ServerCopy::End::up_to_date;
    log_.event("copy", "skipped", "the newest run is on the disk already", copy.server);
    return surveyed;
  }
  log_.observe(ledger::Observed::copying, copy.server);
  log_.begins("survey", copy.server);
  const auto walk = marked(of_source([&] { return source.open(); }));
  disk::Survey survey =
      disk::survey(*walk, mount.fd(), copy.server, around_.progress, around_.stop);
  surveyed.needed = survey.bytes_needed;
  needed_ += survey.bytes_needed;
  // Where nothing has to go, the full comparison looks into every file before the seal.
  if (!room_.has(mount, needed_)) {
    disk::read_sample(*walk, mount.fd(), copy.server, survey.sample, around_.stop);
  }
  log_.done("survey",
            fmt::format("{} entries, {} to write", base::human_count(survey.entries),
                        base::human_size(survey.bytes_needed)),
            copy.server);
  const disk::TripwireFacts known = facts(source);
  judge(copy, disk::judge(survey.changes, true, known));
  surveyed.doubts = disk::judge_contents(disk::estimate(survey), known);
  for (disk::Tripwire& doubt : surveyed.doubts) {
    doubt.message = (survey.sample.looked_at > 0 ? "by a sample of what changed, "
                                                 : "by sizes and times alone, ") +
                    doubt.message;
  }
  return surveyed;
}

void CopyStep::spare_waiting(const std::vector<Surveyed>& surveyed) {
  for (const ledger::AlarmRow& alarm : disks_.alarms("", true)) {
    if (alarm.kind != kTripwire) continue;
    // Another disk's last copy may be older: what the walk found of this one is the better word.
    const bool looked_at = std::ranges::any_of(
        surveyed, [&](const Surveyed& one) { return one.copy.server == alarm.server; });
    if (alarm.disk == disk_.name || !looked_at) room_.spare(alarm.server);
  }
}

void CopyStep::write_tree(const disk::DiskMount& mount, Surveyed& surveyed) {
  ServerCopy& copy = surveyed.copy;
  CopySource& source = *surveyed.source;
  kept_.forget();
  log_.begins("copy", copy.server);
  around_.progress.total_bytes = surveyed.needed;
  disk::CopyPlan plan{copy.server, source.time(), source.description(), host_name(),
                      fmt::format("rota {}", base::kVersion)};
  {
    const auto tree = marked(of_source([&] { return source.open(); }));
    disk::CopyWriter writer(mount.fd(), std::move(plan), around_.clock, around_.warnings,
                            around_.progress, around_.stop);
    writer.consume(*tree);
    copy.summary = writer.summary();
  }
  if (const std::uint64_t warnings = copy.summary.record.warnings; warnings > 0) {
    copy.notes.push_back(warned_text(copy.server, warnings, kept_.first()));
  }
  if (const std::string facts = source.facts(); !facts.empty()) {
    base::write_file(fmt::format("{}/{}/{}/{}/{}", mount.path(), disk::kTop, copy.server,
                                 copy.summary.directory, kFactsFile),
                     facts, 0600);
  }
}

void CopyStep::write(const disk::DiskMount& mount, Surveyed& surveyed) {
  ServerCopy& copy = surveyed.copy;
  CopySource& source = *surveyed.source;
  if (copy.end == ServerCopy::End::up_to_date) return;
  log_.observe(ledger::Observed::copying, copy.server);
  if (!room_.has(mount, surveyed.needed)) {
    // Something old would have to go: a doubt is enough to keep it.
    judge(copy, std::move(surveyed.doubts));
    if (copy.end == ServerCopy::End::held) {
      log_.event("copy", "held", "there is no room for it beside the older copies", copy.server);
      return;
    }
    room_.make(mount, surveyed.needed, copy.server);
  }
  std::optional<base::LockFile> held = prepare(copy, source);
  try {
    write_tree(mount, surveyed);
  } catch (...) {
    source.abandoned();
    throw;
  }
  finish(copy, source);
  held.reset();
  CopyRow row = copy_row(disk_.name, copy.summary.record);
  disks_.put_copy(row, around_.clock.now());
  log_.done("copy", summary_text(copy.summary), copy.server);
  judge(copy, disk::judge(copy.summary.changes, false, facts(source)));
}

}  // namespace rota::job
