#include "tree/names.h"

#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace rota::tree {

int DirectoryNames::fill(int directory) {
  const bool again = !offsets_.empty();
  if (again) last_ = arena_.data() + offsets_.back();
  arena_.clear();
  offsets_.clear();
  at_ = 0;
  more_ = false;
  if (::lseek(directory, 0, SEEK_SET) < 0) return errno;

  alignas(dirent64) std::array<char, 65'536> buffer;
  for (;;) {
    const ssize_t length = ::getdents64(directory, buffer.data(), buffer.size());
    if (length < 0) return errno;
    if (length == 0) break;
    for (ssize_t at = 0; at < length;) {
      const auto* item = reinterpret_cast<const dirent64*>(buffer.data() + at);
      at += item->d_reclen;
      const char* name = item->d_name;
      if (std::strcmp(name, ".") == 0 || std::strcmp(name, "..") == 0) continue;
      if (again && std::strcmp(name, last_.c_str()) <= 0) continue;
      offsets_.push_back(static_cast<std::uint32_t>(arena_.size()));
      arena_.append(name, std::strlen(name) + 1);
      if (offsets_.size() >= 2 * most_) keep_smallest();
    }
  }
  if (offsets_.size() > most_) keep_smallest();
  std::sort(offsets_.begin(), offsets_.end(), [&](std::uint32_t a, std::uint32_t b) {
    return std::strcmp(arena_.data() + a, arena_.data() + b) < 0;
  });
  return 0;
}

void DirectoryNames::keep_smallest() {
  const auto middle = offsets_.begin() + static_cast<std::ptrdiff_t>(most_);
  std::nth_element(offsets_.begin(), middle, offsets_.end(), [&](std::uint32_t a, std::uint32_t b) {
    return std::strcmp(arena_.data() + a, arena_.data() + b) < 0;
  });
  offsets_.resize(most_);
  std::string kept;
  for (std::uint32_t& offset : offsets_) {
    const char* name = arena_.data() + offset;
    offset = static_cast<std::uint32_t>(kept.size());
    kept.append(name, std::strlen(name) + 1);
  }
  arena_ = std::move(kept);
  more_ = true;
}

bool DirectoryNames::contains(const char* name) const {
  const auto at = std::lower_bound(
      offsets_.begin(), offsets_.end(), name,
      [&](std::uint32_t a, const char* b) { return std::strcmp(arena_.data() + a, b) < 0; });
  return at != offsets_.end() && std::strcmp(arena_.data() + *at, name) == 0;
}

}  // namespace rota::tree
