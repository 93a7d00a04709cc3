#include "udev/device_probe.h"

#include <libudev.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string_view>
#include <tuple>

#include "base/error.h"
#include "base/file.h"
#include "udev/probe.h"
#include "udev/usage.h"

namespace rota::udev {

namespace {

using base::Error;
using base::ErrorKind;

constexpr std::uint64_t kSector = 512;  // sysfs counts in it, whatever the device's own is
constexpr std::uint64_t kMaxAttribute = 4096;

struct Unref {
  void operator()(struct udev* context) const { udev_unref(context); }
  void operator()(udev_device* device) const { udev_device_unref(device); }
  void operator()(udev_enumerate* list) const { udev_enumerate_unref(list); }
};
using Context = std::unique_ptr<struct udev, Unref>;
using Device = std::unique_ptr<udev_device, Unref>;
using Enumeration = std::unique_ptr<udev_enumerate, Unref>;

std::string trimmed(std::string_view text) {
  constexpr std::string_view kSpace(" \t\r\n\0", 5);
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(kSpace) - first + 1));
}

std::string attribute(udev_device* device, const char* name) {
  const char* value = udev_device_get_sysattr_value(device, name);
  return value == nullptr ? std::string() : trimmed(value);
}

std::uint64_t number(udev_device* device, const char* name) {
  std::uint64_t value = 0;
  for (const char c : attribute(device, name)) {
    if (c < '0' || c > '9') return 0;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

/// "Unit serial number" as the disk itself gives it (SPC-4, 7.8.15): four bytes, then text.
std::string vital_serial(const std::string& sysfs) {
  constexpr std::size_t kHeader = 4;
  try {
    const std::string page = base::read_file(sysfs + "/device/vpd_pg80", kMaxAttribute);
    if (page.size() <= kHeader) return {};
    return trimmed(std::string_view(page).substr(kHeader));
  } catch (const Error&) {
    return {};  // most have none
  }
}

/// Model, vendor and serial of a whole disk, and how it is attached.
void describe(udev_device* disk, BlockDevice& device) {
  const std::string sysfs = udev_device_get_syspath(disk);
  device.model = attribute(disk, "device/model");
  device.vendor = attribute(disk, "device/vendor");
  device.serial = vital_serial(sysfs);
  if (device.serial.empty()) device.serial = attribute(disk, "device/serial");  // NVMe, MMC
  if (device.serial.empty()) device.serial = attribute(disk, "serial");         // virtio
  if (device.vendor.starts_with("0x")) device.vendor.clear();  // virtio's PCI number is no name
  // The device belongs to `disk`: not to be released.
  udev_device* usb = udev_device_get_parent_with_subsystem_devtype(disk, "usb", "usb_device");
  if (usb != nullptr) {
    device.usb = true;
    if (device.model.empty()) device.model = attribute(usb, "product");
    if (device.vendor.empty()) device.vendor = attribute(usb, "manufacturer");
    if (device.serial.empty()) device.serial = attribute(usb, "serial");
  }
  device.sequence = number(disk, "diskseq");
  device.removable = attribute(disk, "removable") == "1";
  const std::string_view name = udev_device_get_sysname(disk);
  device.loop = name.starts_with("loop");
  device.mapper = name.starts_with("dm-") || name.starts_with("md");
}

std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code gone;  // a device may be pulled out at any moment
  for (std::filesystem::directory_iterator i(directory, gone), end; !gone && i != end;
       i.increment(gone)) {
    names.push_back(i->path().filename());
  }
  std::ranges::sort(names);
  return names;
}

std::vector<std::string> partitions_of(struct udev* context, const std::string& sysfs) {
  std::vector<std::pair<std::uint64_t, std::string>> found;
  for (const std::string& name : names_in(sysfs)) {
    if (!base::exists(sysfs + "/" + name + "/partition")) continue;
    const Device part(udev_device_new_from_syspath(context, (sysfs + "/" + name).c_str()));
    const char* node = part ? udev_device_get_devnode(part.get()) : nullptr;
    if (node != nullptr) found.emplace_back(number(part.get(), "partition"), node);
  }
  std::ranges::sort(found);
  std::vector<std::string> nodes;
  for (auto& [position, node] : found) nodes.push_back(std::move(node));
  return nodes;
}

/// Nothing for what has no medium, no node, or is neither disk nor partition.
std::optional<BlockDevice> look(struct udev* context, udev_device* found, const DeviceUsage& used) {
  BlockDevice device;
  const char* node = udev_device_get_devnode(found);
  const char* type = udev_device_get_devtype(found);
  device.size = number(found, "size") * kSector;
  if (node == nullptr || type == nullptr || device.size == 0) return std::nullopt;
  device.node = device.disk_node = node;
  device.sysfs = udev_device_get_syspath(found);
  device.number = udev_device_get_devnum(found);
  udev_device* disk = found;
  if (std::strcmp(type, "partition") == 0) {
    device.kind = DeviceKind::partition;
    disk = udev_device_get_parent_with_subsystem_devtype(found, "block", "disk");
    const char* disk_node = disk == nullptr ? nullptr : udev_device_get_devnode(disk);
    if (disk_node == nullptr) return std::nullopt;
    device.disk_node = disk_node;
  } else {
    device.children = partitions_of(context, device.sysfs);
  }
  describe(disk, device);
  device.read_only = attribute(found, "ro") == "1" || attribute(disk, "ro") == "1";
  device.mount_points = used.mount_points(device.number);
  device.holders = names_in(device.sysfs + "/holders");
  if (used.is_swap(device.number)) device.holders.emplace_back("swap");
  probe_medium(device);
  return device;
}

class RealDevices final : public DeviceProbe {
 public:
  std::vector<BlockDevice> devices() override {
    const Context context(udev_new());
    const Enumeration list(context ? udev_enumerate_new(context.get()) : nullptr);
    if (!list || udev_enumerate_add_match_subsystem(list.get(), "block") < 0 ||
        udev_enumerate_scan_devices(list.get()) < 0 || !base::exists("/sys/class/block")) {
      throw Error(ErrorKind::io, "cannot list the disks: /sys is not mounted");
    }
    const DeviceUsage used = DeviceUsage::read();
    std::vector<BlockDevice> found;
    udev_list_entry* entry = nullptr;
    udev_list_entry_foreach(entry, udev_enumerate_get_list_entry(list.get())) {
      const char* sysfs = udev_list_entry_get_name(entry);
      const Device device(udev_device_new_from_syspath(context.get(), sysfs));
      if (!device) continue;  // pulled out since
      if (auto seen = look(context.get(), device.get(), used)) found.push_back(std::move(*seen));
    }
    std::ranges::stable_sort(found, [](const BlockDevice& a, const BlockDevice& b) {
      return std::tie(a.disk_node, a.kind) < std::tie(b.disk_node, b.kind);
    });
    return found;
  }

  std::optional<BlockDevice> find(const std::string& node_or_link) override {
    struct stat st {};
    if (::stat(node_or_link.c_str(), &st) != 0 || !S_ISBLK(st.st_mode)) return std::nullopt;
    const Context context(udev_new());
    const Device device(context ? udev_device_new_from_devnum(context.get(), 'b', st.st_rdev)
                                : nullptr);
    if (!device) return std::nullopt;
    return look(context.get(), device.get(), DeviceUsage::read());
  }
};

}  // namespace

DeviceProbe& real_devices() {
  static RealDevices devices;
  return devices;
}

}  // namespace rota::udev
