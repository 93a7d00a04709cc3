#include "tree/metadata.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/text.h"

namespace rota::tree {

namespace {

constexpr std::size_t kMaxNames = 65'536;
constexpr std::size_t kMaxRow =
    1 << 20;  ///< bytes of a row of the group table; groups can be large

/// Xattr calls and chmod do not take O_PATH descriptors, but the kernel's link to one is not
/// followed any further, so that this path means the object itself, a symlink too.
std::string magic_link(int fd) { return fmt::format("/proc/self/fd/{}", fd); }

template <typename Map, typename Key, typename Ask>
auto remembered(std::mutex& mutex, Map& map, const Key& key, Ask ask) {
  const std::lock_guard lock(mutex);
  const auto found = map.find(key);
  if (found != map.end()) return found->second;
  if (map.size() >= kMaxNames) map.clear();
  return map.emplace(key, ask()).first->second;
}

/// A name that an index can hold; another one is as good as none.
std::string short_name(const char* name) {
  const std::size_t length = std::strlen(name);
  return length <= kMaxOwnerName ? std::string(name, length) : std::string();
}

/// A row of the user or group table by one of the reentrant calls (there may be several caches).
template <typename Row, typename Call, typename Key, typename Take>
auto ask(Call call, Key key, Take take) -> std::optional<decltype(take(std::declval<Row>()))> {
  std::vector<char> strings(4096);
  Row row{};
  Row* found = nullptr;
  while (call(key, &row, strings.data(), strings.size(), &found) == ERANGE &&
         strings.size() < kMaxRow) {
    strings.resize(strings.size() * 4);
  }
  if (found == nullptr) return std::nullopt;
  return take(row);
}

}  // namespace

std::string NameCache::user(std::uint32_t uid) {
  return remembered(mutex_, users_, uid, [&] {
    return ask<passwd>(::getpwuid_r, uid, [](const passwd& row) { return short_name(row.pw_name); })
        .value_or("");
  });
}

std::string NameCache::group(std::uint32_t gid) {
  return remembered(mutex_, groups_, gid, [&] {
    return ask<::group>(::getgrgid_r, gid,
                        [](const ::group& row) { return short_name(row.gr_name); })
        .value_or("");
  });
}

std::optional<std::uint32_t> NameCache::uid(const std::string& user) {
  return remembered(mutex_, uids_, user, [&] {
    return ask<passwd>(::getpwnam_r, user.c_str(), [](const passwd& row) { return row.pw_uid; });
  });
}

std::optional<std::uint32_t> NameCache::gid(const std::string& group) {
  return remembered(mutex_, gids_, group, [&] {
    return ask<::group>(::getgrnam_r, group.c_str(), [](const ::group& row) { return row.gr_gid; });
  });
}

bool fill_from_stat(const struct statx& st, NameCache& names, Entry& entry) {
  switch (st.stx_mode & S_IFMT) {
    case S_IFREG:
      entry.kind = EntryKind::file;
      break;
    case S_IFDIR:
      entry.kind = EntryKind::directory;
      break;
    case S_IFLNK:
      entry.kind = EntryKind::symlink;
      break;
    case S_IFCHR:
      entry.kind = EntryKind::char_device;
      break;
    case S_IFBLK:
      entry.kind = EntryKind::block_device;
      break;
    case S_IFIFO:
      entry.kind = EntryKind::fifo;
      break;
    default:
      return false;
  }
  const bool device = entry.kind == EntryKind::char_device || entry.kind == EntryKind::block_device;
  // A symlink's mode means nothing on Linux.
  entry.mode = entry.kind == EntryKind::symlink ? 0777U : st.stx_mode & 07777U;
  if (entry.user.empty() || entry.uid != st.stx_uid) entry.user = names.user(st.stx_uid);
  if (entry.group.empty() || entry.gid != st.stx_gid) entry.group = names.group(st.stx_gid);
  entry.uid = st.stx_uid;
  entry.gid = st.stx_gid;
  entry.size = entry.is_file() ? st.stx_size : 0;
  entry.links = entry.is_directory() ? 1 : st.stx_nlink;
  // Filesystems of somebody's own make may say anything.
  const auto time_of = [](const statx_timestamp& time) {
    return Timestamp{time.tv_sec, std::min<std::uint32_t>(time.tv_nsec, 999'999'999)};
  };
  entry.mtime = time_of(st.stx_mtime);
  entry.ctime = time_of(st.stx_ctime);
  entry.inode = st.stx_ino;
  entry.device_major = device ? st.stx_rdev_major : 0;
  entry.device_minor = device ? st.stx_rdev_minor : 0;
  return true;
}

int read_xattrs(int fd, std::vector<Xattr>& xattrs) {
  xattrs.clear();
  const bool path_only = (::fcntl(fd, F_GETFL) & O_PATH) != 0;
  const std::string link = path_only ? magic_link(fd) : std::string();
  const auto list = [&](char* out, std::size_t size) {
    return path_only ? ::listxattr(link.c_str(), out, size) : ::flistxattr(fd, out, size);
  };
  const auto get = [&](const char* name, void* out, std::size_t size) {
    return path_only ? ::getxattr(link.c_str(), name, out, size) : ::fgetxattr(fd, name, out, size);
  };

  std::array<char, 1024> few;
  std::vector<char> many;
  char* names = few.data();
  ssize_t length = list(few.data(), few.size());
  while (length < 0 && errno == ERANGE) {
    many.resize(std::max<std::size_t>(many.size() * 2, 65'536));
    names = many.data();
    length = list(many.data(), many.size());
  }
  if (length < 0) return errno == ENOTSUP ? 0 : errno;

  // "security", "system", "trusted", "user": in this order the room goes to them.
  std::vector<const char*> sorted;
  for (const char* name = names; name < names + length; name += std::strlen(name) + 1) {
    if (!is_shown_twice(name)) sorted.push_back(name);
  }
  std::ranges::sort(sorted, [](const char* a, const char* b) { return std::strcmp(a, b) < 0; });
  std::string value;
  std::size_t room = kMaxXattrs;
  for (const char* name : sorted) {
    value.resize(256);
    ssize_t size = get(name, value.data(), value.size());
    if (size < 0 && errno == ERANGE) {
      value.resize(kMaxXattrValue);
      size = get(name, value.data(), value.size());
    }
    if (size < 0) {
      if (errno == ENODATA || errno == ENOTSUP) continue;  // removed just now; a stale name
      return errno;
    }
    const std::size_t bytes = std::strlen(name) + static_cast<std::size_t>(size);
    if (bytes > room) return E2BIG;
    room -= bytes;
    xattrs.push_back({name, value.substr(0, static_cast<std::size_t>(size))});
  }
  return 0;
}

namespace {

/// The setters for a descriptor of either sort.
struct Setter {
  int fd;
  bool path_only;
  std::string link;

  explicit Setter(int descriptor)
      : fd(descriptor), path_only((::fcntl(descriptor, F_GETFL) & O_PATH) != 0) {
    if (path_only) link = magic_link(fd);
  }
  int owner(uid_t uid, gid_t gid) const { return ::fchownat(fd, "", uid, gid, AT_EMPTY_PATH); }
  int mode(mode_t mode) const {
    return path_only ? ::chmod(link.c_str(), mode) : ::fchmod(fd, mode);
  }
  int xattr(const Xattr& x) const {
    return path_only ? ::setxattr(link.c_str(), x.name.c_str(), x.value.data(), x.value.size(), 0)
                     : ::fsetxattr(fd, x.name.c_str(), x.value.data(), x.value.size(), 0);
  }
  int remove_xattr(const char* name) const {
    return path_only ? ::removexattr(link.c_str(), name) : ::fremovexattr(fd, name);
  }
  int times(const timespec (&times)[2]) const {
    return path_only ? ::utimensat(fd, "", times, AT_EMPTY_PATH) : ::futimens(fd, times);
  }
};

bool is_acl(const Xattr& x) { return x.name.starts_with("system.posix_acl_"); }

void note(MetadataShortfall& shortfall, const Entry& entry, const char* what) {
  if (shortfall.others++ == 0) {
    shortfall.first_other =
        fmt::format("{} of {}: {}", what, base::printable(entry.path), base::os_reason(errno));
  }
}

}  // namespace

void MetadataShortfall::add(const MetadataShortfall& more) {
  owners += more.owners;
  xattrs += more.xattrs;
  if (more.others > 0 && others == 0) first_other = more.first_other;
  others += more.others;
}

void MetadataShortfall::report(const std::string& target, base::Warnings& warnings) const {
  if (owners > 0) {
    warnings.warn(target, fmt::format("the owners of {} entries could not be set; restore as root "
                                      "to set them",
                                      base::human_count(owners)));
  }
  if (xattrs > 0) {
    warnings.warn(target, fmt::format("{} extended attributes could not be set; the filesystem "
                                      "lacks them, or they need root",
                                      base::human_count(xattrs)));
  }
  if (others > 0) {
    warnings.warn(target, fmt::format("the metadata of {} entries is not complete, first {}",
                                      base::human_count(others), first_other));
  }
}

void remove_other_xattrs(int fd, const std::vector<Xattr>& keep) {
  std::vector<Xattr> there;
  if (const int failed = read_xattrs(fd, there); failed != 0 && failed != E2BIG) return;
  const Setter set(fd);
  for (const Xattr& x : there) {
    const bool ours = x.name.starts_with("user.") || x.name.starts_with("trusted.") || is_acl(x) ||
                      x.name == "security.capability";
    const bool wanted = std::any_of(keep.begin(), keep.end(),
                                    [&](const Xattr& kept) { return kept.name == x.name; });
    if (ours && !wanted) set.remove_xattr(x.name.c_str());
  }
}

void apply_metadata(int fd, const Entry& entry, bool by_name, NameCache& names,
                    MetadataShortfall& shortfall) {
  const Setter set(fd);
  uid_t uid = entry.uid;
  gid_t gid = entry.gid;
  mode_t mode = entry.mode;
  if (by_name) {
    uid = names.uid(entry.user).value_or(uid);
    gid = names.gid(entry.group).value_or(gid);
  }
  if (set.owner(uid, gid) != 0) {
    if (!entry.is_directory()) mode &= 01777U;
    if (errno != EPERM) {
      note(shortfall, entry, "the owner");
      // Without root, a file may still go to another of one's own groups.
    } else if (set.owner(static_cast<uid_t>(-1), gid) != 0 || uid != ::geteuid()) {
      ++shortfall.owners;
    }
  }
  for (const bool acls : {false, true}) {
    for (const Xattr& x : entry.xattrs) {
      if (is_acl(x) != acls || set.xattr(x) == 0) continue;
      if (errno == EPERM || errno == ENOTSUP) {
        ++shortfall.xattrs;
      } else {
        note(shortfall, entry, "an extended attribute");
      }
    }
  }
  if (entry.kind != EntryKind::symlink && set.mode(mode) != 0) {
    note(shortfall, entry, "the mode");
  }
  const timespec times[2] = {
      {0, UTIME_OMIT},
      {static_cast<time_t>(entry.mtime.seconds), static_cast<long>(entry.mtime.nanoseconds)}};
  if (set.times(times) != 0) note(shortfall, entry, "the times");
}

}  // namespace rota::tree
