#include "store/directory_store.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <utility>

#include "base/error.h"
#include "base/hash.h"
#include "base/signals.h"
#include "base/text.h"
#include "store/directory_walk.h"

namespace rota::store {

using base::Error;
using base::ErrorKind;
using base::FileError;

namespace {

constexpr char kTemporary[] = ".tmp";  // no object's name starts with a dot
constexpr unsigned kDirectoryMode = 0700;
constexpr unsigned kFileMode = 0600;
constexpr std::int64_t kStaleSeconds = 24 * 60 * 60;
// How often put() makes its directory anew when remove() takes it away between mkdir and rename.
// Each round loses only to another remove() in that very moment.
constexpr int kPlaceAttempts = 100;

std::string random_name() {
  std::array<std::byte, 16> random{};
  base::random_bytes(random);
  return base::to_hex(random);
}

/// "runs/1/a" -> "runs/1", "a" -> "".
std::string parent_of(const std::string& name) {
  const std::size_t slash = name.find_last_of('/');
  return slash == std::string::npos ? "" : name.substr(0, slash);
}

std::string leaf_of(const std::string& name) { return name.substr(name.find_last_of('/') + 1); }

/// A file on its way to its place: removed unless it got there.
class Temporary {
 public:
  Temporary(base::FileOps& files, std::string path)
      : files_(files), path_(std::move(path)), fd_(files_.create(path_, kFileMode)) {
    // Tells remove_stale(), also on other machines, that the writer lives. Without locks (some
    // network filesystems) nothing is ever taken for stale, so a failure does not matter.
    (void)::flock(fd_.get(), LOCK_EX | LOCK_NB);
  }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  ~Temporary() {
    if (placed_) return;
    try {
      files_.unlink(path_);
    } catch (const Error&) {  // stays for remove_stale()
    }
  }

  void write(std::span<const std::byte> data) { files_.write_all(fd_.get(), data, path_); }
  void sync() { files_.fsync(fd_.get(), path_); }
  void placed() { placed_ = true; }
  const std::string& path() const { return path_; }
  const base::Fd& fd() const { return fd_; }

 private:
  base::FileOps& files_;
  std::string path_;
  base::Fd fd_;
  bool placed_ = false;
};

}  // namespace

DirectoryStore::DirectoryStore(std::string root, base::FileOps& files)
    : DirectoryStore(std::move(root), files, Pace{}) {}

DirectoryStore::DirectoryStore(std::string root, base::FileOps& files, Pace pace)
    : root_(std::move(root)),
      files_(files),
      pace_(std::move(pace)),
      writing_(pace_.rate),
      reading_(pace_.rate) {
  while (root_.size() > 1 && root_.ends_with('/')) root_.pop_back();
}

void DirectoryStore::wait(RateLimit& limit, std::uint64_t bytes) const {
  if (!limit.limited()) return;
  pace_.clock->sleep(limit.take(bytes, std::chrono::steady_clock::now()), pace_.stop);
  base::check_stop(pace_.stop);
}

template <typename Action>
auto DirectoryStore::in_words(const char* doing, const std::string& name, Action action) const {
  try {
    return action();
  } catch (const FileError& error) {
    explain(fmt::format("{} {}", doing, name.empty() ? "its objects" : name), error);
  }
}

void DirectoryStore::explain(const std::string& doing, const FileError& error) const {
  switch (error.error_number()) {
    case ENOSPC:
    case EDQUOT:
      throw Error(ErrorKind::io,
                  fmt::format("the store {} is full: {}, cannot {}; make room there, then start "
                              "again",
                              description(), base::os_reason(error.error_number()), doing));
    case EROFS:
      throw Error(ErrorKind::io,
                  fmt::format("the store {} is read-only: cannot {}; mount its filesystem for "
                              "writing (after an error the system itself makes it read-only)",
                              description(), doing));
    case EACCES:
    case EPERM:
      throw Error(ErrorKind::refused,
                  fmt::format("the store {} does not let you in: {}, cannot {}; look at the owner "
                              "and mode of its directory",
                              description(), base::os_reason(error.error_number()), doing));
    case ESTALE:
    case ENOTCONN:
    case ETIMEDOUT:
    case EHOSTDOWN:
    case EHOSTUNREACH:
      throw Error(ErrorKind::unavailable,
                  fmt::format("the store {} does not answer: {}, cannot {}", description(),
                              base::os_reason(error.error_number()), doing));
    case ELOOP:  // see open_beneath()
      throw Error(ErrorKind::corrupt,
                  fmt::format("cannot {} in the store {}: {}", doing, description(), error.what()));
    default:
      throw Error(ErrorKind::io,
                  fmt::format("cannot {} in the store {}: {}", doing, description(), error.what()));
  }
}

void DirectoryStore::put(const std::string& name, std::span<const std::byte> data) {
  check_name(name);
  check_size(name, data.size(), description());
  in_words("store", name, [&] {
    files_.make_directories(path_of(kTemporary), kDirectoryMode);
    {
      // Looked at before, not held while renaming: this stops links that were planted earlier, not
      // one who has the run of the store at this very moment.
      const base::Fd root = open_root();
      open_beneath(root.get(), kTemporary);
      open_beneath(root.get(), parent_of(name));
    }
    Temporary temporary(files_, path_of(kTemporary) + "/" + random_name());
    // Now, and not later: what it frees may be just what this object needs.
    if (!tidied_.exchange(true)) remove_stale(temporary.fd());
    for (std::size_t at = 0; at < data.size();) {
      const auto part = data.subspan(at, std::min(data.size() - at, writing_.piece()));
      wait(writing_, part.size());
      temporary.write(part);
      at += part.size();
    }
    temporary.sync();
    move_into_place(temporary.path(), name);
    temporary.placed();
    sync_upwards(name);
  });
}

void DirectoryStore::move_into_place(const std::string& temporary, const std::string& name) {
  const std::string target = path_of(name);
  for (int attempt = 1;; ++attempt) {
    try {
      files_.make_directories(base::parent_directory(target), kDirectoryMode);
      files_.rename(temporary, target);
      return;
    } catch (const FileError& error) {
      // remove(), here or in another process, takes empty directories away, this one too.
      if (error.error_number() != ENOENT || attempt == kPlaceAttempts) throw;
    }
  }
}

void DirectoryStore::sync_upwards(const std::string& name) {
  // All of them, also those that were there: whoever made one may not have synced it yet.
  for (std::string directory = parent_of(name);; directory = parent_of(directory)) {
    try {
      files_.sync_directory(directory.empty() ? root_ : path_of(directory));
    } catch (const FileError& error) {
      if (error.error_number() != ENOENT) throw;
      throw Error(ErrorKind::unavailable,
                  fmt::format("the object {} vanished from the store {} while it was being stored: "
                              "something else removes from it, or its disk was taken away",
                              name, description()));
    }
    if (directory.empty()) return;
  }
}

base::Bytes DirectoryStore::get(const std::string& name, std::uint64_t limit) {
  check_name(name);
  return in_words("read", name, [&] {
    const OpenObject object = open_object(name);
    if (object.size > limit) {
      throw Error(
          ErrorKind::corrupt,
          fmt::format("the object {} in the store {} has {} bytes, more than the {} that it "
                      "may have",
                      name, description(), object.size, limit));
    }
    base::Bytes data(object.size);
    for (std::size_t at = 0; at < data.size();) {
      const auto part = std::span(data).subspan(at, std::min(data.size() - at, reading_.piece()));
      wait(reading_, part.size());
      const std::size_t got = base::read_at(object.fd.get(), part, at, name);
      at += got;
      if (got == part.size()) continue;
      throw Error(ErrorKind::corrupt, fmt::format("the object {} in the store {} became shorter "
                                                  "while it was read",
                                                  name, description()));
    }
    return data;
  });
}

std::size_t DirectoryStore::read_some(const std::string& name, std::uint64_t offset,
                                      std::span<std::byte> buffer) {
  check_name(name);
  return in_words("read", name, [&] {
    const OpenObject object = open_object(name);
    if (offset >= object.size) return std::size_t{0};
    wait(reading_, std::min<std::uint64_t>(buffer.size(), object.size - offset));
    return base::read_at(object.fd.get(), buffer, offset, name);
  });
}

DirectoryStore::OpenObject DirectoryStore::open_object(const std::string& name) const {
  const auto absent = [&] {
    return Error(ErrorKind::not_found,
                 fmt::format("the store {} has no object {}", description(), name));
  };
  const auto foreign = [&](const char* what) {
    return Error(ErrorKind::corrupt,
                 fmt::format("{} in the store {} is {}, not an object", name, description(), what));
  };
  const base::Fd root = open_root();
  const base::Fd parent = open_beneath(root.get(), parent_of(name));
  if (!parent.valid()) throw absent();
  // O_NONBLOCK: a FIFO in this place must not stop a restore.
  OpenObject object{base::Fd(::openat(parent.get(), leaf_of(name).c_str(),
                                      O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)),
                    0};
  if (!object.fd.valid()) {
    if (errno == ENOENT || errno == ENAMETOOLONG) throw absent();
    if (errno == ELOOP) throw foreign("a symbolic link");
    if (errno == ENXIO) throw foreign("a socket or device");
    throw FileError(base::os_reason(errno), errno);
  }
  struct stat st {};
  if (::fstat(object.fd.get(), &st) != 0) throw FileError(base::os_reason(errno), errno);
  if (S_ISDIR(st.st_mode)) throw absent();
  if (!S_ISREG(st.st_mode)) throw foreign("a FIFO or device");
  object.size = static_cast<std::uint64_t>(st.st_size);
  return object;
}

Page DirectoryStore::list(const std::string& prefix, const std::string& after, std::size_t limit) {
  return in_words("list", prefix, [&]() -> Page {
    base::Fd root(::open(root_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!root.valid()) {
      if (errno == ENOENT) return {};
      throw FileError(base::os_reason(errno), errno);
    }
    return list_directory(std::move(root), prefix, after, limit);
  });
}

Removal DirectoryStore::remove(const std::string& name) {
  check_name(name);
  in_words("remove", name, [&] {
    const base::Fd root(::open(root_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!root.valid()) {
      if (errno == ENOENT) return;
      throw FileError(base::os_reason(errno), errno);
    }
    if (!open_beneath(root.get(), parent_of(name)).valid()) return;
    try {
      files_.unlink(path_of(name));
      // An object that comes back after a power cut could be one whose parts are gone for good.
      files_.sync_directory(base::parent_directory(path_of(name)));
    } catch (const FileError& error) {
      // EISDIR: only longer names exist. ENOENT: another remove() took the directory away.
      const int reason = error.error_number();
      if (reason != EISDIR && reason != ENOENT && reason != ENAMETOOLONG && reason != ENOTDIR) {
        throw;
      }
    }
    // Not through FileOps: whether an empty directory goes changes nothing for anybody.
    for (std::string directory = parent_of(name); !directory.empty();
         directory = parent_of(directory)) {
      if (::rmdir(path_of(directory).c_str()) != 0 && errno != ENOENT) return;
    }
  });
  return Removal::gone;
}

/// newest: a file that was just created here. Its time is "now" on the clock that also dated the
/// others, which may be that of a file server.
void DirectoryStore::remove_stale(const base::Fd& newest) {
  struct stat now {};
  if (::fstat(newest.get(), &now) != 0) return;
  struct CloseDirectory {
    void operator()(DIR* directory) const { ::closedir(directory); }
  };
  const std::unique_ptr<DIR, CloseDirectory> stream(::opendir(path_of(kTemporary).c_str()));
  if (!stream) return;
  while (const dirent* entry = ::readdir(stream.get())) {
    struct stat st {};
    if (::fstatat(::dirfd(stream.get()), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(st.st_mode) || now.st_mtime - st.st_mtime < kStaleSeconds) {
      continue;
    }
    // For writing, since NFS turns flock() into a lock that asks for it.
    const base::Fd fd(::openat(::dirfd(stream.get()), entry->d_name,
                               O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!fd.valid() || ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) continue;
    try {
      files_.unlink(path_of(kTemporary) + "/" + entry->d_name);
    } catch (const Error&) {  // it costs room, nothing else; the next one may succeed
    }
  }
}

std::string DirectoryStore::description() const { return "file://" + base::printable(root_); }

std::string DirectoryStore::path_of(const std::string& name) const {
  return root_ == "/" ? root_ + name : root_ + "/" + name;
}

base::Fd DirectoryStore::open_root() const {
  base::Fd root(::open(root_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (root.valid()) return root;
  if (errno != ENOENT) throw FileError(base::os_reason(errno), errno);
  throw Error(ErrorKind::not_found,
              fmt::format("the store {} does not exist; nothing was ever stored there, its disk is "
                          "not mounted, or the path is wrong",
                          description()));
}

}  // namespace rota::store
