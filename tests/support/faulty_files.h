#pragma once

#include <fmt/format.h>

#include <cerrno>
#include <cstdint>
#include <mutex>
#include <span>
#include <string>

#include "base/error.h"
#include "base/file.h"

namespace rota::test {

/// File operations that fail as they are told: one of them, or all from one on, which is what a
/// crash looks like to the disk. Counts every operation; may be used from several threads.
///
/// A failing operation throws FileError without effect, but a failing write leaves the first half
/// of its data behind, as a full disk does. The sweep, in its usual form:
///
///   for (std::uint64_t n = 1;; ++n) {
///     FaultyFiles files;
///     files.fail_at(n);
///     ... work that throws Error if anything failed, then checks ...
///     if (!files.fired()) break;  // the work has fewer than n operations: a clean run
///   }
class FaultyFiles final : public base::FileOps {
 public:
  explicit FaultyFiles(base::FileOps& inner = base::real_files()) : inner_(inner) {}

  /// The nth operation from now on (1 is the next) fails, those after it work again.
  void fail_at(std::uint64_t nth, int error_number = EIO) { plan(nth, error_number, false); }
  /// The nth operation from now on and everything after it fails.
  void crash_at(std::uint64_t nth, int error_number = EIO) { plan(nth, error_number, true); }
  /// Everything works again. Does not reset the count.
  void heal() { plan(0, 0, false); }

  /// How many operations were asked for, failed ones included.
  std::uint64_t operations() const {
    const std::lock_guard lock(mutex_);
    return operations_;
  }
  /// True when an operation failed since the last fail_at() or crash_at().
  bool fired() const {
    const std::lock_guard lock(mutex_);
    return fired_;
  }

  base::Fd create(const std::string& path, unsigned mode) override {
    check("create", path);
    return inner_.create(path, mode);
  }
  void write_all(int fd, std::span<const std::byte> data, const std::string& path) override {
    bool crashed_before = false;
    const int error_number = next(crashed_before);
    if (error_number == 0) return inner_.write_all(fd, data, path);
    if (!crashed_before) inner_.write_all(fd, data.first(data.size() / 2), path);
    fail("write", path, error_number);
  }
  void fsync(int fd, const std::string& path) override {
    check("make durable", path);
    inner_.fsync(fd, path);
  }
  void rename(const std::string& from, const std::string& to) override {
    check("rename to", to);
    inner_.rename(from, to);
  }
  void unlink(const std::string& path) override {
    check("remove", path);
    inner_.unlink(path);
  }
  void make_directories(const std::string& path, unsigned mode) override {
    check("make the directory", path);
    inner_.make_directories(path, mode);
  }
  void sync_directory(const std::string& path) override {
    check("make durable", path);
    inner_.sync_directory(path);
  }

 private:
  void plan(std::uint64_t nth, int error_number, bool crash) {
    const std::lock_guard lock(mutex_);
    fail_at_ = nth == 0 ? 0 : operations_ + nth;
    error_number_ = error_number;
    crash_ = crash;
    fired_ = false;
  }

  /// Counts an operation. 0, or the error that it shall fail with; crashed_before: it is not the
  /// first one to fail.
  int next(bool& crashed_before) {
    const std::lock_guard lock(mutex_);
    ++operations_;
    if (fail_at_ == 0 || operations_ < fail_at_ || (operations_ > fail_at_ && !crash_)) return 0;
    crashed_before = fired_;
    fired_ = true;
    return error_number_;
  }

  void check(const char* doing, const std::string& path) {
    bool crashed_before = false;
    const int error_number = next(crashed_before);
    if (error_number != 0) fail(doing, path, error_number);
  }

  [[noreturn]] static void fail(const char* doing, const std::string& path, int error_number) {
    throw base::FileError(
        fmt::format("cannot {} {}: {} (injected)", doing, path, base::os_reason(error_number)),
        error_number);
  }

  base::FileOps& inner_;
  mutable std::mutex mutex_;
  std::uint64_t operations_ = 0;
  std::uint64_t fail_at_ = 0;  ///< the number of the operation, counted from the start; 0: none
  int error_number_ = 0;
  bool crash_ = false;
  bool fired_ = false;
};

}  // namespace rota::test
