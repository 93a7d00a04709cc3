#include "job/plug_in.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

#include <fmt/core.h>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/file.h"
#include "ledger/disks.h"
#include "udev/monitor.h"

namespace rota::job {

namespace {

std::optional<std::int64_t> microseconds(std::string_view text) {
  std::int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || (rest != end && *rest != '\n')) return std::nullopt;
  return value;
}

/// The number behind a name at the beginning of a line; nothing when there is none.
std::optional<std::int64_t> microseconds_of(std::string_view lines, std::string_view name) {
  while (!lines.empty() && !lines.starts_with(name)) {
    lines.remove_prefix(std::min(lines.find('\n'), lines.size() - 1) + 1);
  }
  if (lines.empty()) return std::nullopt;
  return microseconds(lines.substr(name.size()));
}

}  // namespace

bool was_seen_at_boot(std::string_view times, std::string_view seen) {
  constexpr std::int64_t kNever = 0;
  const auto finished = microseconds_of(times, "FinishTimestampMonotonic=");
  const auto begun = microseconds_of(times, "UserspaceTimestampMonotonic=");
  const auto first = microseconds(seen);
  if (!finished || !begun || !first) return false;
  // While any job from boot is queued systemd does not call itself finished: one that takes an hour
  // must not keep disks from being copied to for an hour.
  std::int64_t up = *begun + std::chrono::microseconds(kStarting).count();
  if (*finished != kNever) up = std::min(up, *finished);
  return *first < up + std::chrono::microseconds(kSettling).count();
}

bool is_there_since_boot(const udev::BlockDevice& device, base::ProcessRunner& processes) {
  if (udev::property(device.node, "ROTA_SINCE_BOOT") == "1") return true;
  try {
    const std::string times =
        processes
            .run({{"systemctl", "show",
                   "--property=UserspaceTimestampMonotonic,FinishTimestampMonotonic"},
                  {},
                  "",
                  std::chrono::seconds(10)})
            .output;
    return was_seen_at_boot(times, udev::property(device.node, "USEC_INITIALIZED"));
  } catch (const base::Error&) {
    return false;
  }
}

namespace {

/// In the run directory: a restart of the machine is a plug-in that is_there_since_boot() knows,
/// and the kernel's numbers begin anew.
std::string note_file(const profile::Places& places, const std::string& disk) {
  return fmt::format("{}/plugged-in-{}", places.run, disk);
}

}  // namespace

void note_plug_in(const profile::Places& places, const std::string& disk,
                  const udev::BlockDevice& device, base::Warnings& warnings) {
  if (device.sequence == 0) return;  // a kernel before 5.15
  try {
    base::real_files().make_directories(places.run, 0755);
    base::write_file(note_file(places, disk), fmt::format("{}\n", device.sequence), 0644);
  } catch (const base::Error& error) {
    warnings.warn(disk, error.what());
  }
}

bool is_as_noted(const profile::Places& places, const std::string& disk,
                 const udev::BlockDevice& device) {
  const std::string note = note_file(places, disk);
  try {
    return device.sequence != 0 && base::exists(note) &&
           base::read_file(note, 64) == fmt::format("{}\n", device.sequence);
  } catch (const base::Error&) {
    return false;  // it has gone meanwhile
  }
}

void observe_waiting(ledger::Ledger& ledger, const std::string& disk,
                     const udev::BlockDevice& device, const std::string& why, base::Instant now) {
  ledger::Disks disks(ledger);
  const auto last = disks.last_observation(disk);
  // Since when it is there counts: a restart of a program makes it no younger.
  if (last && (last->state == ledger::Observed::connected ||
               last->state == ledger::Observed::safe_to_remove)) {
    return;
  }
  ledger::ObservationRow row;
  row.disk = disk;
  row.time = now;
  row.device = device.node;
  row.serial = device.serial;
  row.detail = why + "; it waits for a person, or to be plugged in again";
  disks.observe(row);
}

}  // namespace rota::job
