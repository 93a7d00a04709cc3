#include "base/file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace rota::base {

FileError::FileError(const std::string& message, int error_number)
    : Error(error_number == ENOENT ? ErrorKind::not_found : ErrorKind::io, message),
      error_number_(error_number) {}

void Fd::reset() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

namespace {

[[noreturn]] void fail(const std::string& doing, const std::string& path, int error_number) {
  throw FileError(fmt::format("{} {}: {}", doing, path, os_reason(error_number)), error_number);
}

class RealFiles final : public FileOps {
 public:
  Fd create(const std::string& path, unsigned mode) override {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0) fail("cannot create", path, errno);
    return Fd(fd);
  }

  void write_all(int fd, std::span<const std::byte> data, const std::string& path) override {
    while (!data.empty()) {
      const ssize_t n = ::write(fd, data.data(), data.size());
      if (n < 0) {
        if (errno == EINTR) continue;
        fail("cannot write", path, errno);
      }
      data = data.subspan(static_cast<std::size_t>(n));
    }
  }

  void fsync(int fd, const std::string& path) override {
    if (::fsync(fd) != 0) fail("cannot make durable", path, errno);
  }

  void rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) fail("cannot rename to", to, errno);
  }

  void unlink(const std::string& path) override {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) fail("cannot remove", path, errno);
  }

  void make_directories(const std::string& path, unsigned mode) override {
    if (::mkdir(path.c_str(), mode) == 0) {
      sync_directory(parent_directory(path));
      return;
    }
    if (errno == EEXIST) {
      struct stat st {};
      // It may be gone again by now: another process tidied up. The caller can try once more.
      if (::stat(path.c_str(), &st) != 0) fail("cannot make the directory", path, errno);
      if (S_ISDIR(st.st_mode)) return;
      throw FileError(fmt::format("{} exists and is not a directory", path), ENOTDIR);
    }
    if (errno != ENOENT) fail("cannot make the directory", path, errno);
    const std::string parent = parent_directory(path);
    if (parent == path) fail("cannot make the directory", path, ENOENT);
    make_directories(parent, mode);
    if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST) {
      fail("cannot make the directory", path, errno);
    }
    sync_directory(parent);
  }

  void sync_directory(const std::string& path) override {
    const Fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd.valid()) fail("cannot open the directory", path, errno);
    // Some filesystems (FUSE, network) cannot sync a directory and say so with EINVAL.
    if (::fsync(fd.get()) != 0 && errno != EINVAL) fail("cannot make durable", path, errno);
  }
};

}  // namespace

FileOps& real_files() {
  static RealFiles files;
  return files;
}

Fd open_for_reading(const std::string& path) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) fail("cannot open", path, errno);
  return fd;
}

Fd open_temporary() {
  const char* place = std::getenv("TMPDIR");
  if (place == nullptr || *place == 0) place = "/var/tmp";
  Fd fd(::open(place, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!fd.valid()) throw_os("cannot make a temporary file in", place, errno);
  return fd;
}

std::string read_file(const std::string& path, std::uint64_t limit) {
  const Fd fd = open_for_reading(path);
  std::string text;
  char buffer[65536];
  for (;;) {
    const ssize_t n = ::read(fd.get(), buffer, sizeof buffer);
    if (n < 0) {
      if (errno == EINTR) continue;
      fail("cannot read", path, errno);
    }
    if (n == 0) return text;
    text.append(buffer, static_cast<std::size_t>(n));
    if (text.size() > limit) {
      throw Error(ErrorKind::corrupt,
                  fmt::format("{} is larger than the {} bytes that it may have", path, limit));
    }
  }
}

std::size_t read_at(int fd, std::span<std::byte> buffer, std::uint64_t offset,
                    const std::string& path) {
  std::size_t done = 0;
  while (done < buffer.size()) {
    const ssize_t n =
        ::pread(fd, buffer.data() + done, buffer.size() - done, static_cast<off_t>(offset + done));
    if (n < 0) {
      if (errno == EINTR) continue;
      fail("cannot read", path, errno);
    }
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

std::string parent_directory(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  if (slash == 0) return "/";
  return path.substr(0, slash);
}

bool exists(const std::string& path) {
  struct stat st {};
  return ::lstat(path.c_str(), &st) == 0;
}

}  // namespace rota::base
