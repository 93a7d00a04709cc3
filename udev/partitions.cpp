#include "udev/partitions.h"

#include <blkid/blkid.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <linux/blkpg.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <memory>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "udev/probe.h"

namespace rota::udev {

namespace {

using base::Error;
using base::ErrorKind;

constexpr std::uint64_t kSector = 512;  // libblkid's unit, whatever the device's own is
constexpr std::chrono::milliseconds kPause(20);
constexpr int kNodeTries = 500;  // 10 s
constexpr int kBusyTries = 100;  // 2 s: somebody who only looks lets go at once

/// Whoever probes the disk just now (udevd, another rota) makes it busy for a moment.
void reread_table(int disk, const std::string& disk_node) {
  for (int tries = 0; ::ioctl(disk, BLKRRPART) != 0; ++tries) {
    if (errno == EINVAL) return;  // a disk that has no partitions for the kernel: see BLKPG
    if (errno != EBUSY) {
      base::throw_os("cannot make the kernel read the partitions of", disk_node, errno);
    }
    if (tries == kBusyTries) {
      throw Error(ErrorKind::refused,
                  fmt::format("{} is in use, so that its partitions cannot be changed; unmount it "
                              "and close what has it open",
                              disk_node));
    }
    std::this_thread::sleep_for(kPause);
  }
}

void tell_kernel(int disk, const std::string& disk_node, const Partition& partition) {
  blkpg_partition details{};
  details.start = static_cast<long long>(partition.start);
  details.length = static_cast<long long>(partition.size);
  details.pno = partition.number;
  blkpg_ioctl_arg request{};
  request.op = BLKPG_ADD_PARTITION;
  request.datalen = sizeof details;
  request.data = &details;
  if (::ioctl(disk, BLKPG, &request) != 0 && errno != EBUSY) {  // EBUSY: it knows it already
    base::throw_os(fmt::format("cannot tell the kernel of partition {} of", partition.number),
                   disk_node, errno);
  }
}

}  // namespace

std::vector<Partition> read_partitions(const std::string& disk_node) {
  const base::Fd fd = open_medium(disk_node);
  const ProbeHandle probe(blkid_new_probe());
  if (!probe || blkid_probe_set_device(probe.get(), fd.get(), 0, 0) != 0) {
    throw Error(ErrorKind::io, fmt::format("cannot read {}", disk_node));
  }
  blkid_probe_enable_superblocks(probe.get(), 0);
  blkid_probe_enable_partitions(probe.get(), 1);
  std::vector<Partition> found;
  blkid_partlist list = blkid_probe_get_partitions(probe.get());
  if (list == nullptr) return found;
  for (int i = 0; i < blkid_partlist_numof_partitions(list); ++i) {
    blkid_partition part = blkid_partlist_get_partition(list, i);
    const char* name = blkid_partition_get_name(part);
    found.push_back({blkid_partition_get_partno(part),
                     static_cast<std::uint64_t>(blkid_partition_get_start(part)) * kSector,
                     static_cast<std::uint64_t>(blkid_partition_get_size(part)) * kSector,
                     name == nullptr ? "" : name});
  }
  return found;
}

std::string partition_node(const std::string& disk_node, int number) {
  const bool ends_in_digit = disk_node.back() >= '0' && disk_node.back() <= '9';
  return fmt::format("{}{}{}", disk_node, ends_in_digit ? "p" : "", number);
}

void announce_partitions(int disk, const std::string& disk_node) {
  reread_table(disk, disk_node);
  for (const Partition& partition : read_partitions(disk_node)) {
    const std::string node = partition_node(disk_node, partition.number);
    if (!base::exists(node)) tell_kernel(disk, disk_node, partition);
    for (int tries = 0; !base::exists(node); ++tries) {
      if (tries == kNodeTries) {
        throw Error(ErrorKind::io, fmt::format("the kernel made no node {}; is /dev a devtmpfs, "
                                               "or udevd stopped?",
                                               node));
      }
      std::this_thread::sleep_for(kPause);
    }
  }
}

}  // namespace rota::udev
