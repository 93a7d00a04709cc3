#pragma once

#include <algorithm>
#include <map>
#include <vector>

#include "udev/device_probe.h"

namespace rota::test {

/// Block devices as a test wants them. Links: what else a device may be called.
class FakeDeviceProbe final : public udev::DeviceProbe {
 public:
  std::vector<udev::BlockDevice> list;
  std::map<std::string, std::string> links;

  std::vector<udev::BlockDevice> devices() override { return list; }
  std::optional<udev::BlockDevice> find(const std::string& node_or_link) override {
    const auto link = links.find(node_or_link);
    const std::string& node = link == links.end() ? node_or_link : link->second;
    const auto found = std::ranges::find(list, node, &udev::BlockDevice::node);
    if (found == list.end()) return std::nullopt;
    return *found;
  }
};

}  // namespace rota::test
