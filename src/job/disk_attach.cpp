#include "job/disk_attach.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/text.h"
#include "disk/copies.h"
#include "disk/make_filesystem.h"
#include "disk/verify_copy.h"
#include "job/disk_check.h"
#include "job/disk_copy.h"
#include "job/disk_finish.h"
#include "job/disk_restore.h"
#include "job/disk_room.h"
#include "job/disk_sources.h"
#include "job/disk_turn.h"
#include "job/plug_in.h"
#include "job/source_error.h"

namespace rota::job {

using base::Error;
using base::ErrorKind;
using disk::MountMode;
using ledger::Observed;

namespace {

/// One run of attach().
class AttachJob {
 public:
  AttachJob(const profile::Places& places, udev::DeviceProbe& devices, const AttachOptions& options,
            const OnDiskEvent& listener, const Surroundings& around)
      : places_(places),
        devices_(devices),
        options_(options),
        kept_(around.warnings),
        around_{around.clock, around.processes, kept_, around.progress, around.stop},
        calm_{around.clock, around.processes, kept_, around.progress, {}},
        rotation_(profile::load_rotation(places)),
        ledger_(places.ledger()),
        disks_(ledger_),
        patient_(wait_for_writers(ledger_, around_)),
        log_(places, disks_, around_, listener) {}

  AttachReport run();

 private:
  void check_options() const;
  void find_sources();
  void leave_out(const std::string& server, const Error& error);
  template <typename Step>
  void on_its_own(const std::string& server, Step step);
  void work();
  void write_copies();
  void read_back();
  void seal();
  void scrub();
  void record_seals();
  void finish(const disk::DiskMount& mount);
  void write_plan(const disk::DiskMount& mount);
  void let_go();
  void record_end();
  bool was_pulled_out(const Error& error) const;
  [[noreturn]] void pulled_out();
  void record_failure(Observed state, const std::string& detail);
  base::Instant now() const { return around_.clock.now(); }
  const std::string& name() const { return session_->row().name; }

  const profile::Places& places_;
  udev::DeviceProbe& devices_;
  const AttachOptions& options_;
  KeptWarnings kept_;
  const Surroundings around_;
  const Surroundings calm_;  ///< nobody can stop what runs in these
  profile::Rotation rotation_;
  ledger::Ledger ledger_;
  ledger::Disks disks_;
  const base::WriterWait patient_;
  DiskLog log_;
  std::unique_ptr<DiskSession> session_;
  const profile::DiskSet* set_ = nullptr;
  std::unique_ptr<DiskRoom> room_;
  std::vector<std::unique_ptr<CopySource>> sources_;
  std::uint64_t new_bytes_ = 0;
  bool full_ = false;    ///< there was no room for a server's copy
  bool let_go_ = false;  ///< nothing uses the disk any more: it may be gone
  AttachReport report_;
};

/// What a person mistyped is no failure of the disk, and nothing is recorded of it.
void AttachJob::check_options() const {
  for (const std::string& name : options_.profiles) profile::load_profile(places_, name);
  if (!options_.from_copy.empty()) copy_record_in(options_.from_copy);
}

AttachReport AttachJob::run() {
  check_options();
  session_ = std::make_unique<DiskSession>(places_, disks_, devices_, options_.disk,
                                           options_.session, around_, &log_);
  report_.disk = name();
  log_.open(name(), session_->device().node, session_->device().serial);
  log_.observe(Observed::connected, session_->filesystem_note());
  set_ = rotation_.set_of(name());
  if (set_ == nullptr) {
    throw Error(ErrorKind::config,
                fmt::format("disk {} is in no set of {}/rotation.toml: add it to the `disks` of "
                            "one",
                            name(), places_.config));
  }
  refuse_if_ended(session_->row());
  check_turn(*session_, rotation_, disks_, log_, around_);
  try {
    work();
  } catch (const Error& error) {
    if (was_pulled_out(error)) pulled_out();
    const auto* file = dynamic_cast<const base::FileError*>(&error);
    const bool full =
        (file != nullptr && file->error_number() == ENOSPC) || log_.state() == Observed::full;
    const bool damaged =
        error.kind() == ErrorKind::corrupt && dynamic_cast<const SourceError*>(&error) == nullptr;
    record_failure(damaged ? Observed::damaged
                   : full  ? Observed::full
                           : Observed::interrupted,
                   error.what());
    throw;
  }
  return std::move(report_);
}

/// Asked before anything is mounted: what is wrong with a profile is said at once. What cannot be
/// copied keeps no other server from being copied, unless there is no other.
void AttachJob::find_sources() {
  SourceChoice choice{name(), options_.profiles, options_.from_chain, options_.from_copy};
  DiskSources found = of_source([&] { return disk_sources(places_, rotation_, choice, around_); });
  for (const DiskSources::Missing& missing : found.missing) {
    leave_out(missing.server, missing.error);
  }
  sources_ = std::move(found.sources);
}

void AttachJob::leave_out(const std::string& server, const Error& error) {
  ServerCopy copy;
  copy.server = server;
  copy.end = ServerCopy::End::failed;
  copy.problem = error.what();
  log_.event("copy", "failed", copy.problem, server);
  report_.copies.push_back(std::move(copy));
}

void AttachJob::work() {
  write_copies();
  read_back();
  seal();
  scrub();
  let_go();
}

void AttachJob::write_copies() {
  find_sources();
  log_.begins("mount");
  disk::DiskMount& mount = session_->mount(MountMode::read_write);
  log_.done("mount", session_->filesystem_note());
  reconcile(disks_, log_, name(), mount, around_);
  disk::make_reserve(mount.fd());
  room_ = std::make_unique<DiskRoom>(disks_, log_, rotation_, name(), around_);
  CopyStep step(places_, ledger_, disks_, log_, *room_, session_->row(), kept_, around_);
  // All are looked at before room is made for any: one that is held keeps its older copies.
  std::vector<CopyStep::Surveyed> surveyed;
  for (const std::unique_ptr<CopySource>& source : sources_) {
    on_its_own(source->server(), [&] { surveyed.push_back(step.survey(mount, *source)); });
  }
  step.spare_waiting(surveyed);
  for (CopyStep::Surveyed& one : surveyed) {
    on_its_own(one.copy.server, [&] {
      step.write(mount, one);
      // What is held for lack of room will need it the next time.
      new_bytes_ += one.copy.is_written() ? one.copy.summary.record.new_bytes : one.needed;
      report_.copies.push_back(std::move(one.copy));
    });
  }
  log_.begins("sync");
  session_->unmount();
  log_.done("sync");
}

/// One server's trouble (a dump that fails, a store that does not answer) is not that of the
/// others; what the system says of a file may be the disk's own.
template <typename Step>
void AttachJob::on_its_own(const std::string& server, Step step) {
  try {
    step();
  } catch (const base::FileError&) {
    throw;
  } catch (const Error& error) {
    const bool alone = sources_.size() + report_.copies.size() == 1;
    if (alone || error.kind() == ErrorKind::interrupted) throw;
    full_ = full_ || log_.state() == Observed::full;
    leave_out(server, error);
  }
}

void AttachJob::read_back() {
  disk::DiskMount& mount = session_->mount(MountMode::read_only);
  log_.observe(Observed::verifying);
  DiskChecks checks(disks_, log_, *session_, around_);
  for (ServerCopy& copy : report_.copies) {
    if (!copy.is_written()) continue;
    copy.check = checks.verify(mount, copy.server, copy.summary.directory, ledger::CheckKind::seal,
                               copy.summary.record.new_bytes);
    if (!copy.check.good()) copy.end = ServerCopy::End::damaged;
  }
  session_->unmount();
}

/// Here nothing is interrupted: it takes moments, and the copies are worth it.
void AttachJob::seal() {
  log_.begins("seal");
  disk::DiskMount& mount = session_->mount(MountMode::read_write);
  for (const ServerCopy& copy : report_.copies) {
    if (copy.end == ServerCopy::End::damaged)
      disk::note_damage(mount.fd(), copy.server, copy.check);
  }
  if (report_.any(ServerCopy::End::sealed)) {
    disk::Identity identity = session_->identity();
    const std::string token = disk::new_token();
    disks_.announce_token(name(), disk::token_hash(token), now());
    disk::replace_token(mount.fd(), identity, token);
  }
  for (const ServerCopy& copy : report_.copies) {
    if (copy.end == ServerCopy::End::sealed) {
      disk::seal(mount.fd(), copy.server, copy.summary.record.time);
    }
  }
  // Only what is on the medium for good is recorded: a look at a disk that lost its power before
  // this does not replay its journal, and would not see the new token.
  session_->unmount();
  record_seals();
}

void AttachJob::record_seals() {
  disk::DiskMount& mount = session_->mount(MountMode::read_write);
  DiskRoom room(disks_, log_, rotation_, name(), calm_);
  for (const ServerCopy& copy : report_.copies) {
    if (copy.end != ServerCopy::End::sealed) continue;
    disks_.seal(sealed_row(name(), copy.summary.record, now()), now());
    close_tripwires(disks_, name(), copy.server, now(), now());
    for (const auto& source : sources_) {
      if (source->server() == copy.server) source->remember();
    }
    log_.observe(Observed::sealed, copy.server);
    log_.done("seal", copy.snapshot, copy.server);
    room.apply_policy(mount, copy.server);
  }
  report_.pruned = room_->pruned();
  report_.pruned.insert(report_.pruned.end(), room.pruned().begin(), room.pruned().end());
  reconcile(disks_, log_, name(), mount, calm_);  // an attempt that was taken over is gone now
  finish(mount);
  write_plan(mount);
  session_->unmount();
}

/// Older copies, as far as the time goes: rot is found while another disk still has the file.
/// Behind the seal, because it may take long: whoever stops it, or pulls the disk out, has the new
/// copy.
void AttachJob::scrub() {
  const auto budget = options_.scrub_budget.value_or(std::chrono::seconds(set_->scrub_budget));
  if (budget.count() <= 0) return;
  DiskChecks checks(disks_, log_, *session_, around_);
  try {
    report_.scrubbed = checks.scrub(session_->mount(MountMode::read_only), budget);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::interrupted) throw;
    around_.warnings.warn(name(),
                          "older copies were not read to the end, as asked; the next time "
                          "goes on with those that were read least recently");
  }
  disk::DiskMount& mount = session_->mount(MountMode::read_write);
  checks.keep(mount, report_.scrubbed);
  finish(mount);
  session_->unmount();
}

void AttachJob::finish(const disk::DiskMount& mount) {
  const ledger::DiskRow& row = session_->row();
  finish_disk(mount, row, scope_of(row, rotation_, profile::list_profiles(places_)), new_bytes_,
              ledger_, now());
}

/// The copies stand; a plan that cannot be made is no reason to say that they do not.
void AttachJob::write_plan(const disk::DiskMount& mount) {
  if (!options_.plan) return;
  try {
    base::write_file(mount.path() + "/PLAN.txt", options_.plan(ledger_, session_->row(), now()),
                     0600);
  } catch (const Error& error) {
    around_.warnings.warn(
        name(), fmt::format("the recovery plan was not written to the disk: {}", error.what()));
  }
}

void AttachJob::let_go() {
  const udev::BlockDevice whole = session_->whole();
  session_->close();
  let_go_ = true;
  if (options_.power_down) {
    log_.begins("power down");
    report_.power = disk::power_down(whole);
    report_.safe_to_unplug = disk::is_safe_to_unplug(report_.power);
    for (const disk::PowerStep& step : report_.power) {
      if (step.result == disk::StepResult::failed) {
        log_.event("power down", "failed", step.what + ": " + step.detail);
      }
    }
  } else {
    report_.safe_to_unplug = true;  // nothing holds it any more
  }
  if (options_.label && report_.any(ServerCopy::End::sealed)) {
    const AttachOptions::LabelResult label = options_.label(name());
    log_.event("label", label.state, label.detail);
  }
  record_end();
}

/// The worst of what became of the copies.
void AttachJob::record_end() {
  using End = ServerCopy::End;
  note_plug_in(places_, name(), session_->device(), around_.warnings);
  if (report_.any(End::damaged)) {
    log_.observe(Observed::damaged);
    log_.event("end", "failed", "a copy could not be read back as it was written");
  } else if (report_.any(End::held)) {
    log_.observe(Observed::suspect, "a copy is held until a person has looked");
    log_.event("end", "held", "held: see `rota disk show`");
  } else if (report_.any(End::failed)) {
    log_.observe(full_ ? Observed::full : Observed::interrupted, report_.failures());
    log_.event("end", "failed", report_.failures());
  } else {
    log_.observe(Observed::safe_to_remove);
    log_.event("end", "done", "safe to unplug");
  }
}

/// What a disk that is gone makes fail says "input/output error" of some file.
bool AttachJob::was_pulled_out(const Error& error) const {
  if (let_go_) return false;
  return !session_->is_at_its_port(error.kind() == ErrorKind::io ? kVanishing
                                                                 : std::chrono::milliseconds(0));
}

void AttachJob::pulled_out() {
  const bool sealed = log_.state() == Observed::sealed;
  const std::string step = around_.progress.activity();
  record_failure(Observed::interrupted, fmt::format("pulled out in the step “{}”{}", step,
                                                    sealed ? "; the new copy is sealed" : ""));
  throw PulledOut(
      name(),
      fmt::format("ROTA-{} was pulled out, or lost its power, in the step “{}”. {}", name(), step,
                  sealed ? "The new copy is sealed; plug the disk in again, so that its job "
                           "ends in good order."
                         : "Earlier copies are as they were; plug it in again, and the copy "
                           "goes on."));
}

void AttachJob::record_failure(Observed state, const std::string& detail) {
  try {
    log_.observe(state, detail);
    session_->close();
  } catch (const Error&) {
    // What stopped the job is what must be told; the next plug-in finds what it left.
  }
}

}  // namespace

AttachReport attach(const profile::Places& places, udev::DeviceProbe& devices,
                    const AttachOptions& options, const OnDiskEvent& listener,
                    const Surroundings& around) {
  AttachJob job(places, devices, options, listener, around);
  return job.run();
}

}  // namespace rota::job
