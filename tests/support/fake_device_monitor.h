#pragma once

#include <deque>
#include <vector>

#include "udev/monitor.h"

namespace rota::test {

/// Events as a test wants them: each wait() gives the next ones, then nothing.
class FakeDeviceMonitor final : public udev::DeviceMonitor {
 public:
  std::deque<std::vector<udev::DeviceEvent>> script;

  std::vector<udev::DeviceEvent> wait(std::chrono::milliseconds, const std::stop_token&) override {
    if (script.empty()) return {};
    std::vector<udev::DeviceEvent> events = std::move(script.front());
    script.pop_front();
    return events;
  }
  std::vector<udev::DeviceEvent> take() override { return wait({}, {}); }
  int fd() const override { return -1; }
};

}  // namespace rota::test
