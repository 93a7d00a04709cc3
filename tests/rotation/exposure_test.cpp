#include <catch2/catch.hpp>
#include <cstdlib>
#include <string>

#include "rotation/status.h"

using namespace rota;
using namespace std::chrono_literals;
using base::Instant;
using rotation::OffsiteCopy;

namespace {

/// 2026-01-10 12:00 UTC.
constexpr Instant kNow{std::chrono::sys_days{std::chrono::year{2026} / 1 / 10} + 12h};

const bool kUtc = [] {
  ::setenv("TZ", "UTC", 1);
  ::tzset();
  return true;
}();

OffsiteCopy copy(const std::string& disk, std::chrono::hours age, bool verified, bool offsite) {
  return {.disk = disk, .snapshot_time = kNow - age, .verified = verified, .offsite = offsite};
}

const std::string kNothing =
    "If everything online vanished now, there would be nothing to go back to: ";

}  // namespace

TEST_CASE("without any copy there is nothing to go back to", "[rotation]") {
  const auto result = rotation::compute({}, {}, kNow).exposure;
  CHECK_FALSE(result.any_offsite_copy);
  CHECK_FALSE(result.falls_back_to);
  CHECK_FALSE(result.age);
  CHECK(result.sentence == kNothing + "no rotation disk holds a copy yet.");
}

TEST_CASE("the newest copy that is verified and off site decides", "[rotation]") {
  REQUIRE(kUtc);
  const std::vector copies{copy("ROTA-A", 50 * 24h, true, true),
                           copy("ROTA-B", 20 * 24h, true, true),
                           copy("ROTA-C", 30 * 24h, true, true),
                           copy("ROTA-A", 10 * 24h, false, true), copy("ROTA-D", 1h, true, false)};
  const auto result = rotation::exposure(copies, kNow);
  CHECK(result.any_offsite_copy);
  CHECK(result.falls_back_to == kNow - 20 * 24h);
  CHECK(result.age == std::chrono::seconds(20 * 24h));
  CHECK(result.disk == "ROTA-B");
  CHECK(result.sentence ==
        "If everything online vanished now, you would go back to 2025-12-21 12:00 (" +
            base::relative(kNow - 20 * 24h, kNow) + "), the copy on ROTA-B.");
}

TEST_CASE("a copy that does not count is told with what it lacks", "[rotation]") {
  const auto sentence = [](std::vector<OffsiteCopy> copies) {
    const auto result = rotation::exposure(copies, kNow);
    CHECK_FALSE(result.any_offsite_copy);
    CHECK_FALSE(result.falls_back_to);
    CHECK(result.disk.empty());
    return result.sentence;
  };
  CHECK(sentence({copy("ROTA-B", 12h, true, false)}) ==
        kNothing +
            "the copy of 2026-01-10 00:00 on ROTA-B is not off site yet; unplug the disk and take "
            "it off site.");
  CHECK(sentence({copy("ROTA-B", 12h, false, true)}) ==
        kNothing +
            "the copy of 2026-01-10 00:00 on ROTA-B was never verified; bring the disk back and "
            "plug it in.");
  CHECK(sentence({copy("ROTA-B", 12h, false, false)}) ==
        kNothing +
            "the copy of 2026-01-10 00:00 on ROTA-B is not verified and not off site; leave the "
            "disk plugged in until it is verified, then take it off site.");
  // The verified one lacks least, though it is older.
  CHECK_THAT(sentence({copy("ROTA-A", 1h, false, true), copy("ROTA-B", 12h, true, false)}),
             Catch::Contains("on ROTA-B is not off site yet"));
}

TEST_CASE("a copy from the future has no negative age and blames the clock", "[rotation]") {
  const std::vector copies{copy("ROTA-A", -48h, true, true)};
  const auto result = rotation::exposure(copies, kNow);
  CHECK(result.falls_back_to == kNow + 48h);
  CHECK(result.age == 0s);
  CHECK_THAT(result.sentence, Catch::Contains("2026-01-12 12:00") && Catch::Contains("clock"));
}
