#include "disk/wipe.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/signals.h"
#include "base/text.h"
#include "disk/make_filesystem.h"

namespace rota::disk {

namespace {

using base::Error;
using base::ErrorKind;

constexpr std::uint64_t kBytesPerSecond = 100'000'000;
constexpr std::size_t kBlock = 4 << 20;
constexpr std::size_t kAlignment = 4096;  // O_DIRECT: at least the largest sector

struct Free {
  void operator()(void* memory) const { std::free(memory); }
};

std::vector<std::string> containers_of(const udev::BlockDevice& disk,
                                       std::span<const udev::BlockDevice> partitions) {
  std::vector<std::string> nodes;
  if (disk.fs_type == "crypto_LUKS") nodes.push_back(disk.node);
  for (const udev::BlockDevice& part : partitions) {
    if (part.fs_type == "crypto_LUKS") nodes.push_back(part.node);
  }
  return nodes;
}

void erase_signatures(const std::string& node, base::ProcessRunner& processes) {
  run_tool({"wipefs", "--all", "--quiet", "--force", node}, "erase the signatures of " + node,
           processes);
}

/// Around the page cache where the device can do that: a wipe would drive everything else out of
/// memory, and an error would come late and without its place.
void overwrite(const std::string& node, int fd, std::uint64_t size, base::Progress& progress,
               const std::stop_token& stop) {
  const std::unique_ptr<void, Free> zeros(std::aligned_alloc(kAlignment, kBlock));
  if (!zeros) throw std::bad_alloc();
  std::fill_n(static_cast<char*>(zeros.get()), kBlock, '\0');
  for (std::uint64_t at = 0; at < size;) {
    base::check_stop(stop);
    const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(kBlock, size - at));
    const ssize_t n = ::pwrite(fd, zeros.get(), want, static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      throw Error(ErrorKind::io,
                  fmt::format("cannot overwrite {} from byte {} on: {}; what lies behind is still "
                              "there: destroy the disk itself, or try again",
                              node, at, base::os_reason(n < 0 ? errno : ENOSPC)));
    }
    at += static_cast<std::uint64_t>(n);
    progress.bytes = at;
  }
  if (::fsync(fd) != 0) base::throw_os("cannot write to", node, errno);
}

base::Fd claim(const std::string& node) {
  base::Fd fd(::open(node.c_str(), O_RDWR | O_EXCL | O_CLOEXEC | O_DIRECT));
  if (!fd.valid() && errno == EINVAL) {
    fd = base::Fd(::open(node.c_str(), O_RDWR | O_EXCL | O_CLOEXEC));
  }
  if (fd.valid()) return fd;
  if (errno != EBUSY) base::throw_os("cannot open for writing", node, errno);
  throw Error(ErrorKind::refused,
              fmt::format("{} is in use: it is mounted, or another program holds it; nothing was "
                          "wiped",
                          node));
}

}  // namespace

WipePlan plan_wipe(const udev::BlockDevice& disk, std::span<const udev::BlockDevice> partitions) {
  WipePlan plan;
  plan.containers = containers_of(disk, partitions);
  // Only when there is nothing beside it: data next to a container is not encrypted by it.
  const bool alone = plan.containers.size() == std::max<std::size_t>(partitions.size(), 1);
  if (!plan.containers.empty() && alone) {
    plan.method = WipeMethod::erase_keys;
    plan.sentence = fmt::format(
        "The keys of the encrypted disk {} are destroyed, and with them everything on "
        "it. That takes a moment, and no passphrase brings it back.",
        disk.node);
    return plan;
  }
  plan.method = WipeMethod::overwrite;
  plan.bytes = disk.size;
  plan.sentence = fmt::format(
      "All {} of {} are overwritten with zeros. At 100 MB/s, a guess, that takes {}. What the disk "
      "itself has put aside (worn cells, bad sectors) is not reached.",
      base::human_size(disk.size), disk.node,
      base::human_duration(
          static_cast<std::int64_t>(std::max<std::uint64_t>(disk.size / kBytesPerSecond, 1))));
  return plan;
}

void wipe(const udev::BlockDevice& disk, const WipePlan& plan, base::ProcessRunner& processes,
          base::Progress& progress, const std::stop_token& stop) {
  progress.set_activity("wiping");
  progress.total_bytes = plan.bytes;
  if (plan.method == WipeMethod::erase_keys) {
    claim(disk.node).reset();  // in use by nobody; cryptsetup takes the partition for itself
    for (const std::string& node : plan.containers) {
      run_tool({"cryptsetup", "erase", "-q", node}, "destroy the keys of " + node, processes);
      erase_signatures(node, processes);
    }
    erase_signatures(disk.node, processes);
    return;
  }
  const base::Fd fd = claim(disk.node);
  for (const std::string& child : disk.children) erase_signatures(child, processes);
  erase_signatures(disk.node, processes);
  overwrite(disk.node, fd.get(), plan.bytes, progress, stop);
  // The kernel forgets the partitions; one that does not read tables keeps them till the next plug.
  ::ioctl(fd.get(), BLKRRPART);
}

}  // namespace rota::disk
