#pragma once

#include <mutex>
#include <string>
#include <thread>

#include "base/file.h"
#include "base/progress.h"
#include "base/time.h"

namespace rota::base {

/// Tells other programs (the screen, a script) how far a job is, in a file of JSON lines.
///
/// The first line says what the job is: {"job":"disk
/// B","pid":812,"started":"2026-10-24T03:00:00Z"}. Then a line for each step,
/// {"time":…,"step":"copying","state":"done","detail":"…"}, and while it works one every second,
/// {"time":…,"activity":"copying","files":9,"bytes":99,"total_files":0, "total_bytes":0}. Who
/// follows keeps it open, reads on from where it was, and opens it again when nothing names what is
/// open any more (its link count is 0). The file is removed at the end of the job. The job holds it
/// with flock(2) as long as it runs, however it ends: a number of a process may be another's later.
///
/// It never grows beyond kMostBytes: then it is begun anew, by a rename, with the first line and
/// the last line of each step. A file that cannot be written is reported once and then left alone:
/// the job goes on.
class ProgressFile {
 public:
  /// path: its directory is made (0755: what is told is not secret). job: for the first line.
  ProgressFile(std::string path, const std::string& job, const Progress& progress, Clock& clock,
               Warnings& warnings);
  ProgressFile(const ProgressFile&) = delete;
  ProgressFile& operator=(const ProgressFile&) = delete;
  ~ProgressFile();

  /// A line about a step; `object` is the text of a JSON object without a line feed. Kept when the
  /// file is begun anew.
  void step(const std::string& object);

  static constexpr std::size_t kMostBytes = 256 << 10;

 private:
  void write(const std::string& line);
  void begin_anew();
  void tick();

  std::string path_;
  const Progress& progress_;
  Clock& clock_;
  Warnings& warnings_;
  std::mutex mutex_;
  std::string kept_;  ///< the first line and those of steps
  std::size_t size_ = 0;
  bool failed_ = false;
  Fd fd_;
  std::jthread writer_;
};

}  // namespace rota::base
