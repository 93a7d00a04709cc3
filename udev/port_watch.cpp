#include "udev/port_watch.h"

#include <algorithm>
#include <utility>

namespace rota::udev {

namespace {

bool same(const BlockDevice& a, const BlockDevice& b) {
  return a.number == b.number && a.label == b.label && a.uuid == b.uuid && a.sequence == b.sequence;
}

}  // namespace

PortWatch::PortWatch(DeviceProbe& devices, DeviceMonitor& monitor,
                     std::function<bool(const BlockDevice&)> wanted)
    : devices_(devices), monitor_(monitor), wanted_(std::move(wanted)) {}

std::map<std::string, BlockDevice> PortWatch::look() const {
  std::map<std::string, BlockDevice> found;
  for (BlockDevice& device : devices_.devices()) {
    if (wanted_(device)) found.emplace(device.node, std::move(device));
  }
  return found;
}

std::vector<PortChange> PortWatch::start() {
  there_ = look();
  std::vector<PortChange> changes;
  for (const auto& [node, device] : there_) changes.push_back({PortChange::What::there, device});
  return changes;
}

std::vector<PortChange> PortWatch::wait(std::chrono::milliseconds most,
                                        const std::stop_token& stop) {
  std::vector<PortChange> changes;
  for (const DeviceEvent& event : monitor_.wait(most, stop)) look_at(event, changes);
  std::ranges::stable_sort(changes, {}, [](const PortChange& change) {
    return change.what != PortChange::What::removed;
  });
  return changes;
}

void PortWatch::look_at(const DeviceEvent& event, std::vector<PortChange>& changes) {
  if (!event.node.empty()) {
    // With a disk its partitions: a medium that was taken out of a reader takes them along.
    std::vector<std::string> nodes{event.node};
    for (const auto& [node, device] : there_) {
      if (device.disk_node == event.node && node != event.node) nodes.push_back(node);
    }
    for (const std::string& node : nodes) {
      const auto device = devices_.find(node);
      settle(node, device && wanted_(*device) ? &*device : nullptr,
             event.removed && node == event.node, changes);
    }
    return;
  }
  const std::map<std::string, BlockDevice> now = look();
  const std::map<std::string, BlockDevice> before = there_;
  for (const auto& [node, device] : before) {
    if (!now.contains(node)) settle(node, nullptr, false, changes);
  }
  for (const auto& [node, device] : now) settle(node, &device, false, changes);
}

void PortWatch::settle(const std::string& node, const BlockDevice* now, bool removed,
                       std::vector<PortChange>& changes) {
  const auto before = there_.find(node);
  if (before != there_.end()) {
    if (now != nullptr && !removed && same(before->second, *now)) {
      before->second = *now;
      return;
    }
    changes.push_back({PortChange::What::removed, std::move(before->second)});
    there_.erase(before);
  }
  if (now == nullptr) return;
  there_.emplace(node, *now);
  changes.push_back({PortChange::What::plugged_in, *now});
}

}  // namespace rota::udev
