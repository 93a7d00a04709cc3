#include "job/since_boot.h"

#include "base/error.h"
#include "ledger/disks.h"
#include "udev/monitor.h"

namespace rota::job {

bool is_there_since_boot(const udev::BlockDevice& device, base::ProcessRunner& processes) {
  if (udev::property(device.node, "ROTA_SINCE_BOOT") == "1") return true;
  try {
    const std::string state =
        processes.run({{"systemctl", "is-system-running"}, {}, "", std::chrono::seconds(10)})
            .output;
    return state.starts_with("starting") || state.starts_with("initializing");
  } catch (const base::Error&) {
    return false;
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
