#include "udev/usage.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <sstream>

#include "base/error.h"
#include "base/file.h"

namespace rota::udev {

namespace {

constexpr std::uint64_t kMaxFile = 64 << 20;  // mounts of a busy container host

/// "\040" is a space: the kernel writes white space and backslashes as three octal digits.
std::string unescaped(std::string_view text) {
  const auto octal = [&](std::size_t i) { return text[i] >= '0' && text[i] <= '7'; };
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && octal(i + 1) && octal(i + 2) && octal(i + 3)) {
      plain += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                                 (text[i + 3] - '0'));
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

std::optional<dev_t> number_of(const std::string& node) {
  struct stat st {};
  if (!node.starts_with('/') || ::stat(node.c_str(), &st) != 0 || !S_ISBLK(st.st_mode)) {
    return std::nullopt;
  }
  return st.st_rdev;
}

/// What cannot be read (another user's, a kernel without swap) adds nothing.
std::string text_of(const std::string& path) {
  try {
    return base::read_file(path, kMaxFile);
  } catch (const base::Error&) {
    return {};
  }
}

template <typename Action>
void for_each_line(std::string_view text, Action action) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    action(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

}  // namespace

DeviceUsage DeviceUsage::read() {
  DeviceUsage usage;
  usage.add_mounts(text_of("/proc/self/mountinfo"));
  usage.add_mounts(text_of("/proc/1/mountinfo"));
  usage.add_swaps(text_of("/proc/swaps"));
  return usage;
}

void DeviceUsage::add_mounts(std::string_view mountinfo) {
  // "36 35 98:0 /root /mnt/point rw,noatime master:1 - ext3 /dev/root rw": proc(5).
  for_each_line(mountinfo, [this](std::string_view line) {
    std::istringstream words{std::string(line)};
    std::string id, parent, device, root, point, word, type, source;
    words >> id >> parent >> device >> root >> point;
    while (words >> word && word != "-") {
    }
    words >> type >> source;
    const std::size_t colon = device.find(':');
    if (colon == std::string::npos || point.empty()) return;
    const auto major = static_cast<unsigned>(std::strtoul(device.c_str(), nullptr, 10));
    const auto minor = static_cast<unsigned>(std::strtoul(device.c_str() + colon + 1, nullptr, 10));
    dev_t number = makedev(major, minor);
    if (major == 0) {
      const auto real = number_of(unescaped(source));
      if (!real) return;
      number = *real;
    }
    std::pair<dev_t, std::string> mount(number, unescaped(point));
    if (std::ranges::find(mounts_, mount) == mounts_.end()) mounts_.push_back(std::move(mount));
  });
}

void DeviceUsage::add_swaps(std::string_view swaps) {
  for_each_line(swaps, [this](std::string_view line) {
    const auto number = number_of(unescaped(line.substr(0, line.find_first_of(" \t"))));
    if (number) swaps_.push_back(*number);
  });
}

std::vector<std::string> DeviceUsage::mount_points(dev_t number) const {
  std::vector<std::string> points;
  for (const auto& [device, point] : mounts_) {
    if (device == number) points.push_back(point);
  }
  return points;
}

bool DeviceUsage::is_swap(dev_t number) const {
  return std::ranges::find(swaps_, number) != swaps_.end();
}

}  // namespace rota::udev
