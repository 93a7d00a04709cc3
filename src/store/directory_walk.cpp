#include "store/directory_walk.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <vector>

namespace rota::store {

namespace {

[[noreturn]] void fail(const std::string& doing, const std::string& path, int error_number) {
  throw base::FileError(fmt::format("{} {}: {}", doing, path, base::os_reason(error_number)),
                        error_number);
}

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

/// A directory's entry. Bytewise order of full names is not that of the directories: "a-b" < "a/b"
/// < "ab", so that a directory sorts as its name with a '/' behind it.
struct Entry {
  std::string key;
  bool is_directory() const { return key.ends_with('/'); }
};

class Lister {
 public:
  Lister(const std::string& prefix, const std::string& after, std::size_t limit)
      : prefix_(prefix), after_(after), limit_(limit) {}

  /// base: the full name of the directory, with '/' at its end, or "". One of base and the prefix
  /// starts with the other. False when the page is full and something follows.
  bool visit(int directory, const std::string& base) {
    for (const Entry& entry : entries(directory, base)) {
      const bool go_on = entry.is_directory() ? descend(directory, base, entry.key)
                                              : take(directory, base, entry.key);
      if (!go_on) return false;
    }
    return true;
  }

  Page take_page() { return std::move(page_); }

 private:
  std::vector<Entry> entries(int directory, const std::string& base) const {
    // While the prefix names directories, only one of each matters: a directory of thousands is
    // not read for it.
    if (prefix_.size() > base.size()) {
      const std::size_t slash = prefix_.find('/', base.size());
      if (slash != std::string::npos) {
        std::string key = prefix_.substr(base.size(), slash + 1 - base.size());
        if (!is_wanted(base, key)) return {};
        return {Entry{std::move(key)}};
      }
    }
    const int copy = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (copy < 0) fail("cannot open the directory", base, errno);
    const std::unique_ptr<DIR, CloseDirectory> stream(::fdopendir(copy));
    if (!stream) {
      const int reason = errno;
      ::close(copy);
      fail("cannot read the directory", base, reason);
    }
    std::vector<Entry> found;
    for (;;) {
      errno = 0;
      const dirent* entry = ::readdir(stream.get());
      if (entry == nullptr) break;
      std::string key = entry->d_name;
      unsigned char type = entry->d_type;
      if (type == DT_UNKNOWN) type = type_of(directory, key);
      if (type == DT_DIR) key += '/';
      if ((type == DT_DIR || type == DT_REG) && is_wanted(base, key)) {
        found.push_back(Entry{std::move(key)});
      }
    }
    if (errno != 0) fail("cannot read the directory", base, errno);
    std::sort(found.begin(), found.end(),
              [](const Entry& a, const Entry& b) { return a.key < b.key; });
    return found;
  }

  /// Some filesystems do not tell the type with the name.
  static unsigned char type_of(int directory, const std::string& name) {
    struct stat st {};
    if (::fstatat(directory, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) return DT_UNKNOWN;
    return S_ISDIR(st.st_mode) ? DT_DIR : S_ISREG(st.st_mode) ? DT_REG : DT_UNKNOWN;
  }

  bool is_wanted(const std::string& base, const std::string& key) const {
    const std::string full = base + key;
    if (full.ends_with('/')) {
      const bool may_hold_prefix = full.starts_with(prefix_) || prefix_.starts_with(full);
      const bool may_hold_later = full > after_ || after_.starts_with(full);
      return may_hold_prefix && may_hold_later &&
             is_name(std::string_view(full).substr(0, full.size() - 1));
    }
    return full.starts_with(prefix_) && full > after_ && is_name(full);
  }

  bool descend(int directory, const std::string& base, const std::string& key) {
    const std::string name = key.substr(0, key.size() - 1);
    const base::Fd child(
        ::openat(directory, name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!child.valid()) {
      // Gone, or something else now; with O_NOFOLLOW a symbolic link is "not a directory".
      if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == ENAMETOOLONG) {
        return true;
      }
      fail("cannot open the directory", base + name, errno);
    }
    try {
      return visit(child.get(), base + key);
    } catch (const base::FileError& error) {
      if (error.error_number() == ENOENT) return true;  // removed between the two opens
      throw;
    }
  }

  bool take(int directory, const std::string& base, const std::string& name) {
    struct stat st {};
    if (::fstatat(directory, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) return true;
      fail("cannot look at", base + name, errno);
    }
    if (!S_ISREG(st.st_mode)) return true;
    if (page_.objects.size() == limit_) {
      page_.more = true;
      return false;
    }
    page_.objects.push_back({base + name, static_cast<std::uint64_t>(st.st_size), ""});
    return true;
  }

  const std::string& prefix_;
  const std::string& after_;
  const std::size_t limit_;
  Page page_;
};

}  // namespace

base::Fd open_beneath(int root, std::string_view path) {
  constexpr int kFlags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  base::Fd directory(::openat(root, ".", kFlags));
  if (!directory.valid()) fail("cannot open the directory", ".", errno);
  for (std::size_t start = 0; start < path.size();) {
    const std::size_t end = std::min(path.find('/', start), path.size());
    const std::string part(path.substr(start, end - start));
    base::Fd next(::openat(directory.get(), part.c_str(), kFlags));
    if (!next.valid()) {
      const int reason = errno;
      struct stat st {};
      if (reason == ENOTDIR &&
          ::fstatat(directory.get(), part.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0 &&
          S_ISLNK(st.st_mode)) {
        throw base::FileError(
            fmt::format("{} is a symbolic link, rota makes none in a store and follows none",
                        path.substr(0, end)),
            ELOOP);
      }
      if (reason == ENOENT || reason == ENOTDIR || reason == ENAMETOOLONG) return {};
      fail("cannot open the directory", std::string(path.substr(0, end)), reason);
    }
    directory = std::move(next);
    start = end + 1;
  }
  return directory;
}

Page list_directory(int root, const std::string& prefix, const std::string& after,
                    std::size_t limit) {
  Lister lister(prefix, after, limit);
  if (limit > 0) lister.visit(root, "");
  return lister.take_page();
}

}  // namespace rota::store
