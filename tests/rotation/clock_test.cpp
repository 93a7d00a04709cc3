#include "rotation/clock.h"

#include <catch2/catch.hpp>

#include "ledger/disk_samples.h"

using namespace rota;
using rotation::unexplained_silence;
using test::when;

namespace {

const base::Instant kNow = when("2026-11-24T03:00:00Z");
constexpr base::Span kMonthly{.months = 1};

std::string silence(std::vector<base::Instant> recorded, std::optional<base::Instant> believed,
                    const base::Span& interval = kMonthly, base::Instant now = kNow) {
  const auto found = unexplained_silence(std::move(recorded), believed, interval, now);
  if (!found) return "";
  return base::compact(found->from).substr(0, 8) + " " + base::compact(found->to).substr(0, 8);
}

}  // namespace

TEST_CASE("three intervals without a record can be explained, and 60 days at least", "[clock]") {
  CHECK(silence({}, std::nullopt).empty());
  CHECK(silence({when("2026-08-24T03:00:00Z")}, std::nullopt).empty());
  CHECK(silence({when("2026-08-24T02:59:59Z")}, std::nullopt) == "20260824 20261124");
  CHECK(silence({}, when("2026-08-24T02:59:59Z")) == "20260824 20261124");
  const base::Span daily{.days = 1};
  CHECK(silence({when("2026-09-25T03:00:00Z")}, std::nullopt, daily).empty());
  CHECK(silence({when("2026-09-25T02:59:59Z")}, std::nullopt, daily) == "20260925 20261124");
}

TEST_CASE("a night that the wrong clock recorded itself bears nothing out", "[clock]") {
  const auto ahead = when("2036-11-25T03:00:00Z");
  const std::vector<base::Instant> runs{when("2026-11-23T03:00:00Z"), when("2036-11-24T03:00:00Z")};
  CHECK(silence(runs, when("2026-10-24T03:00:00Z"), kMonthly, ahead) == "20261123 20361124");
  // What lies before a seal was judged then.
  CHECK(silence(runs, when("2036-11-24T04:00:00Z"), kMonthly, ahead).empty());
  // Fulls of old chains lie far apart.
  CHECK(
      silence({when("2025-01-01T03:00:00Z"), when("2026-11-01T03:00:00Z")}, std::nullopt).empty());
  // What is dated later than now says nothing of the time before.
  CHECK(silence({when("2026-11-23T03:00:00Z"), ahead}, when("2026-10-24T03:00:00Z")).empty());
}

TEST_CASE("what is known to be wrong is what was named, and the day behind it", "[clock]") {
  ledger::AlarmRow alarm;
  alarm.what = rotation::kClockTripwire;
  alarm.acknowledged = kNow;
  alarm.details = {rotation::detail_of(when("2036-11-24T03:00:00Z"), "run"),
                   "nothing was recorded after 20260101T000000Z"};
  const auto known = rotation::known_wrong(std::vector{alarm});
  REQUIRE(known.size() == 1);
  CHECK_FALSE(rotation::is_known_wrong(when("2036-11-24T02:59:59Z"), known));
  CHECK(rotation::is_known_wrong(when("2036-11-24T03:00:00Z"), known));
  CHECK(rotation::is_known_wrong(when("2036-11-25T03:00:00Z"), known));
  CHECK_FALSE(rotation::is_known_wrong(when("2036-11-25T03:00:01Z"), known));
  alarm.what = "noise";
  CHECK(rotation::known_wrong(std::vector{alarm}).empty());
}
