#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "udev/device_probe.h"
#include "udev/monitor.h"

namespace rota::udev {

/// A medium that came to a port or left it.
struct PortChange {
  enum class What {
    there,       ///< was there when the watch began
    plugged_in,  ///< came since
    removed
  } what = What::there;
  BlockDevice device;  ///< as it was seen last
};

/// Tells what was there from what is plugged in now, and either from what only changed.
///
/// A medium is the same as long as node, label, UUID and the kernel's number for it (diskseq) are:
/// however often a device reports a change, it came once. Pulled out and put back between two
/// looks, it is another.
class PortWatch {
 public:
  /// monitor: opened before this, so that nothing is missed. wanted: which devices count.
  PortWatch(DeviceProbe& devices, DeviceMonitor& monitor,
            std::function<bool(const BlockDevice&)> wanted);

  /// What is there at the beginning.
  std::vector<PortChange> start();
  /// What came and went; those that went first. Nothing when `most` went by or a stop was
  /// requested.
  std::vector<PortChange> wait(std::chrono::milliseconds most, const std::stop_token& stop);
  /// What is there, by node.
  const std::map<std::string, BlockDevice>& there() const { return there_; }

 private:
  std::map<std::string, BlockDevice> look() const;
  void look_at(const DeviceEvent& event, std::vector<PortChange>& changes);
  void settle(const std::string& node, const BlockDevice* now, bool removed,
              std::vector<PortChange>& changes);

  DeviceProbe& devices_;
  DeviceMonitor& monitor_;
  std::function<bool(const BlockDevice&)> wanted_;
  std::map<std::string, BlockDevice> there_;
};

}  // namespace rota::udev
