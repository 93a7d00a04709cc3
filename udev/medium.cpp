#include "udev/medium.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "base/error.h"
#include "udev/probe.h"

namespace rota::udev {

bool is_blank(const std::string& node) {
  constexpr std::size_t kLookedAt = 1 << 20;
  try {
    const base::Fd fd = open_medium(node);
    std::vector<std::byte> head(kLookedAt);
    head.resize(base::read_at(fd.get(), head, 0, node));
    return std::ranges::all_of(head, [](std::byte b) { return b == std::byte{0}; });
  } catch (const base::Error&) {
    return false;
  }
}

}  // namespace rota::udev
