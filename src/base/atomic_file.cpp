#include "base/atomic_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdlib>

#include "base/error.h"
#include "base/text.h"

namespace rota::base {

namespace {
std::atomic<unsigned> next_number{0};
}

AtomicFile::AtomicFile(std::string path, unsigned mode, FileOps& files)
    : files_(files),
      path_(std::move(path)),
      temporary_(fmt::format("{}.tmp-{}-{}", path_, ::getpid(), next_number++)) {
  files_.unlink(temporary_);  // left by an earlier process with this number
  fd_ = files_.create(temporary_, mode);
}

AtomicFile::~AtomicFile() {
  if (!fd_.valid()) return;
  try {
    files_.unlink(temporary_);
  } catch (...) {
    // A leftover temporary file harms nothing: its name is never read.
  }
}

void AtomicFile::write(std::span<const std::byte> data) {
  files_.write_all(fd_.get(), data, temporary_);
}

void AtomicFile::write(std::string_view text) { write(std::as_bytes(std::span(text))); }

void AtomicFile::commit() {
  files_.fsync(fd_.get(), temporary_);
  files_.rename(temporary_, path_);
  fd_.reset();
  files_.sync_directory(parent_directory(path_));
}

void write_file(const std::string& path, std::string_view text, unsigned mode, FileOps& files) {
  AtomicFile file(path, mode, files);
  file.write(text);
  file.commit();
}

void write_output(const std::string& path, std::string_view text, unsigned mode) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return write_file(path, text, mode);
  if (S_ISDIR(found.st_mode) || S_ISBLK(found.st_mode)) {
    throw Error(ErrorKind::refused,
                fmt::format("{} is a {}; name a file to write to", printable(path),
                            S_ISDIR(found.st_mode) ? "directory" : "disk"));
  }
  if (S_ISREG(found.st_mode)) {
    std::array<char, PATH_MAX> real{};
    if (::realpath(path.c_str(), real.data()) == nullptr) {
      throw_os("cannot write", printable(path), errno);
    }
    return write_file(real.data(), text, mode);
  }
  const Fd fd(::open(path.c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC));
  if (!fd.valid()) throw_os("cannot write", printable(path), errno);
  real_files().write_all(fd.get(), std::as_bytes(std::span(text)), path);
}

}  // namespace rota::base
