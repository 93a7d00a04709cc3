#pragma once

#include <string>

#include "base/error.h"
#include "base/file.h"

namespace rota::test {

/// The real files, until the call with number `fail_at` (from 1), which does nothing and throws
/// Error(io) as a full disk would. 0 never fails. Counts all calls and keeps their names.
class FaultyFiles final : public base::FileOps {
 public:
  explicit FaultyFiles(int fail_at = 0) : fail_at_(fail_at) {}

  base::Fd create(const std::string& path, unsigned mode) override {
    call("create");
    return base::real_files().create(path, mode);
  }
  void write_all(int fd, std::span<const std::byte> data, const std::string& path) override {
    call("write");
    base::real_files().write_all(fd, data, path);
  }
  void fsync(int fd, const std::string& path) override {
    call("fsync");
    base::real_files().fsync(fd, path);
  }
  void rename(const std::string& from, const std::string& to) override {
    call("rename");
    base::real_files().rename(from, to);
  }
  void unlink(const std::string& path) override {
    call("unlink");
    base::real_files().unlink(path);
  }
  void make_directories(const std::string& path, unsigned mode) override {
    call("mkdir");
    base::real_files().make_directories(path, mode);
  }
  void sync_directory(const std::string& path) override {
    call("syncdir");
    base::real_files().sync_directory(path);
  }

  /// The calls so far, each followed by a blank: "unlink create write ".
  const std::string& log() const { return log_; }
  bool failed() const { return fail_at_ > 0 && calls_ >= fail_at_; }

 private:
  void call(const char* name) {
    log_ += std::string(name) + " ";
    if (++calls_ == fail_at_) {
      throw base::Error(base::ErrorKind::io, std::string("no space left for ") + name);
    }
  }

  int fail_at_;
  int calls_ = 0;
  std::string log_;
};

}  // namespace rota::test
