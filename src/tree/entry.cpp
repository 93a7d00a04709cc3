#include "tree/entry.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"

namespace rota::tree {

std::strong_ordering compare_paths(std::string_view a, std::string_view b) {
  const std::size_t common = std::min(a.size(), b.size());
  const auto [in_a, in_b] =
      std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(common), b.begin());
  const auto at = static_cast<std::size_t>(in_a - a.begin());
  if (at == common) return a.size() <=> b.size();
  if (a[at] == '/') return std::strong_ordering::less;
  if (b[at] == '/') return std::strong_ordering::greater;
  return static_cast<unsigned char>(a[at]) <=> static_cast<unsigned char>(b[at]);
}

bool is_within(std::string_view path, std::string_view ancestor) {
  if (ancestor.empty()) return true;
  return path.starts_with(ancestor) &&
         (path.size() == ancestor.size() || path[ancestor.size()] == '/');
}

std::string_view base_name(std::string_view path) {
  const std::size_t slash = path.find_last_of('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string_view kind_name(EntryKind kind) {
  switch (kind) {
    case EntryKind::file:
      return "file";
    case EntryKind::directory:
      return "directory";
    case EntryKind::symlink:
      return "symlink";
    case EntryKind::char_device:
      return "character device";
    case EntryKind::block_device:
      return "block device";
    case EntryKind::fifo:
      return "fifo";
    case EntryKind::hard_link:
      return "hard link";
  }
  return "unknown";
}

std::optional<std::string_view> fault_of_path(std::string_view path) {
  if (path.empty()) return std::nullopt;
  if (path.size() > kMaxPath) return "is too long";
  if (path.find('\0') != std::string_view::npos) return "has a NUL byte";
  std::size_t start = 0;
  while (start <= path.size()) {
    const std::size_t end = std::min(path.find('/', start), path.size());
    const std::string_view name = path.substr(start, end - start);
    if (name.empty() || name == "." || name == "..") return "leads out of its tree";
    if (name.size() > kMaxName) return "has a name of more than 255 bytes";
    start = end + 1;
  }
  return std::nullopt;
}

void check_path(std::string_view path) {
  if (const auto fault = fault_of_path(path)) {
    throw base::Error(base::ErrorKind::corrupt, fmt::format("a stored path {}", *fault));
  }
}

bool is_shown_twice(std::string_view xattr) {
  return xattr == "trusted.SGI_ACL_FILE" || xattr == "trusted.SGI_ACL_DEFAULT";
}

std::size_t xattr_bytes(const Entry& entry) {
  std::size_t bytes = 0;
  for (const Xattr& xattr : entry.xattrs) bytes += xattr.name.size() + xattr.value.size();
  return bytes;
}

}  // namespace rota::tree
