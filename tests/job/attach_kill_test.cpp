// A job on a disk that is killed before each of its system calls that change a file, on the disk or
// in the ledger: earlier copies stay whole, and the next plug-in seals.

#include <catch2/catch.hpp>
#include <cstdlib>

#include "job/station.h"
#include "support/killer.h"
#include "support/skip.h"

namespace rota::test {

namespace {

/// Each takes half a second: a few in every run, all with `./dev test-long`.
std::uint64_t step() { return std::getenv("ROTA_TEST_LONG") != nullptr ? 1 : 23; }

}  // namespace

TEST_CASE("a disk job that is killed at any system call that changes a file is gone on with",
          "[attach][kill]") {
  if (!can_trace()) return skip("processes may not be traced here");
  if (const auto why = LoopDisk::missing()) return skip(*why);
  Station station;
  std::uint64_t calls = 0;
  for (std::uint64_t n = 1;; n += step()) {
    INFO("killed before call " << n);
    station.restore();
    const bool killed = kill_at(n, [&] { station.attach(); });
    if (!killed) {
      station.check(2);
      calls = n - 1;
      break;
    }
    station.clock.sleep(std::chrono::hours(1), {});
    const job::AttachReport report = station.attach();
    CHECK(report.all_sealed());
    // The second copy may have been sealed before it was killed: then this was the third.
    const std::size_t copies = report.copies.front().summary.record.changed == 0 ? 3 : 2;
    station.check(copies);
  }
  CHECK(calls >= 100);
}

}  // namespace rota::test
