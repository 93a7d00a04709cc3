#include "disk/power.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <linux/fs.h>
#include <scsi/sg.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

namespace rota::disk {

namespace {

PowerStep flush(const std::string& node) {
  const base::Fd fd(::open(node.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid() || ::fsync(fd.get()) != 0 || ::ioctl(fd.get(), BLKFLSBUF) != 0) {
    return {"flush", StepResult::failed, base::os_reason(errno)};
  }
  return {"flush", StepResult::done, ""};
}

/// SCSI's START STOP UNIT with START = 0 (SBC-3, 5.20): the disk flushes its own cache, parks its
/// heads and stops. The kernel sends it by itself only where it is set to.
PowerStep stop(const std::string& node) {
  const base::Fd fd(::open(node.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!fd.valid()) return {"stop", StepResult::failed, base::os_reason(errno)};
  constexpr unsigned char kStartStopUnit = 0x1b;
  constexpr unsigned kMilliseconds = 30'000;  // a large disk needs several seconds
  std::array<unsigned char, 6> command{kStartStopUnit, 0, 0, 0, 0, 0};
  std::array<unsigned char, 32> sense{};
  sg_io_hdr_t request{};
  request.interface_id = 'S';
  request.dxfer_direction = SG_DXFER_NONE;
  request.cmdp = command.data();
  request.cmd_len = command.size();
  request.sbp = sense.data();
  request.mx_sb_len = sense.size();
  request.timeout = kMilliseconds;
  if (::ioctl(fd.get(), SG_IO, &request) != 0) {
    if (errno == ENOTTY || errno == EINVAL) {
      return {"stop", StepResult::not_applicable, "it is no SCSI disk"};
    }
    return {"stop", StepResult::failed, base::os_reason(errno)};
  }
  if ((request.info & SG_INFO_OK_MASK) != SG_INFO_OK) {
    return {"stop", StepResult::failed,
            fmt::format("the disk or its bridge refused (status {:#x})", request.status)};
  }
  return {"stop", StepResult::done, ""};
}

/// Writes "1" to an attribute of sysfs.
PowerStep trigger(const std::string& what, const std::string& attribute) {
  const base::Fd fd(::open(attribute.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd.valid()) {
    const int error_number = errno;
    return {what, error_number == ENOENT ? StepResult::not_applicable : StepResult::failed,
            error_number == ENOENT ? "the device cannot do it" : base::os_reason(error_number)};
  }
  if (::write(fd.get(), "1", 1) != 1) return {what, StepResult::failed, base::os_reason(errno)};
  return {what, StepResult::done, ""};
}

/// The USB device that a disk hangs on: the nearest directory above it with an attribute `remove`
/// and a vendor's number. "" when there is none. An interface has neither.
std::string usb_device_above(std::string directory, const std::string& top) {
  while (directory.size() > top.size() && directory.starts_with(top)) {
    if (base::exists(directory + "/idVendor")) return directory;
    directory = base::parent_directory(directory);
  }
  return "";
}

/// The name of another disk that hangs on the same USB device: a bridge with two bays, a card
/// reader. Empty: there is none.
std::string other_disk_below(const std::string& usb, const std::string& own) {
  std::error_code none;
  // Not through links, which lead out of it.
  for (std::filesystem::recursive_directory_iterator i(usb, none), end; !none && i != end;
       i.increment(none)) {
    const std::filesystem::path& path = i->path();
    if (path.parent_path().filename() != "block") continue;
    i.disable_recursion_pending();
    if (path != own && base::exists(path.string() + "/size")) return path.filename();
  }
  return "";
}

}  // namespace

std::vector<PowerStep> power_down(const udev::BlockDevice& disk, const std::string& sysfs) {
  std::vector<PowerStep> steps{flush(disk.disk_node)};
  const char* why = disk.loop || disk.mapper       ? "it is no device that can be unplugged"
                    : !disk.usb && !disk.removable ? "it is a fixed disk, which stays powered"
                                                   : nullptr;
  if (why != nullptr) {
    steps.push_back({"stop", StepResult::not_applicable, why});
    steps.push_back({"detach", StepResult::not_applicable, why});
    steps.push_back({"remove", StepResult::not_applicable, why});
    return steps;
  }
  std::string directory = disk.sysfs;
  if (disk.kind == udev::DeviceKind::partition) directory = base::parent_directory(directory);
  // Looked up first: when the SCSI device is gone, so is the way up from it.
  const std::string usb = usb_device_above(directory, sysfs);
  const std::string other = usb.empty() ? "" : other_disk_below(usb, directory);
  steps.push_back(stop(disk.disk_node));
  steps.push_back(trigger("detach", directory + "/device/delete"));
  if (usb.empty()) {
    steps.push_back({"remove", StepResult::not_applicable, "it is not attached by USB"});
  } else if (!other.empty()) {
    steps.push_back(
        {"remove", StepResult::not_applicable,
         fmt::format("another disk, {}, hangs on the same USB device", base::printable(other))});
  } else {
    steps.push_back(trigger("remove", usb + "/remove"));
  }
  return steps;
}

bool is_safe_to_unplug(const std::vector<PowerStep>& steps) {
  return std::ranges::none_of(
      steps, [](const PowerStep& step) { return step.result == StepResult::failed; });
}

Usage usage(int root) {
  struct statvfs fs {};
  if (::fstatvfs(root, &fs) != 0) base::throw_os("cannot look at", "the disk", errno);
  const auto bytes = [&](fsblkcnt_t blocks) {
    return static_cast<std::uint64_t>(blocks) * fs.f_frsize;
  };
  return {bytes(fs.f_blocks), bytes(fs.f_blocks) - bytes(fs.f_bfree), bytes(fs.f_bavail)};
}

}  // namespace rota::disk
