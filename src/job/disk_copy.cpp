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

namespace rota::job {

using ledger::CopyRow;

namespace {

constexpr const char* kTripwire = "tripwire";
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

}  // namespace

CopyStep::CopyStep(const profile::Places& places, ledger::Ledger& ledger, ledger::Disks& disks,
                   DiskLog& log, DiskRoom& room, const ledger::DiskRow& disk,
                   const Surroundings& around)
    : places_(places),
      ledger_(ledger),
      disks_(disks),
      log_(log),
      room_(room),
      disk_(disk),
      around_(around) {}

disk::TripwireFacts CopyStep::facts(const CopySource& source) {
  disk::TripwireFacts facts;
  facts.now = around_.clock.now();
  for (const CopyRow& copy : disks_.last_sealed(source.server(), kCopiesHeldAgainst)) {
    if (copy.sealed_time) {
      facts.last_recorded =
          std::max(facts.last_recorded.value_or(*copy.sealed_time), *copy.sealed_time);
    }
    const std::uint64_t before = copy.entries + copy.removed - std::min(copy.entries, copy.added);
    if (before > 0) {
      facts.changed_before.push_back(static_cast<double>(copy.changed) /
                                     static_cast<double>(before));
    }
    ++facts.copies;
  }
  for (const ledger::RunRow& run : ledger_.runs(source.server())) {
    facts.last_recorded = std::max(facts.last_recorded.value_or(run.time), run.time);
  }
  if (auto now = source.mounts()) {
    facts.mounts_now = std::move(*now);
    facts.mounts_before = remembered_mounts(places_, source.server(), MountMemory::copy);
  }
  facts.canaries_changed = source.changed_canaries();
  return facts;
}

/// A person looked at what was held, and no copy was sealed since: the seal closes the alarm.
bool CopyStep::is_accepted(const std::string& server) {
  return std::ranges::any_of(disks_.alarms(disk_.name, false), [&](const ledger::AlarmRow& alarm) {
    return alarm.kind == kTripwire && alarm.server == server && alarm.acknowledged && !alarm.closed;
  });
}

void close_tripwires(ledger::Disks& disks, const std::string& disk, const std::string& server,
                     base::Instant now) {
  for (const ledger::AlarmRow& alarm : disks.alarms(disk, false)) {
    if (alarm.kind == kTripwire && alarm.server == server && !alarm.closed) {
      disks.close_alarm(alarm.id, now);
    }
  }
}

void CopyStep::hold(ServerCopy& copy, const disk::Tripwire& tripwire) {
  copy.end = ServerCopy::End::held;
  raise_alarm(disks_, around_.clock.now(), kTripwire, ledger::Severity::alarm, disk_.name,
              copy.server,
              fmt::format("The new copy of {} on disk {} is held: {}.", copy.server, disk_.name,
                          tripwire.message),
              tripwire.details);
  log_.event("tripwire", "held", tripwire.message, copy.server);
}

void CopyStep::judge(ServerCopy& copy, const disk::ChangeSummary& changes, bool surveyed,
                     const CopySource& source) {
  const bool accepted = is_accepted(copy.server);
  for (disk::Tripwire& tripwire : disk::judge(changes, surveyed, facts(source))) {
    const auto same = std::ranges::find(copy.tripwires, tripwire.kind, &disk::Tripwire::kind);
    if (same != copy.tripwires.end()) continue;
    if (accepted) {
      log_.event("tripwire", "accepted", tripwire.message, copy.server);
    } else if (tripwire.holds) {
      hold(copy, tripwire);
    } else {
      around_.warnings.warn(copy.server, tripwire.message);
    }
    copy.tripwires.push_back(std::move(tripwire));
  }
}

ServerCopy CopyStep::run(const disk::DiskMount& mount, CopySource& source) {
  ServerCopy copy;
  copy.server = source.server();
  const auto newest = disks_.newest_sealed(disk_.name, copy.server);
  const auto is_there = [&] { return newest && newest->snapshot == base::compact(source.time()); };
  // Copies are named by the second: this machine may have changed within the one of the last copy.
  while (is_there() && source.renew() && is_there()) {
    around_.clock.sleep(std::chrono::milliseconds(200), around_.stop);
    base::check_stop(around_.stop);
  }
  copy.snapshot = base::compact(source.time());
  if (is_there()) {
    copy.end = ServerCopy::End::up_to_date;
    log_.event("copy", "skipped", "the newest run is on the disk already", copy.server);
    return copy;
  }
  log_.observe(ledger::Observed::copying, copy.server);
  log_.begins("survey", copy.server);
  std::uint64_t needed = 0;
  {
    const auto walk = source.open();
    const disk::Survey survey =
        disk::survey(*walk, mount.fd(), copy.server, around_.progress, around_.stop);
    needed = survey.bytes_needed;
    log_.done("survey",
              fmt::format("{} entries, {} to write", base::human_count(survey.entries),
                          base::human_size(needed)),
              copy.server);
    judge(copy, survey.changes, true, source);
  }
  room_.make(mount, needed, copy.end != ServerCopy::End::held, copy.server);
  source.prepare();
  log_.begins("copy", copy.server);
  around_.progress.total_bytes = needed;
  disk::CopyPlan plan{copy.server, source.time(), source.description(), host_name(),
                      fmt::format("rota {}", base::kVersion)};
  {
    const auto tree = source.open();
    disk::CopyWriter writer(mount.fd(), std::move(plan), around_.clock, around_.warnings,
                            around_.progress, around_.stop);
    writer.consume(*tree);
    copy.summary = writer.summary();
  }
  if (const std::string facts = source.facts(); !facts.empty()) {
    base::write_file(fmt::format("{}/{}/{}/{}/{}", mount.path(), disk::kTop, copy.server,
                                 copy.summary.directory, kFactsFile),
                     facts, 0600);
  }
  source.finished();
  CopyRow row = copy_row(disk_.name, copy.summary.record);
  disks_.put_copy(row, around_.clock.now());
  log_.done("copy", summary_text(copy.summary), copy.server);
  judge(copy, copy.summary.changes, false, source);
  return copy;
}

}  // namespace rota::job
