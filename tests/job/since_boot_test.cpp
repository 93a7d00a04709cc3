#include "job/since_boot.h"

#include <catch2/catch.hpp>

#include "base/error.h"

using namespace rota;

namespace {

/// systemctl as a test wants it.
class FakeSystemctl final : public base::ProcessRunner {
 public:
  explicit FakeSystemctl(std::string answer) : answer_(std::move(answer)) {}
  base::ProcessResult run(const base::Command& command) override {
    CHECK(command.argv == std::vector<std::string>{"systemctl", "is-system-running"});
    CHECK(command.limit.count() > 0);
    if (answer_.empty()) throw base::Error(base::ErrorKind::io, "no systemctl");
    return {answer_ == "running\n" ? 0 : 1, answer_};
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

}  // namespace

TEST_CASE("while the machine is being started, a disk was there before", "[since boot]") {
  CHECK(since_boot("starting\n"));
  CHECK(since_boot("initializing\n"));
  CHECK_FALSE(since_boot("running\n"));
  CHECK_FALSE(since_boot("degraded\n"));
  CHECK_FALSE(since_boot("offline\n"));
  CHECK_FALSE(since_boot(""));
}
