#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

namespace rota::udev {

/// That something happened to a block device; what it is now, DeviceProbe says.
struct DeviceEvent {
  std::string node;      ///< "/dev/sdb1"; empty: events were lost, look at every device
  bool removed = false;  ///< it was removed at least once since the last report
  friend bool operator==(const DeviceEvent&, const DeviceEvent&) = default;
};

/// The seam to the stream of events. One real implementation, a fake in tests.
class DeviceMonitor {
 public:
  virtual ~DeviceMonitor() = default;
  /// Waits until something happened, and then until it has been calm for a moment (kCalm, in all
  /// no longer than kMostCalming): however often a device changes, it is one event. Nothing when
  /// `most` went by or a stop was requested.
  virtual std::vector<DeviceEvent> wait(std::chrono::milliseconds most,
                                        const std::stop_token& stop) = 0;
  /// What has happened by now, for those who wait with poll(): never waits itself.
  virtual std::vector<DeviceEvent> take() = 0;
  /// Readable when something may have happened.
  virtual int fd() const = 0;
};

inline constexpr std::chrono::milliseconds kCalm{100};
inline constexpr std::chrono::milliseconds kMostCalming{1000};

enum class EventSource {
  kernel,  ///< as it happens; needs no udevd
  udev     ///< after udevd has processed it, and has let go of the device
};

/// udev where an udevd runs, else kernel.
EventSource best_source();

/// Listens from now on; what happens before wait() is called is kept. Throws Error(io).
std::unique_ptr<DeviceMonitor> open_monitor(EventSource source);

/// What udevd has noted about a device under this name; empty when nothing, or without a udevd.
std::string property(const std::string& node, const std::string& name);

}  // namespace rota::udev
