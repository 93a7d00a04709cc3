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
    CHECK(command.argv ==
          std::vector<std::string>{"systemctl", "show", "--property=FinishTimestampMonotonic"});
    CHECK(command.limit.count() > 0);
    if (answer_.empty()) throw base::Error(base::ErrorKind::io, "no systemctl");
    return {answer_.starts_with("Finish") ? 0 : 1, answer_};
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

TEST_CASE("while the machine is being started, a disk was there before", "[plug in]") {
  CHECK(since_boot("FinishTimestampMonotonic=0\n"));
  CHECK_FALSE(since_boot("FinishTimestampMonotonic=22333444\n"));  // nobody knows the device
  CHECK_FALSE(since_boot("System has not been booted with systemd"));
  CHECK_FALSE(since_boot("FinishTimestampMonotonic=\n"));
  CHECK_FALSE(since_boot(""));
}

TEST_CASE("a disk whose driver comes late at boot was there before", "[plug in]") {
  const std::string up = "FinishTimestampMonotonic=22000000\n";
  CHECK(job::was_seen_at_boot(up, "3000000"));
  CHECK(job::was_seen_at_boot(up, "41999999"));
  CHECK_FALSE(job::was_seen_at_boot(up, "42000000"));
  CHECK_FALSE(job::was_seen_at_boot(up, ""));
  CHECK_FALSE(job::was_seen_at_boot(up, "soon"));
  CHECK(job::was_seen_at_boot("FinishTimestampMonotonic=0\n", "900000000"));
}
