#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rota::udev {

/// Which block devices are mounted, where, and which are swap.
class DeviceUsage {
 public:
  /// Of the mount namespaces of this process and of process 1 (a service lives in one of its own,
  /// and what the host has mounted must not look free), and of /proc/swaps.
  static DeviceUsage read();

  /// Adds the text of a /proc/PID/mountinfo. btrfs and others show a made-up device number there:
  /// then the source counts, if it is a block device here.
  void add_mounts(std::string_view mountinfo);
  /// Adds the text of /proc/swaps.
  void add_swaps(std::string_view swaps);

  std::vector<std::string> mount_points(dev_t number) const;
  bool is_swap(dev_t number) const;

 private:
  std::vector<std::pair<dev_t, std::string>> mounts_;
  std::vector<dev_t> swaps_;
};

}  // namespace rota::udev
