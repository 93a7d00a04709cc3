#include "store/directory_walk.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "store/listing.h"

namespace rota::store {

namespace {

[[noreturn]] void fail(const std::string& doing, const std::string& path, int error_number) {
  throw base::FileError(fmt::format("{} {}: {}", doing, path, base::os_reason(error_number)),
                        error_number);
}

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

/// An open directory. `path` is for messages: its name in the store, with '/' at its end, or "".
class OpenFolder final : public Folder {
 public:
  OpenFolder(base::Fd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  std::vector<Entry> entries(const std::function<bool(const std::string&)>& wanted) override {
    const int copy = ::openat(fd_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (copy < 0) {
      if (errno == ENOENT) return {};  // removed after it was opened
      fail("cannot open the directory", path_, errno);
    }
    const std::unique_ptr<DIR, CloseDirectory> stream(::fdopendir(copy));
    if (!stream) {
      const int reason = errno;
      ::close(copy);
      fail("cannot read the directory", path_, reason);
    }
    std::vector<Entry> found;
    for (;;) {
      errno = 0;
      const dirent* entry = ::readdir(stream.get());
      if (entry == nullptr) break;
      std::string key = entry->d_name;
      unsigned char type = entry->d_type;
      if (type == DT_UNKNOWN) type = type_of(key);
      if (type == DT_DIR) key += '/';
      if ((type == DT_DIR || type == DT_REG) && wanted(key)) found.push_back({std::move(key), {}});
    }
    if (errno != 0 && errno != ENOENT) fail("cannot read the directory", path_, errno);
    return found;
  }

  std::unique_ptr<Folder> open(const std::string& name) override {
    base::Fd child(
        ::openat(fd_.get(), name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (child.valid()) return std::make_unique<OpenFolder>(std::move(child), path_ + name + "/");
    // Gone, or something else now; with O_NOFOLLOW a symbolic link is "not a directory".
    if (errno != ENOENT && errno != ENOTDIR && errno != ELOOP && errno != ENAMETOOLONG) {
      fail("cannot open the directory", path_ + name, errno);
    }
    return nullptr;
  }

  std::optional<std::uint64_t> size_of(const std::string& name) override {
    struct stat st {};
    if (::fstatat(fd_.get(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) return std::nullopt;
      fail("cannot look at", path_ + name, errno);
    }
    if (!S_ISREG(st.st_mode)) return std::nullopt;
    return static_cast<std::uint64_t>(st.st_size);
  }

 private:
  /// Some filesystems do not tell the type with the name.
  unsigned char type_of(const std::string& name) const {
    struct stat st {};
    if (::fstatat(fd_.get(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) return DT_UNKNOWN;
    return S_ISDIR(st.st_mode) ? DT_DIR : S_ISREG(st.st_mode) ? DT_REG : DT_UNKNOWN;
  }

  base::Fd fd_;
  std::string path_;
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

Page list_directory(base::Fd root, const std::string& prefix, const std::string& after,
                    std::size_t limit) {
  OpenFolder folder(std::move(root), "");
  return list_tree(folder, prefix, after, limit);
}

}  // namespace rota::store
