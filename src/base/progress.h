#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace rota::base {

/// What a job tells while it works. Counting is cheap and may be done from any thread.
///
/// A total of 0 is unknown; as soon as it is known the terminal shows the time left.
class Progress {
 public:
  std::atomic<std::uint64_t> files{0};
  std::atomic<std::uint64_t> bytes{0};
  std::atomic<std::uint64_t> total_files{0};
  std::atomic<std::uint64_t> total_bytes{0};

  /// What is being done now: "backing up", "restoring". Shown in front.
  void set_activity(std::string text);
  std::string activity() const;

 private:
  mutable std::mutex mutex_;
  std::string activity_;
};

/// Where warnings go: about one file each, never fatal. Counts them, for the exit status.
class Warnings {
 public:
  virtual ~Warnings() = default;
  /// path: as in the source, raw bytes; message: a sentence without the path.
  void warn(const std::string& path, const std::string& message);
  std::uint64_t count() const { return count_; }

 protected:
  /// Called under a lock, one call at a time.
  virtual void show(const std::string& path, const std::string& message) = 0;

 private:
  std::mutex mutex_;
  std::atomic<std::uint64_t> count_{0};
};

/// Keeps warnings for tests and reports.
class CollectedWarnings final : public Warnings {
 public:
  std::vector<std::pair<std::string, std::string>> list;

 protected:
  void show(const std::string& path, const std::string& message) override {
    list.emplace_back(path, message);
  }
};

/// Draws a Progress on a terminal five times a second, on one line of standard error, and wipes it
/// when destroyed. Does nothing when standard error is no terminal.
class TerminalProgress {
 public:
  explicit TerminalProgress(const Progress& progress);
  ~TerminalProgress();

 private:
  const Progress& progress_;
  std::jthread painter_;
};

/// Prints "warning: <path>: <message>" to standard error.
class TerminalWarnings final : public Warnings {
 protected:
  void show(const std::string& path, const std::string& message) override;
};

}  // namespace rota::base
