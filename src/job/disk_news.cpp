#include "job/disk_news.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "base/child.h"
#include "base/error.h"
#include "base/text.h"
#include "disk/identity.h"
#include "disk/lock.h"
#include "job/plug_in.h"
#include "store/curl_client.h"

namespace rota::job {

using base::Error;
using base::ErrorKind;
using rotation::Level;

namespace {

/// Keeps the machine from going to sleep or down in the middle of a copy, where logind is there to
/// ask; where it is not, nothing keeps the copy from being made. Ends with this object.
class StayAwake {
 public:
  StayAwake() {
    try {
      child_.emplace(
          std::vector<std::string>{"systemd-inhibit", "--what=sleep:shutdown", "--who=rota",
                                   "--why=A copy to a rotation disk is being made", "--mode=block",
                                   "cat"},
          base::Child::Input::open, true);
    } catch (const Error&) {
      // No systemd here.
    }
  }

 private:
  std::optional<base::Child> child_;
};

/// What a person should know of the end of a job.
class News {
 public:
  News(const profile::Places& places, udev::DeviceProbe& devices, const AttachOptions& options,
       StartedBy started_by, const Surroundings& around)
      : places_(places),
        devices_(devices),
        options_(options),
        started_by_(started_by),
        around_(around) {
    for (const ledger::AlarmRow& alarm : read_alarms(false)) {
      newest_alarm_ = std::max(newest_alarm_, alarm.id);
    }
  }

  Message of(const AttachReport& report) const;
  /// Nothing for what is no news: the person who typed the command mistyped or ended it, or another
  /// rota works on the disk.
  std::optional<Message> of(const Error& error) const;
  /// Of what no error of rota's is: too little memory, for example.
  Message of(const std::exception& error) const;

 private:
  Message message(Level level, const std::string& event, const std::string& disk,
                  const std::string& text) const;
  std::string disk() const;
  /// None of a ledger that cannot be read: that is what must be told then.
  std::vector<ledger::AlarmRow> read_alarms(bool open_only) const;
  Message result(const AttachReport& report) const;
  /// The alarms that were raised meanwhile.
  std::vector<ledger::AlarmRow> alarms() const;
  bool is_gone() const;

  const profile::Places& places_;
  udev::DeviceProbe& devices_;
  const AttachOptions& options_;
  const StartedBy started_by_;
  const Surroundings& around_;
  std::int64_t newest_alarm_ = 0;
};

std::vector<ledger::AlarmRow> News::read_alarms(bool open_only) const {
  try {
    ledger::Ledger ledger(places_.ledger());
    return ledger::Disks(ledger).alarms("", open_only);
  } catch (const Error&) {
    return {};
  }
}

std::vector<ledger::AlarmRow> News::alarms() const {
  std::vector<ledger::AlarmRow> raised = read_alarms(true);
  std::erase_if(raised, [&](const ledger::AlarmRow& alarm) { return alarm.id <= newest_alarm_; });
  return raised;
}

Message News::message(Level level, const std::string& event, const std::string& disk,
                      const std::string& text) const {
  Message result{around_.clock.now(), level, event, disk, text, {}};
  for (const ledger::AlarmRow& alarm : alarms()) {
    if (!disk.empty() && !alarm.disk.empty() && alarm.disk != disk) continue;
    const bool grave = alarm.severity == ledger::Severity::alarm;
    result.level = std::max(result.level, grave ? Level::alarm : Level::warning);
    if (alarm.message != text) result.more.push_back(alarm.message);
  }
  return result;
}

Message News::of(const AttachReport& report) const {
  Message told = result(report);
  if (const std::string accepted = report.accepted(); !accepted.empty()) {
    told.level = std::max(told.level, Level::warning);
    told.more.push_back(fmt::format("Not held, because somebody had looked: {}.", accepted));
  }
  if (const std::string notes = report.notes(); !notes.empty()) {
    told.level = std::max(told.level, Level::warning);
    told.text += notes;  // in the text, which is all that a terminal shows
  }
  return told;
}

Message News::result(const AttachReport& report) const {
  using End = ServerCopy::End;
  const std::string& name = report.disk;
  if (report.any(End::damaged)) {
    return message(
        Level::alarm, "damaged", name,
        fmt::format("A copy on disk {} could not be read back as it was written, and was "
                    "not sealed; earlier copies are as they were. Plug the disk in "
                    "again; if it fails again, replace it.",
                    name));
  }
  if (report.any(End::held)) {
    return message(Level::alarm, "held", name,
                   fmt::format("T{1}. Look at `rota disk show {0}`. The disk may be unplugged.",
                               name, report.held().substr(1)));
  }
  if (report.any(End::failed)) {
    return message(
        Level::alarm, "failed", name,
        fmt::format("Not every server is on disk {}: {}. What was copied is sealed; when "
                    "that is mended, plug the disk in again.",
                    name, report.failures()));
  }
  return message(Level::good, "safe to unplug", name,
                 report.safe_to_unplug
                     ? fmt::format("SAFE TO UNPLUG ROTA-{0}: every copy is sealed. Take it off "
                                   "site, then: `rota disk move {0} off-site --place … --by …`.",
                                   name)
                     : fmt::format("The copies on ROTA-{} are sealed, and nothing uses the disk "
                                   "any more; its port could not be switched off. It may be "
                                   "unplugged.",
                                   name));
}

bool News::is_gone() const {
  return options_.disk.find('/') != std::string::npos && !devices_.find(options_.disk);
}

std::string News::disk() const {
  if (const auto device = devices_.find(options_.disk)) {
    return disk::name_of_label(device->label).value_or("");
  }
  return options_.disk.find('/') == std::string::npos ? options_.disk : "";
}

Message News::of(const std::exception& error) const {
  return message(Level::alarm, "failed", disk(), error.what());
}

std::optional<Message> News::of(const Error& error) const {
  const ErrorKind kind = error.kind();
  const bool own_doing = kind == ErrorKind::usage || kind == ErrorKind::config ||
                         kind == ErrorKind::not_found || kind == ErrorKind::locked ||
                         (kind == ErrorKind::interrupted && !is_gone());
  if (started_by_ == StartedBy::person && own_doing) return std::nullopt;
  for (const ledger::AlarmRow& alarm : alarms()) {
    if (alarm.kind == kUnknownDisk)
      return message(Level::alarm, alarm.kind, alarm.disk, alarm.message);
  }
  if (const auto* gone = dynamic_cast<const PulledOut*>(&error)) {
    return message(Level::warning, "pulled out", gone->disk(), gone->what());
  }
  // Taken away before its job had begun: nothing was written to it.
  if (kind == ErrorKind::not_found && is_gone()) return std::nullopt;
  if (kind == ErrorKind::interrupted) {
    return message(Level::warning, "interrupted", disk(), error.what());
  }
  return message(Level::alarm, "failed", disk(), error.what());
}

/// What there is to say of a disk that was there since boot; recorded.
Message waiting(const profile::Places& places, const udev::BlockDevice& device,
                const std::string& name, const Surroundings& around) {
  ledger::Ledger ledger(places.ledger());
  observe_waiting(ledger, name, device, "connected since boot", around.clock.now());
  return {around.clock.now(),
          Level::warning,
          "waiting",
          name,
          fmt::format("Disk {0} is connected since this machine was started, and nothing is copied "
                      "to it: plug it in again, or type `rota disk attach {0}`; or unplug it.",
                      name),
          {}};
}

/// What decides whether a job that no person has started has anything to do.
class Turn {
 public:
  Turn(const profile::Places& places, udev::DeviceProbe& devices, const AttachOptions& options,
       const Surroundings& around)
      : places_(places), devices_(devices), device_(devices.find(options.disk)), around_(around) {
    const std::string name = device_ ? disk::name_of_label(device_->label).value_or("") : "";
    ledger::Ledger ledger(places.ledger());
    if (ledger::Disks(ledger).find(name)) name_ = name;
  }

  /// The disk is one of ours.
  bool is_known() const { return !name_.empty(); }
  /// When another job with the disk has ended: the disk's lock. It may be one with the same
  /// plug-in, or one that was still letting go of the disk when that was plugged in again.
  HeldLock wait() const {
    const base::LockWait wait = patience(around_, [&] {
      around_.progress.set_activity("waiting for another rota that works on disk " + name_);
    });
    try {
      return {name_,
              std::make_shared<const base::LockFile>(disk::lock_disk(places_.run, name_, &wait))};
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::interrupted || devices_.find(device_->node)) throw;
      throw Error(ErrorKind::not_found,
                  fmt::format("disk {} was pulled out before its job had begun", name_));
    }
  }
  bool is_done() const { return is_as_noted(places_, name_, *device_); }
  bool is_since_boot() const { return is_there_since_boot(*device_, around_.processes); }
  Message waits() const { return waiting(places_, *device_, name_, around_); }

 private:
  const profile::Places& places_;
  udev::DeviceProbe& devices_;
  const std::optional<udev::BlockDevice> device_;
  const Surroundings& around_;
  std::string name_;
};

/// The disk that a job worked on at the node last. Most disks come to the same node, and the row of
/// one whose job ended keeps it.
std::string worked_on_at(ledger::Disks& disks, const std::string& node) {
  using ledger::Observed;
  std::optional<ledger::ObservationRow> newest;
  for (const ledger::DiskState& state : disks.states()) {
    if (!state.observation || state.observation->device != node) continue;
    const Observed does = state.observation->state;
    const bool runs = does == Observed::connected || does == Observed::copying ||
                      does == Observed::verifying || does == Observed::sealed;
    if (runs && (!newest || newest->id < state.observation->id)) newest = state.observation;
  }
  return newest ? newest->disk : "";
}

}  // namespace

Message killed(const profile::Places& places, udev::DeviceProbe& devices, const std::string& node,
               const std::string& disk, const std::string& how, const Surroundings& around) {
  ledger::Ledger ledger(places.ledger());
  ledger::Disks disks(ledger);
  std::string name = disk;
  if (const auto device = devices.find(node); name.empty() && device) {
    name = disk::name_of_label(device->label).value_or("");
  }
  if (name.empty()) name = worked_on_at(disks, node);  // it is gone
  if (disks.find(name)) {
    ledger::ObservationRow row;
    row.disk = name;
    row.time = around.clock.now();
    row.state = ledger::Observed::interrupted;
    row.device = node;
    row.detail = how;
    disks.observe(row);
  }
  return {
      around.clock.now(),
      Level::alarm,
      "failed",
      name,
      fmt::format("The job with disk {} did not come to its end: {}. Earlier copies are as they "
                  "were; plug the disk in again, and the copy goes on.",
                  name.empty() ? "at " + node : name, how),
      {}};
}

std::optional<AttachReport> attach_and_tell(
    const profile::Places& places, udev::DeviceProbe& devices, const AttachOptions& options,
    StartedBy started_by, bool at_terminal, const std::function<void(const Message&)>& say,
    const OnDiskEvent& listener, const Surroundings& around) {
  // Without the stop token: when the port is switched off, systemd takes the disk for pulled out
  // and asks this job, which is about to end well, to end.
  store::CurlClient http;
  Notifier notifier(notify_settings(places), around.processes, http, around.warnings);
  const auto tell = [&](const Message& message) {
    if (started_by != StartedBy::person) say(message);
    notifier.tell(message, at_terminal);
  };
  const News news(places, devices, options, started_by, around);
  try {
    AttachOptions mine = options;
    if (started_by != StartedBy::person) {
      const Turn turn(places, devices, options, around);
      if (turn.is_known()) {
        mine.session.held = turn.wait();
        if (turn.is_done()) return std::nullopt;
        if (started_by == StartedBy::udev && turn.is_since_boot()) {
          const Message message = turn.waits();
          mine.session.held = {};
          tell(message);
          return std::nullopt;
        }
      }
    }
    // When people are told, nobody keeps the disk or the machine from anything any more.
    AttachReport report = [&] {
      const StayAwake awake;
      const AttachOptions own = std::move(mine);
      return attach(places, devices, own, listener, around);
    }();
    tell(news.of(report));
    if (report.all_sealed()) notifier.heartbeat();
    return report;
  } catch (const Error& error) {
    if (const auto message = news.of(error)) notifier.tell(*message, at_terminal);
    throw;
  } catch (const std::exception& error) {
    notifier.tell(news.of(error), at_terminal);
    throw;
  }
}

}  // namespace rota::job
