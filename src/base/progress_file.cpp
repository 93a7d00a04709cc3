#include "base/progress_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <nlohmann/json.hpp>
#include <stop_token>

#include "base/bytes.h"
#include "base/error.h"
#include "base/text.h"

namespace rota::base {

ProgressFile::ProgressFile(std::string path, const std::string& job, const Progress& progress,
                           Clock& clock, Warnings& warnings)
    : path_(std::move(path)), progress_(progress), clock_(clock), warnings_(warnings) {
  const nlohmann::json first = {{"job", job}, {"pid", ::getpid()}, {"started", iso(clock_.now())}};
  kept_ = first.dump() + "\n";
  {
    const std::lock_guard lock(mutex_);
    begin_anew();
  }
  writer_ = std::jthread([this](const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any waker;
    std::unique_lock lock(mutex);
    while (!stop.stop_requested()) {
      tick();
      waker.wait_for(lock, stop, std::chrono::seconds(1), [] { return false; });
    }
  });
}

ProgressFile::~ProgressFile() {
  writer_.request_stop();
  writer_.join();
  ::unlink(path_.c_str());
}

void ProgressFile::step(const std::string& object) {
  const std::lock_guard lock(mutex_);
  kept_ += object + "\n";
  write(object + "\n");
}

void ProgressFile::tick() {
  const nlohmann::json line = {{"time", iso(clock_.now())},
                               {"activity", progress_.activity()},
                               {"files", progress_.files.load()},
                               {"bytes", progress_.bytes.load()},
                               {"total_files", progress_.total_files.load()},
                               {"total_bytes", progress_.total_bytes.load()}};
  const std::lock_guard lock(mutex_);
  write(line.dump() + "\n");
}

void ProgressFile::write(const std::string& line) {
  if (failed_) return;
  if (size_ + line.size() > kMostBytes) begin_anew();
  try {
    if (!failed_) real_files().write_all(fd_.get(), as_bytes(line), path_);
    size_ += line.size();
  } catch (const Error& error) {
    failed_ = true;
    warnings_.warn(path_, fmt::format("how far this job is cannot be shown: {}", error.what()));
  }
}

void ProgressFile::begin_anew() {
  try {
    FileOps& files = real_files();
    const std::string next = fmt::format("{}.tmp-{}", path_, ::getpid());
    files.make_directories(parent_directory(path_), 0755);
    files.unlink(next);
    Fd fd = files.create(next, 0644);
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) throw_os("cannot lock", next, errno);
    // With many steps the early ones are of no use to anybody: the file is for who looks now.
    if (kept_.size() > kMostBytes / 2) {
      const std::size_t first = kept_.find('\n') + 1;
      const std::size_t rest = kept_.find('\n', kept_.size() - kMostBytes / 4) + 1;
      kept_ = kept_.substr(0, first) + kept_.substr(rest);
    }
    files.write_all(fd.get(), as_bytes(kept_), next);
    files.rename(next, path_);
    fd_ = std::move(fd);
    size_ = kept_.size();
  } catch (const Error& error) {
    failed_ = true;
    warnings_.warn(path_, fmt::format("how far this job is cannot be shown: {}", error.what()));
  }
}

}  // namespace rota::base
