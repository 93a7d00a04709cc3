#include "base/progress_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/atomic_file.h"
#include "base/file.h"
#include "support/files.h"
#include "support/quick_clock.h"

using namespace rota;
using base::ProgressFile;
using nlohmann::json;

namespace {

std::vector<json> lines_of(const std::string& path) {
  std::vector<json> lines;
  std::istringstream text(base::read_file(path, 2 * ProgressFile::kMostBytes));
  for (std::string line; std::getline(text, line);) lines.push_back(json::parse(line));
  return lines;
}

bool is_named(const base::Fd& fd) {
  struct stat st {};
  REQUIRE(::fstat(fd.get(), &st) == 0);
  return st.st_nlink == 1;
}

}  // namespace

TEST_CASE("a progress file says what the job is, its steps, and goes with it", "[progress]") {
  const test::TempDir dir;
  const std::string path = dir / "run/disk-B.json";
  test::QuickClock clock;
  base::Progress progress;
  base::CollectedWarnings warnings;
  progress.set_activity("copying");
  progress.bytes = 7;
  {
    ProgressFile file(path, "disk B", progress, clock, warnings);
    file.step(R"({"step":"mount","state":"done"})");
    const std::vector<json> lines = lines_of(path);
    CHECK(lines.front()["job"] == "disk B");
    CHECK(lines.front()["pid"] == ::getpid());
    bool step = false;
    for (const json& line : lines) {
      step = step || line.value("step", "") == "mount";
      if (line.contains("activity")) CHECK(line["bytes"] == 7);
    }
    CHECK(step);
  }
  CHECK_FALSE(base::exists(path));
  CHECK(warnings.count() == 0);
}

TEST_CASE("a progress file stays small, and keeps the job and its last steps", "[progress]") {
  const test::TempDir dir;
  const std::string path = dir / "p";
  test::QuickClock clock;
  base::Progress progress;
  base::CollectedWarnings warnings;
  ProgressFile file(path, "disk B", progress, clock, warnings);
  const base::Fd follower = base::open_for_reading(path);
  CHECK(is_named(follower));
  for (int i = 0; i < 9000; ++i) {
    file.step(json{{"step", "scrub"}, {"number", i}, {"detail", std::string(60, 'x')}}.dump());
    struct stat st {};
    REQUIRE(::stat(path.c_str(), &st) == 0);
    REQUIRE(static_cast<std::size_t>(st.st_size) <= ProgressFile::kMostBytes);
  }
  CHECK_FALSE(is_named(follower));
  const std::vector<json> lines = lines_of(path);
  CHECK(lines.front()["job"] == "disk B");
  int last = -1;
  for (const json& line : lines) last = line.value("number", last);
  CHECK(last == 8999);
}

TEST_CASE("a progress file that cannot be written is one warning, and the job goes on",
          "[progress]") {
  const test::TempDir dir;
  base::write_file(dir / "file", "in the way");
  test::QuickClock clock;
  base::Progress progress;
  base::CollectedWarnings warnings;
  ProgressFile file(dir / "file/p", "disk B", progress, clock, warnings);
  file.step("{}");
  file.step("{}");
  CHECK(warnings.count() == 1);
}
