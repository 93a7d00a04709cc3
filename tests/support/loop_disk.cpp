#include "support/loop_disk.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <linux/blkpg.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <thread>
#include <vector>

#include "base/process.h"

namespace rota::test {

namespace {

constexpr int kTries = 100;
constexpr std::chrono::milliseconds kPause(20);
constexpr std::uint64_t kSector = 512;

void run_program(const std::vector<std::string>& argv) {
  const base::ProcessResult result = base::real_processes().run({argv, {}});
  if (result.status == 0) return;
  throw std::runtime_error(
      fmt::format("{}: status {}: {}", argv.at(0), result.status, result.output));
}

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error(fmt::format("{}: {}", what, std::strerror(errno)));
}

}  // namespace

std::optional<std::string> LoopDisk::missing() {
  if (::geteuid() != 0) return "needs root for loop devices";
  const base::Fd control(::open("/dev/loop-control", O_RDWR | O_CLOEXEC));
  if (!control.valid()) return "this machine has no loop devices (/dev/loop-control)";
  return std::nullopt;
}

std::optional<std::string> LoopDisk::no_mapper() {
  // That the node is there says nothing: cryptsetup makes it.
  if (base::Fd(::open("/dev/mapper/control", O_RDWR | O_CLOEXEC)).valid()) return std::nullopt;
  return "this kernel has no device mapper, so that no LUKS container can be opened";
}

LoopDisk::LoopDisk(std::uint64_t size) : directory_(fast_directory()) {
  const base::Fd fd(::open(image().c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd.valid() || ::ftruncate(fd.get(), static_cast<off_t>(size)) != 0) fail(image());
  attach();
}

LoopDisk::~LoopDisk() {
  if (device_.valid()) ::ioctl(device_.get(), LOOP_CLR_FD);
}

void LoopDisk::attach(bool read_only) {
  const int flags = read_only ? O_RDONLY : O_RDWR;
  const base::Fd backing(::open(image().c_str(), flags | O_CLOEXEC));
  const base::Fd control(::open("/dev/loop-control", O_RDWR | O_CLOEXEC));
  if (!backing.valid() || !control.valid()) fail("cannot attach a loop device");
  loop_config config{};
  config.fd = static_cast<unsigned>(backing.get());
  config.info.lo_flags = LO_FLAGS_PARTSCAN | LO_FLAGS_AUTOCLEAR;
  if (read_only) config.info.lo_flags |= LO_FLAGS_READ_ONLY;
  // The number that the kernel offers may be taken by another test before it is used here.
  for (int tries = 0; tries < kTries; ++tries) {
    const int number = ::ioctl(control.get(), LOOP_CTL_GET_FREE);
    if (number < 0) fail("no free loop device");
    const std::string node = fmt::format("/dev/loop{}", number);
    base::Fd device(::open(node.c_str(), O_RDWR | O_CLOEXEC));
    if (device.valid() && ::ioctl(device.get(), LOOP_CONFIGURE, &config) == 0) {
      node_ = node;
      device_ = std::move(device);
      if (!udev::read_partitions(node_).empty()) {
        udev::announce_partitions(device_.get(), node_);
      }
      return;
    }
    std::this_thread::sleep_for(kPause);
  }
  fail("cannot attach a loop device");
}

void LoopDisk::detach() {
  if (!device_.valid()) return;
  if (::ioctl(device_.get(), LOOP_CLR_FD) != 0) fail("cannot detach " + node_);
  device_.reset();
  // The kernel lets go when the last one does who has it open, and other tests look at all devices.
  const std::string attached = "/sys/block/" + node_.substr(node_.rfind('/') + 1) + "/loop";
  for (int tries = 0; tries < kTries && ::access(attached.c_str(), F_OK) == 0; ++tries) {
    std::this_thread::sleep_for(kPause);
  }
}

std::string LoopDisk::partition(int number) {
  std::string node = udev::partition_node(node_, number);
  if (::access(node.c_str(), F_OK) != 0) udev::announce_partitions(device_.get(), node_);
  return node;
}

void LoopDisk::format(const std::string& fs, const std::string& label, const std::string& node) {
  const std::string& where = node.empty() ? node_ : node;
  if (fs == "ext4") {
    run_program({"mkfs.ext4", "-q", "-F", "-E", "nodiscard", "-L", label, where});
  } else if (fs == "xfs") {
    run_program({"mkfs.xfs", "-q", "-f", "-K", "-L", label, where});
  } else if (fs == "btrfs") {
    run_program({"mkfs.btrfs", "-q", "-f", "-K", "-L", label, where});
  } else {
    throw std::runtime_error("no filesystem for tests: " + fs);
  }
}

void LoopDisk::set_limit(std::uint64_t bytes) {
  loop_info64 info{};
  if (::ioctl(device_.get(), LOOP_GET_STATUS64, &info) != 0) fail("cannot look at " + node_);
  info.lo_sizelimit = bytes;
  if (::ioctl(device_.get(), LOOP_SET_STATUS64, &info) != 0) fail("cannot shrink " + node_);
}

void LoopDisk::yank() {
  // The kernel holds a request against the size of the partition only, if it goes to one.
  partitions_ = udev::read_partitions(node_);
  for (const udev::Partition& part : partitions_) resize(part, kSector);
  set_limit(kSector);
}

void LoopDisk::push_in() {
  set_limit(0);
  for (const udev::Partition& part : partitions_) resize(part, part.size);
  partitions_.clear();
}

void LoopDisk::resize(const udev::Partition& part, std::uint64_t size) {
  blkpg_partition details{};
  details.start = static_cast<long long>(part.start);
  details.length = static_cast<long long>(size);
  details.pno = part.number;
  blkpg_ioctl_arg request{};
  request.op = BLKPG_RESIZE_PARTITION;
  request.datalen = sizeof details;
  request.data = &details;
  if (::ioctl(device_.get(), BLKPG, &request) != 0) fail("cannot resize a partition of " + node_);
}

void LoopDisk::set_read_only(bool value) {
  const int read_only = value ? 1 : 0;
  if (::ioctl(device_.get(), BLKROSET, &read_only) != 0) fail("cannot protect " + node_);
}

void LoopDisk::flip_bit(std::uint64_t offset) {
  const base::Fd fd(::open(image().c_str(), O_RDWR | O_CLOEXEC));
  char byte = 0;
  const auto at = static_cast<off_t>(offset);
  if (::pread(fd.get(), &byte, 1, at) != 1) fail(image());
  byte = static_cast<char>(byte ^ 1);
  if (::pwrite(fd.get(), &byte, 1, at) != 1) fail(image());
}

}  // namespace rota::test
