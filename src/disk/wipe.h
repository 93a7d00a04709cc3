#pragma once

#include <cstdint>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "base/process.h"
#include "base/progress.h"
#include "udev/device_probe.h"

namespace rota::disk {

/// How a disk's content is destroyed.
enum class WipeMethod {
  erase_keys,  ///< a LUKS container: its key slots go, and with them everything, in a moment
  overwrite,   ///< a plain disk: zeros from the first byte to the last
};

struct WipePlan {
  WipeMethod method = WipeMethod::overwrite;
  std::uint64_t bytes = 0;              ///< to be overwritten
  std::vector<std::string> containers;  ///< nodes of LUKS containers
  std::string sentence;  ///< what will be done and how long it takes, before the name is typed
};

/// What wiping `disk` (a whole disk) takes. partitions: its own, as the probe tells them.
/// The time is guessed at 100 MB/s, and said to be a guess.
WipePlan plan_wipe(const udev::BlockDevice& disk, std::span<const udev::BlockDevice> partitions);

/// Destroys the content of a whole disk for good. The caller has checked that it is the right one
/// and had its name typed, and holds its lock.
///
/// Signatures go first, so that whatever interrupts it leaves a disk that is no rotation disk. An
/// overwrite that was interrupted begins anew, and says so: a place to continue from would have to
/// be trusted. Blocks that the disk itself has put aside (worn flash, bad sectors) are out of
/// reach: an encrypted disk does not have that gap.
/// Throws Error: refused when it is in use, interrupted, io.
void wipe(const udev::BlockDevice& disk, const WipePlan& plan, base::ProcessRunner& processes,
          base::Progress& progress, const std::stop_token& stop);

}  // namespace rota::disk
