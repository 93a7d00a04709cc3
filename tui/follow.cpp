#include "tui/follow.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/text.h"
#include "base/time.h"
#include "ledger/names.h"

namespace rota::tui {

namespace {

using nlohmann::json;

constexpr std::size_t kMostLine = 16U << 10;
constexpr std::size_t kMostSteps = 50;
constexpr std::size_t kMostFiles = 64;

std::string text_of(const json& value, const char* key) {
  const auto found = value.find(key);
  if (found == value.end() || !found->is_string()) return "";
  return found->get<std::string>();
}

std::uint64_t number_of(const json& value, const char* key) {
  const auto found = value.find(key);
  if (found == value.end() || !found->is_number_unsigned()) return 0;
  return std::min(found->get<std::uint64_t>(), std::uint64_t{1} << 53);
}

/// What runs, by its file's name; nothing: it is no file of a job.
std::optional<Job> job_of(std::string_view name) {
  if (!name.ends_with(".json")) return std::nullopt;
  name.remove_suffix(5);
  Job job;
  if (name.starts_with("disk-") && ledger::is_disk_name(name.substr(5))) {
    job.disk = name.substr(5);
  } else if (name.starts_with("drill-") && ledger::is_server_name(name.substr(6))) {
    job.drill = true;
    job.server = name.substr(6);
  } else {
    return std::nullopt;
  }
  return job;
}

/// Whether the job that writes a progress file still runs (see base/progress_file.h).
bool is_held(int fd) {
  if (::flock(fd, LOCK_SH | LOCK_NB) != 0) return errno == EWOULDBLOCK;
  ::flock(fd, LOCK_UN);
  return false;
}

}  // namespace

void ProgressReader::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::string_view part = bytes.substr(0, end);
    if (rest_.size() + part.size() > kMostLine) skip_ = true;
    if (skip_) {
      rest_.clear();
    } else {
      rest_ += part;
    }
    if (end == std::string_view::npos) return;
    if (!skip_) line(rest_);
    rest_.clear();
    skip_ = false;
    bytes.remove_prefix(end + 1);
  }
}

void ProgressReader::line(std::string_view text) {
  const auto flat = [](int depth, json::parse_event_t, json&) { return depth <= 1; };
  const json value = json::parse(text.begin(), text.end(), flat, false);
  if (!value.is_object()) return;
  if (value.contains("pid")) job_.pid = static_cast<std::int64_t>(number_of(value, "pid"));
  if (value.contains("step")) {
    job_.step = text_of(value, "step");
    job_.state = text_of(value, "state");
    if (job_.drill) {
      const std::string disk = text_of(value, "disk");
      if (ledger::is_disk_name(disk)) job_.disk = disk;
    } else {
      job_.server = text_of(value, "server");
    }
    job_.detail = text_of(value, "detail");
    if (job_.state == "begins") {
      job_.files = job_.bytes = job_.total_bytes = job_.rate = 0;
      counted_.clear();
      return;
    }
    std::string told = job_.server.empty() ? job_.step : job_.step + " " + job_.server;
    if (job_.state != "done") told += " " + job_.state;
    if (!job_.detail.empty()) told += ": " + job_.detail;
    job_.done.push_back(told);
    if (job_.done.size() > kMostSteps) job_.done.erase(job_.done.begin());
  } else if (value.contains("activity")) {
    job_.activity = text_of(value, "activity");
    job_.files = number_of(value, "files");
    job_.bytes = number_of(value, "bytes");
    job_.total_bytes = number_of(value, "total_bytes");
    const auto time = base::parse_iso(text_of(value, "time"));
    if (time) count(time->time_since_epoch().count(), job_.bytes);
  }
}

/// The rate since the last half minute began; the start of a step says little about its middle.
void ProgressReader::count(std::int64_t time, std::uint64_t bytes) {
  constexpr std::int64_t kSpan = 30;
  if (counted_ != job_.activity || bytes < first_bytes_) {
    counted_ = job_.activity;
    first_time_ = time;
    first_bytes_ = bytes;
    job_.rate = 0;
    return;
  }
  const std::int64_t seconds = time - first_time_;
  if (seconds <= 0) return;
  job_.rate = (bytes - first_bytes_) / static_cast<std::uint64_t>(seconds);
  if (seconds >= kSpan) {
    first_time_ = time;
    first_bytes_ = bytes;
  }
}

bool Follower::read_on(File& file, const std::string& path) {
  bool changed = false;
  std::array<std::byte, 32U << 10> buffer{};
  while (const std::size_t got = base::read_at(file.fd.get(), buffer, file.read, path)) {
    file.reader.feed({reinterpret_cast<const char*>(buffer.data()), got});
    file.read += got;
    changed = true;
  }
  return changed;
}

bool Follower::look() {
  bool changed = false;
  struct CloseDirectory {
    void operator()(DIR* directory) const { ::closedir(directory); }
  };
  const std::unique_ptr<DIR, CloseDirectory> directory(::opendir(directory_.c_str()));
  while (const dirent* entry = directory ? ::readdir(directory.get()) : nullptr) {
    const std::string name = entry->d_name;
    auto job = job_of(name);
    if (!job || files_.contains(name) || files_.size() >= kMostFiles) continue;
    base::Fd fd(::openat(::dirfd(directory.get()), entry->d_name,
                         O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    struct stat status {};
    if (!fd.valid() || ::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    if (!is_held(fd.get())) continue;  // a job that was killed left it
    files_.emplace(name, File{std::move(fd), ProgressReader(std::move(*job)), 0});
    changed = true;
  }
  for (auto file = files_.begin(); file != files_.end();) {
    try {
      changed = read_on(file->second, file->first) || changed;
    } catch (const base::Error&) {  // as if it had gone
      file->second.fd.reset();
    }
    struct stat status {};
    const bool there = ::fstat(file->second.fd.get(), &status) == 0 && status.st_nlink > 0;
    if (there && is_held(file->second.fd.get())) {
      ++file;
      continue;
    }
    file = files_.erase(file);  // begun anew under the same name: opened at the next look
    changed = true;
  }
  return changed;
}

std::vector<Job> Follower::jobs() const {
  std::vector<Job> jobs;
  for (const auto& [name, file] : files_) jobs.push_back(file.reader.job());
  return jobs;
}

}  // namespace rota::tui
