#include "udev/monitor.h"

#include <libudev.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "base/error.h"
#include "base/file.h"

namespace rota::udev {

namespace {

using base::Error;
using base::ErrorKind;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

struct Unref {
  void operator()(struct udev* context) const { udev_unref(context); }
  void operator()(udev_device* device) const { udev_device_unref(device); }
  void operator()(udev_monitor* monitor) const { udev_monitor_unref(monitor); }
};

/// A hub full of card readers at boot; what is lost all the same is noticed.
constexpr int kBuffer = 8 << 20;

class RealMonitor final : public DeviceMonitor {
 public:
  explicit RealMonitor(EventSource source)
      : context_(udev_new()),
        monitor_(context_ ? udev_monitor_new_from_netlink(
                                context_.get(), source == EventSource::kernel ? "kernel" : "udev")
                          : nullptr) {
    if (!monitor_ ||
        udev_monitor_filter_add_match_subsystem_devtype(monitor_.get(), "block", nullptr) < 0) {
      throw Error(ErrorKind::io, "cannot listen for disks that are plugged in: no netlink socket");
    }
    udev_monitor_set_receive_buffer_size(monitor_.get(), kBuffer);  // best effort, needs root
    const int failed = udev_monitor_enable_receiving(monitor_.get());
    if (failed < 0) base::throw_os("cannot listen for", "disks that are plugged in", -failed);
  }

  std::vector<DeviceEvent> wait(milliseconds most, const std::stop_token& stop) override {
    const base::Fd stopped(::eventfd(0, EFD_CLOEXEC));
    const std::stop_callback wake(stop, [&] {
      const std::uint64_t one = 1;
      [[maybe_unused]] const ssize_t written = ::write(stopped.get(), &one, sizeof one);
    });
    std::vector<DeviceEvent> events;
    if (!ready(most, stopped.get()) || stop.stop_requested()) return events;
    const auto end = Clock::now() + kMostCalming;
    do {
      receive(events);
    } while (Clock::now() < end && ready(kCalm, stopped.get()) && !stop.stop_requested());
    return events;
  }

  std::vector<DeviceEvent> take() override {
    std::vector<DeviceEvent> events;
    while (ready(milliseconds(0), -1)) receive(events);
    return events;
  }

  int fd() const override { return udev_monitor_get_fd(monitor_.get()); }

 private:
  bool ready(milliseconds most, int stopped) const {
    const auto end = Clock::now() + most;
    for (;;) {
      const auto left = std::chrono::duration_cast<milliseconds>(end - Clock::now());
      pollfd both[2] = {{fd(), POLLIN, 0}, {stopped, POLLIN, 0}};
      const int n = ::poll(both, 2, static_cast<int>(std::max<std::int64_t>(0, left.count())));
      if (n < 0 && errno == EINTR) continue;
      return n > 0;
    }
  }

  void receive(std::vector<DeviceEvent>& events) {
    errno = 0;
    const std::unique_ptr<udev_device, Unref> device(udev_monitor_receive_device(monitor_.get()));
    if (!device) {
      // ENOBUFS: the kernel dropped some. Anything else was no message of the kernel's.
      if (errno == ENOBUFS) merge(events, {});
      return;
    }
    const char* node = udev_device_get_devnode(device.get());
    const char* action = udev_device_get_action(device.get());
    if (node == nullptr || action == nullptr) return;
    merge(events, {node, std::strcmp(action, "remove") == 0});
  }

  static void merge(std::vector<DeviceEvent>& events, DeviceEvent event) {
    const auto found = std::ranges::find(events, event.node, &DeviceEvent::node);
    if (found == events.end()) {
      events.push_back(std::move(event));
    } else {
      found->removed = found->removed || event.removed;
    }
  }

  std::unique_ptr<struct udev, Unref> context_;
  std::unique_ptr<udev_monitor, Unref> monitor_;
};

}  // namespace

EventSource best_source() {
  // What libudev itself asks: udevd makes this socket.
  return base::exists("/run/udev/control") ? EventSource::udev : EventSource::kernel;
}

std::string property(const std::string& node, const std::string& name) {
  struct stat st {};
  if (::stat(node.c_str(), &st) != 0 || !S_ISBLK(st.st_mode)) return {};
  const std::unique_ptr<struct udev, Unref> context(udev_new());
  const std::unique_ptr<udev_device, Unref> device(
      context ? udev_device_new_from_devnum(context.get(), 'b', st.st_rdev) : nullptr);
  const char* value = device ? udev_device_get_property_value(device.get(), name.c_str()) : nullptr;
  return value == nullptr ? std::string() : std::string(value);
}

std::unique_ptr<DeviceMonitor> open_monitor(EventSource source) {
  return std::make_unique<RealMonitor>(source);
}

}  // namespace rota::udev
