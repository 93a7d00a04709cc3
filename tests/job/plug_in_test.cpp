#include "job/plug_in.h"

#include <catch2/catch.hpp>

#include "base/error.h"

using namespace rota;

namespace {

/// systemctl as a test wants it.
class FakeSystemctl final : public base::ProcessRunner {
 public:
  explicit FakeSystemctl(std::string answer) : answer_(std::move(answer)) {}
  base::ProcessResult run(const base::Command& command) override {
    CHECK(command.argv == std::vector<std::string>{
                              "systemctl", "show",
                              "--property=UserspaceTimestampMonotonic,FinishTimestampMonotonic"});
    CHECK(command.limit.count() > 0);
    if (answer_.empty()) throw base::Error(base::ErrorKind::io, "no systemctl");
    return {answer_.starts_with("User") ? 0 : 1, answer_};
  }

 private:
  std::string answer_;
};

bool since_boot(const std::string& answer) {
  FakeSystemctl systemctl(answer);
  udev::BlockDevice device;
  device.node = "/dev/null";  // udevd knows nothing of it
  return job::is_there_since_boot(device, systemctl);
}

/// As systemctl prints them. finished: "0" while it is not.
std::string times(const std::string& finished) {
  return "UserspaceTimestampMonotonic=5000000\nFinishTimestampMonotonic=" + finished + "\n";
}

}  // namespace

TEST_CASE("a disk of which nobody knows when it came was plugged in", "[plug in]") {
  CHECK_FALSE(since_boot(times("0")));
  CHECK_FALSE(since_boot(times("22333444")));
  CHECK_FALSE(since_boot("System has not been booted with systemd"));
  CHECK_FALSE(since_boot("UserspaceTimestampMonotonic=\n"));
  CHECK_FALSE(since_boot(""));
}

TEST_CASE("a disk whose driver comes late at boot was there before", "[plug in]") {
  const std::string up = times("22000000");
  CHECK(job::was_seen_at_boot(up, "3000000"));
  CHECK(job::was_seen_at_boot(up, "41999999"));
  CHECK_FALSE(job::was_seen_at_boot(up, "42000000"));
  CHECK_FALSE(job::was_seen_at_boot(up, ""));
  CHECK_FALSE(job::was_seen_at_boot(up, "soon"));
  CHECK(job::was_seen_at_boot("FinishTimestampMonotonic=22000000\nUserspaceTimestampMonotonic=1\n",
                              "3000000"));
  CHECK_FALSE(job::was_seen_at_boot("FinishTimestampMonotonic=22000000\n", "3000000"));
}

TEST_CASE("a service that is being started for an hour does not make disks wait", "[plug in]") {
  // Userspace began at 5 s: two minutes and what may come late.
  CHECK(job::was_seen_at_boot(times("0"), "3000000"));
  CHECK(job::was_seen_at_boot(times("0"), "144999999"));
  CHECK_FALSE(job::was_seen_at_boot(times("0"), "145000000"));
  // It is finished now, and the disk came long before.
  CHECK_FALSE(job::was_seen_at_boot(times("3600000000"), "1800000000"));
}
