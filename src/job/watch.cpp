#include "job/watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "disk/identity.h"
#include "disk/lock.h"
#include "job/disk_events.h"
#include "job/disk_news.h"
#include "job/plug_in.h"
#include "job/rotation_status.h"
#include "profile/rotation.h"

namespace rota::job {

using base::Error;
using rotation::Level;
using std::chrono::milliseconds;
using udev::BlockDevice;
using udev::PortChange;

namespace {

constexpr milliseconds kIdle{60'000};
constexpr milliseconds kBusy{500};  ///< a job that ended is noticed after so long at most
constexpr std::chrono::minutes kLook{10};
constexpr const char* kStays = "still connected";

std::string name_of(const BlockDevice& device) {
  return disk::name_of_label(device.label).value_or("");
}

/// What ended a job that could not say so itself; empty for one that could.
std::string how_killed(int status) {
  constexpr int kNotStarted = 127;
  constexpr int kSignal = 128;
  if (status == kNotStarted) return "it could not be started";
  if (status <= kSignal || status == base::exit_code(base::ErrorKind::interrupted)) return "";
  const int signal = status - kSignal;
  return fmt::format(
      "it was killed by signal {} ({})", signal,
      signal == SIGKILL ? "perhaps this machine has too little memory" : ::strsignal(signal));
}

/// The disk's lock; nothing when another rota works on it.
std::optional<base::LockFile> lock_if_free(const profile::Places& places, const std::string& name) {
  try {
    return disk::lock_disk(places.run, name);
  } catch (const Error& error) {
    if (error.kind() != base::ErrorKind::locked) throw;
    return std::nullopt;
  }
}

}  // namespace

Watcher::Watcher(const profile::Places& places, udev::DeviceProbe& devices,
                 udev::DeviceMonitor& monitor, DiskJobs& jobs, store::HttpClient& http,
                 const WatchOptions& options, Say say, const Surroundings& around)
    : places_(places),
      devices_(devices),
      jobs_(jobs),
      http_(http),
      options_(options),
      say_(std::move(say)),
      around_(around),
      ports_(devices, monitor, [this](const BlockDevice& device) { return wanted(device); }) {}

/// The rules of 90-rota.rules. Of a LUKS disk the container: what lies in it comes to light only
/// when a job opens it.
bool Watcher::wanted(const BlockDevice& device) {
  const std::string name = name_of(device);
  if (name.empty() || device.mapper) return false;
  if (device.fs_type != "ext4" && device.fs_type != "xfs" && device.fs_type != "btrfs" &&
      device.fs_type != "crypto_LUKS") {
    return false;
  }
  if (device.usb || device.removable || options_.allow_fixed) return true;
  try {
    const profile::Rotation rotation = profile::load_rotation(places_);
    const profile::DiskSet* set = rotation.set_of(name);
    return set != nullptr && set->allow_fixed;
  } catch (const Error& error) {
    complain(error);
    return false;
  }
}

void Watcher::tell(const Message& message) {
  say_(message.text);
  Notifier(notify_settings(places_), around_.processes, http_, around_.warnings)
      .tell(message, options_.at_terminal);
}

void Watcher::tell(Level level, const std::string& event, const std::string& disk,
                   const std::string& text) {
  tell({around_.clock.now(), level, event, disk, text, {}});
}

void Watcher::start() {
  careful([this] { profile::load_rotation(places_); });
  away_due_ = true;
  for (const PortChange& change : ports_.start()) first_.push_back(change.device);
  catch_up();
}

void Watcher::run() {
  start();
  say_("Waiting for rotation disks.");
  while (!around_.stop.stop_requested()) {
    round(running_.empty() ? kIdle : kBusy);
  }
  for (const DiskJobs::End& end : jobs_.finish()) {
    careful([&] { ended(end); });
  }
}

void Watcher::round(milliseconds most) {
  for (const PortChange& change : ports_.wait(most, around_.stop)) {
    careful([&] {
      if (change.what == PortChange::What::removed) {
        removed(change.device);
      } else {
        plugged_in(change.device);
      }
    });
  }
  careful([this] { reap(); });
  catch_up();
}

/// What is due, or was when the ledger could not be written: tried again each round.
void Watcher::catch_up() {
  if (away_due_ && careful([this] { record_away(); })) away_due_ = false;
  if (away_due_) return;  // the ledger is locked: each try takes its time
  std::erase_if(first_,
                [this](const BlockDevice& device) { return careful([&] { waits(device); }); });
  if (is_time_to_look()) careful([this] { look_at_status(); });
}

/// A full disk, a mistake in rotation.toml: said, and the next disk is waited for all the same.
/// False when something went wrong.
bool Watcher::careful(const std::function<void()>& action) {
  try {
    action();
    return true;
  } catch (const Error& error) {
    complain(error);
    return false;
  }
}

/// Of a mistake in rotation.toml, which is met again and again, people hear once.
void Watcher::complain(const Error& error) {
  if (error.kind() != base::ErrorKind::config) {
    around_.warnings.warn("watch", error.what());
  } else if (std::exchange(mistake_, error.what()) != error.what()) {
    tell(Level::alarm, "failed", "", error.what());
  }
}

void Watcher::waits(const BlockDevice& device) {
  const std::string name = name_of(device);
  ledger::Ledger ledger(places_.ledger());
  ledger::Disks disks(ledger);
  if (!disks.find(name)) {
    // Nothing is written to it. That it is there is as strange as if it were plugged in now.
    start_job(name, device.node);
    return;
  }
  const auto lock = lock_if_free(places_, name);
  if (!lock) {  // whoever works on it records and tells what becomes of it
    say_(fmt::format("Another rota works on disk {}.", name));
    return;
  }
  const auto last = disks.last_observation(name);
  if (last && last->state == ledger::Observed::safe_to_remove) {
    say_(fmt::format("Disk {} is still connected; it may be unplugged.", name));
    return;
  }
  observe_waiting(ledger, name, device, "connected when `rota watch` began", around_.clock.now());
  tell(Level::warning, "waiting", name,
       fmt::format("Disk {0} was connected already, and nothing is copied to it: plug it in again, "
                   "or type `rota disk attach {0}`; or unplug it.",
                   name));
}

void Watcher::start_job(const std::string& disk, const std::string& node) {
  jobs_.start(disk, node);
  running_[disk] = node;
}

void Watcher::plugged_in(const BlockDevice& device) {
  const std::string name = name_of(device);
  if (running_.contains(name)) {
    // The same disk, out and in again, or a second one that calls itself the same: whichever it is,
    // the next job sees it.
    pending_[name] = device.node;
    return;
  }
  if (is_as_noted(places_, name, device)) return;
  say_(fmt::format("Disk {} was plugged in at {}: its copy begins.", name, device.node));
  start_job(name, device.node);
}

void Watcher::removed(const BlockDevice& device) {
  const std::string name = name_of(device);
  std::erase_if(first_, [&](const BlockDevice& one) { return one.node == device.node; });
  if (const auto next = pending_.find(name);
      next != pending_.end() && next->second == device.node) {
    pending_.erase(next);
  }
  const auto job = running_.find(name);
  if (job != running_.end() && job->second == device.node) {
    // Writes to a disk that is gone may go on into memory for a long time. A job that has let go
    // of the disk itself does not mind.
    jobs_.stop(name);
    return;
  }
  if (job != running_.end()) return;  // of a clone
  say_(fmt::format("Disk {} was unplugged.", name));
  away_due_ = true;
}

void Watcher::reap() {
  for (const DiskJobs::End& end : jobs_.ended()) {
    away_due_ = true;
    careful([&] { ended(end); });
    const auto next = pending_.find(end.disk);
    if (next == pending_.end()) continue;
    const std::string node = next->second;
    pending_.erase(next);
    say_(fmt::format("Disk {} is there again at {}: its copy begins.", end.disk, node));
    start_job(end.disk, node);
  }
}

/// A job that came to its end, well or not, has told so itself.
void Watcher::ended(const DiskJobs::End& end) {
  const std::string where = std::exchange(running_[end.disk], "");
  running_.erase(end.disk);
  say_(end.status == 0 || end.status == base::kExitWarnings
           ? fmt::format("The job with disk {} is done.", end.disk)
           : fmt::format("The job with disk {} ended with status {}.", end.disk, end.status));
  std::string how = how_killed(end.status);
  if (end.status == base::exit_code(base::ErrorKind::interrupted) && was_left(end.disk)) {
    how = "it was interrupted before it could say so";
  }
  if (!how.empty()) tell(killed(places_, devices_, where, end.disk, how, around_));
}

/// The ledger says that a job works on the disk, and none does.
bool Watcher::was_left(const std::string& disk) const {
  using ledger::Observed;
  ledger::Ledger ledger(places_.ledger());
  const auto last = ledger::Disks(ledger).last_observation(disk);
  if (!last || !lock_if_free(places_, disk)) return false;
  return last->state == Observed::connected || last->state == Observed::copying ||
         last->state == Observed::verifying || last->state == Observed::sealed;
}

/// Of disks that are not there any more, and takes back what was said about their staying.
void Watcher::record_away() {
  ledger::Ledger ledger(places_.ledger());
  ledger::Disks disks(ledger);
  const base::Instant now = around_.clock.now();
  const auto connected = look_at_ports(disks, devices_, now);
  if (!connected) return;
  for (const ledger::AlarmRow& alarm : disks.alarms("", true)) {
    if (alarm.kind != kStays || std::ranges::find(*connected, alarm.disk) != connected->end()) {
      continue;
    }
    disks.close_alarm(alarm.id, now);
    told_.erase(alarm.message);
  }
}

/// Also when the clock was set back: what was read from it before says nothing then.
bool Watcher::is_time_to_look() const {
  if (!last_look_) return true;
  const base::Instant now = around_.clock.now();
  return now < *last_look_ || now >= *last_look_ + kLook;
}

/// A disk that stays connected is an open gap: src/rotation says when it is.
void Watcher::look_at_status() {
  const base::Instant now = around_.clock.now();
  last_look_ = now;
  if (ports_.there().empty()) return;  // a look would wake every disk of this machine for nothing
  ledger::Ledger ledger(places_.ledger());
  ledger::Disks disks(ledger);
  const rotation::Status status = read_status(places_, ledger, devices_, now);
  mistake_.clear();
  for (const rotation::Notice& notice : status.rotation.notices) {
    if (notice.kind != kStays) continue;
    const auto open = disks.alarms(notice.disk, true);
    const bool known = std::ranges::any_of(open, [&](const ledger::AlarmRow& alarm) {
      // An open alarm is a notice, too, with advice behind it.
      return alarm.kind == kStays && notice.text.starts_with(alarm.message);
    });
    if (known || !told_.insert(notice.text).second) continue;
    raise_alarm(disks, now, kStays, ledger::Severity::alarm, notice.disk, "", notice.text);
    tell(notice.level, kStays, notice.disk, notice.text);
  }
}

}  // namespace rota::job
