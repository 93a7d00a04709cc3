#include "base/progress.h"

#include <fmt/core.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <stop_token>

#include "base/text.h"

namespace rota::base {

void Progress::set_activity(std::string text) {
  const std::lock_guard lock(mutex_);
  activity_ = std::move(text);
}

std::string Progress::activity() const {
  const std::lock_guard lock(mutex_);
  return activity_;
}

void Warnings::warn(const std::string& path, const std::string& message) {
  const std::lock_guard lock(mutex_);
  ++count_;
  show(path, message);
}

namespace {

/// Not fmt::print(), which throws when the terminal has gone away: the job goes on without it.
void show_text(const std::string& text) {
  std::fputs(text.c_str(), stderr);
  std::fflush(stderr);
}

}  // namespace

void TerminalWarnings::show(const std::string& path, const std::string& message) {
  // \r and "erase line" first, so that a progress line does not stay half under the warning.
  const char* erase = ::isatty(STDERR_FILENO) != 0 ? "\r\033[K" : "";
  show_text(fmt::format("{}warning: {}: {}\n", erase, printable(path), message));
}

namespace {

std::string line(const Progress& progress, double seconds) {
  const std::uint64_t files = progress.files;
  const std::uint64_t bytes = progress.bytes;
  const std::uint64_t total = progress.total_bytes;
  const double rate = seconds > 0 ? static_cast<double>(bytes) / seconds : 0;
  std::string text = fmt::format("{}: {} files, {}, {}/s", progress.activity(), human_count(files),
                                 human_size(bytes), human_size(static_cast<std::uint64_t>(rate)));
  if (total > 0 && bytes <= total && rate > 0 && seconds > 2) {
    const double left = static_cast<double>(total - bytes) / rate;
    text += fmt::format(", {}%, {} left", bytes * 100 / total,
                        human_duration(static_cast<std::int64_t>(left)));
  }
  return text;
}

}  // namespace

TerminalProgress::TerminalProgress(const Progress& progress) : progress_(progress) {
  if (::isatty(STDERR_FILENO) == 0) return;
  painter_ = std::jthread([this](const std::stop_token& stop) {
    const auto start = std::chrono::steady_clock::now();
    std::mutex mutex;
    std::condition_variable_any waker;
    std::unique_lock lock(mutex);
    while (!stop.stop_requested()) {
      waker.wait_for(lock, stop, std::chrono::milliseconds(200), [] { return false; });
      if (stop.stop_requested()) break;
      const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
      show_text(fmt::format("\r\033[K{}", line(progress_, seconds.count())));
    }
    show_text("\r\033[K");
  });
}

TerminalProgress::~TerminalProgress() = default;

}  // namespace rota::base
