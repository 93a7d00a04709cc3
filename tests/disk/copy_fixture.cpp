#include "disk/copy_fixture.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <random>
#include <stdexcept>
#include <thread>

#include "base/error.h"
#include "base/process.h"
#include "tree/compare.h"
#include "tree/local_source.h"

namespace rota::test {

std::string noise(std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

namespace {
/// 2026-10-24T03:00:00Z
constexpr base::Instant kStart(std::chrono::seconds(1'792'810'800));
/// The files of a test are younger than its snapshots' names say.
constexpr base::Instant kLate(std::chrono::seconds(4'000'000'000));

class LateClock final : public base::Clock {
 public:
  explicit LateClock(int step) : step_(step) {}
  base::Instant now() override { return kLate + std::chrono::seconds(seconds_ += step_); }
  void sleep(std::chrono::milliseconds, const std::stop_token&) override {}

 private:
  int step_;
  std::atomic<int> seconds_{0};
};
}  // namespace

CopyPlace::CopyPlace(std::string root) : root_(std::move(root)) { open(); }

void CopyPlace::open() {
  fd_ = base::Fd(::open(root_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd_.valid()) throw std::runtime_error("cannot open " + root_);
}

base::Instant CopyPlace::time(int day) { return kStart + std::chrono::days(day); }

std::string CopyPlace::name(int day) { return base::compact(time(day)); }

disk::CopySummary CopyPlace::write(tree::Source& source, int day) {
  LateClock clock(slow_clock ? 1 : 0);
  disk::CopyWriter writer(fd_.get(), {"web", time(day), "a test", "host", "rota"}, clock, warnings,
                          progress, {});
  writer.consume(source);
  return writer.summary();
}

disk::CopySummary CopyPlace::write(const std::string& from, int day, bool racy) {
  tree::LocalSource source(from, {}, warnings);
  if (!racy) return write(source, day);
  disk::CopyWriter writer(fd_.get(), {"web", time(day), "a test", "host", "rota"},
                          base::real_clock(), warnings, progress, {});
  writer.consume(source);
  return writer.summary();
}

disk::CopySummary CopyPlace::copy(tree::Source& source, int day) {
  disk::CopySummary summary = write(source, day);
  seal(day);
  return summary;
}

disk::CopySummary CopyPlace::copy(const std::string& from, int day) {
  disk::CopySummary summary = write(from, day);
  seal(day);
  return summary;
}

void CopyPlace::seal(int day) { disk::seal(fd_.get(), "web", time(day)); }

void CopyPlace::remove(const std::string& directory) {
  disk::remove_copy(fd_.get(), "web", directory, progress, {});
}

disk::CheckResult CopyPlace::verify(const std::string& directory, disk::CheckOptions options) {
  return disk::verify_copy(fd_.get(), "web", directory, options, progress, {});
}

std::vector<std::string> CopyPlace::list() const {
  std::vector<std::string> list;
  for (const disk::CopyInfo& copy : disk::list_copies(fd_.get())) {
    list.push_back(std::string(disk::state_word(copy.state)) + " " + copy.directory);
  }
  return list;
}

std::string run_program(std::vector<std::string> argv) {
  const base::ProcessResult result = base::real_processes().run({std::move(argv), {}});
  return result.output + (result.status == 0 ? "" : "\nfailed");
}

std::string check_sums(const std::string& copy) {
  return run_program({"sh", "-c",
                      "cd \"$1/tree\" && sha256sum --quiet --strict -c ../SHA256SUMS 2>&1", "sh",
                      copy});
}

std::string compared(const std::string& first, const std::string& second) {
  base::CollectedWarnings warnings;
  tree::LocalSource a(first, {}, warnings);
  tree::LocalSource b(second, {}, warnings);
  std::string found;
  tree::compare(a, b, [&](const tree::Difference& difference) {
    found += difference.entry.path + ": " + std::to_string(static_cast<int>(difference.change)) +
             " " + difference.what + "\n";
  });
  for (const auto& [path, message] : warnings.list) found += path + ": " + message + "\n";
  return found;
}

std::uint64_t inode_of(const std::string& path) {
  struct stat st {};
  if (::lstat(path.c_str(), &st) != 0) throw std::runtime_error("cannot stat " + path);
  return st.st_ino;
}

void wait_for_another_tick() { std::this_thread::sleep_for(std::chrono::milliseconds(20)); }

}  // namespace rota::test
