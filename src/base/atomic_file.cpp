#include "base/atomic_file.h"

#include <fmt/core.h>
#include <unistd.h>

#include <atomic>

#include "base/error.h"

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

}  // namespace rota::base
