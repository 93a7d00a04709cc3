#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "tui/rows.h"

namespace rota::tui {

/// Takes in the lines of one progress file (base/progress_file.h), in whatever pieces they come.
/// A line that none of ours wrote is passed over.
class ProgressReader {
 public:
  /// begin: what the file's name tells, a disk or the server of a drill.
  explicit ProgressReader(Job begin) : job_(std::move(begin)) {}

  void feed(std::string_view bytes);
  const Job& job() const { return job_; }

 private:
  void line(std::string_view text);
  void count(std::int64_t time, std::uint64_t bytes);

  Job job_;
  std::string rest_;     ///< of a line that is not whole yet
  bool skip_ = false;    ///< the line is too long to be one
  std::string counted_;  ///< what is counted, for the rate
  std::int64_t first_time_ = 0;
  std::uint64_t first_bytes_ = 0;
};

/// The jobs with disks and the drills that run now: follows <run>/disk-*.json and drill-*.json.
class Follower {
 public:
  explicit Follower(std::string run_directory) : directory_(std::move(run_directory)) {}

  /// Reads on. True when anything changed.
  bool look();
  std::vector<Job> jobs() const;

 private:
  struct File {
    base::Fd fd;
    ProgressReader reader;
    std::uint64_t read = 0;
  };
  bool read_on(File& file, const std::string& path);

  std::string directory_;
  std::map<std::string, File> files_;  ///< by name
};

}  // namespace rota::tui
