#include "tui/follow.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <map>

#include "base/progress_file.h"
#include "support/files.h"
#include "support/quick_clock.h"

using namespace rota;

namespace {

std::string first_line(long pid) { return fmt::format("{{\"job\":\"disk B\",\"pid\":{}}}\n", pid); }

/// A progress file as a job writes it, held as long as this lives.
struct Held {
  Held(const std::string& path, const std::string& text) {
    test::write(path, text);
    fd = base::Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    REQUIRE(::flock(fd.get(), LOCK_EX | LOCK_NB) == 0);
  }
  base::Fd fd;
};

std::string step(const std::string& name) {
  return fmt::format("{{\"disk\":\"B\",\"step\":\"{}\",\"state\":\"begins\"}}\n", name);
}

}  // namespace

TEST_CASE("a job is followed while it runs, and also when its file is begun anew", "[follow]") {
  const test::TempDir dir;
  tui::Follower follower(dir / "run");
  CHECK_FALSE(follower.look());  // there is no such directory yet
  base::Progress progress;
  base::CollectedWarnings warnings;
  {
    base::ProgressFile file(dir / "run/disk-B.json", "disk B", progress, base::real_clock(),
                            warnings);
    file.step(R"({"disk":"B","step":"copy","state":"begins","server":"web"})");
    CHECK(follower.look());
    REQUIRE(follower.jobs().size() == 1);
    CHECK(follower.jobs()[0].step == "copy");
    CHECK(follower.jobs()[0].pid == ::getpid());
    // As ProgressFile does when it has grown too large.
    const Held anew(dir / "run/new", first_line(::getpid()) + step("seal"));
    REQUIRE(std::rename((dir / "run/new").c_str(), (dir / "run/disk-B.json").c_str()) == 0);
    follower.look();
    follower.look();
    REQUIRE(follower.jobs().size() == 1);
    CHECK(follower.jobs()[0].step == "seal");
  }
  CHECK(follower.look());
  CHECK(follower.jobs().empty());
}

TEST_CASE("what nobody holds is no job that runs, and a strange file is none either", "[follow]") {
  const test::TempDir dir;
  // Killed, and its number is another process's now.
  test::write(dir / "disk-B.json", first_line(::getpid()) + step("copy"));
  const Held lower(dir / "disk-lower.json", first_line(::getpid()) + step("copy"));
  const Held target(dir / "target", first_line(::getpid()) + step("copy"));
  REQUIRE(::symlink("target", (dir / "disk-C.json").c_str()) == 0);
  tui::Follower follower(dir / "");
  follower.look();
  CHECK(follower.jobs().empty());
  const Held again(dir / "disk-B.json", first_line(::getpid()) + step("copy"));
  follower.look();
  CHECK(follower.jobs().size() == 1);
}

TEST_CASE("a drill is followed as jobs with disks are, and says which disk it reads", "[follow]") {
  const test::TempDir dir;
  const auto begins = [](const std::string& more) {
    return fmt::format("{{\"step\":\"restoring\",\"state\":\"begins\"{}}}\n", more);
  };
  const Held drill1(dir / "drill-web.json", first_line(::getpid()) + begins(""));
  const Held drill2(dir / "drill-db.json", first_line(::getpid()) + begins(",\"disk\":\"B\""));
  const Held drill3(dir / "drill-...json", first_line(::getpid()) + begins(""));
  const Held drill4(dir / "drill-x.json", first_line(::getpid()) + begins(",\"disk\":\"../B\""));
  tui::Follower follower(dir / "");
  follower.look();
  std::map<std::string, tui::Job> jobs;
  for (tui::Job& job : follower.jobs()) {
    CHECK(job.drill);
    CHECK(job.step == "restoring");
    jobs[job.server] = job;
  }
  REQUIRE(jobs.size() == 3);
  CHECK(jobs["web"].disk.empty());
  CHECK(jobs["db"].disk == "B");
  CHECK(jobs["x"].disk.empty());
}
