#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "base/error.h"

namespace rota::base {

/// What the operating system refused to do with a file: the Error (io; not_found for ENOENT) and
/// the number behind it, for callers that have words of their own for "full" or "read-only".
class FileError final : public Error {
 public:
  FileError(const std::string& message, int error_number);
  int error_number() const { return error_number_; }

 private:
  int error_number_;
};

/// An owned file descriptor.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(); }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  void reset();

 private:
  int fd_ = -1;
};

/// The seam to the operating system for files that rota itself keeps (stores, state, reports). One
/// real implementation, one in tests that fails or stops at the Nth call.
/// All paths are absolute or relative to the working directory; all failures throw FileError.
class FileOps {
 public:
  virtual ~FileOps() = default;
  /// Creates a file that must not exist yet.
  virtual Fd create(const std::string& path, unsigned mode) = 0;
  virtual void write_all(int fd, std::span<const std::byte> data, const std::string& path) = 0;
  virtual void fsync(int fd, const std::string& path) = 0;
  virtual void rename(const std::string& from, const std::string& to) = 0;
  /// Absent is not an error.
  virtual void unlink(const std::string& path) = 0;
  /// Makes a directory and its parents; existing is not an error. New ones are made durable.
  virtual void make_directories(const std::string& path, unsigned mode) = 0;
  /// Makes the names in a directory durable.
  virtual void sync_directory(const std::string& path) = 0;
};

/// The real one. Holds no state, may be used from any thread.
FileOps& real_files();

/// Opens for reading, close-on-exec. Throws not_found or io.
Fd open_for_reading(const std::string& path);

/// A file without a name in $TMPDIR or /var/tmp (on a disk, not in memory as /tmp may be), for
/// reading and writing; it is gone when it is closed.
Fd open_temporary();

/// Reads a whole file of at most `limit` bytes. Throws not_found, io, or corrupt when it is larger.
std::string read_file(const std::string& path, std::uint64_t limit);

/// Reads up to buffer.size() bytes at `offset`; less only at the end of the file.
std::size_t read_at(int fd, std::span<std::byte> buffer, std::uint64_t offset,
                    const std::string& path);

/// The directory part of a path: "a/b" -> "a", "a" -> ".", "/a" -> "/".
std::string parent_directory(const std::string& path);

bool exists(const std::string& path);

}  // namespace rota::base
