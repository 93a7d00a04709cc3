#include "store/retry.h"

#include <catch2/catch.hpp>

#include "base/error.h"
#include "store/rate_limit.h"
#include "support/quick_clock.h"

namespace rota::store {

using namespace std::chrono_literals;
using test::QuickClock;

TEST_CASE("pauses double up to the longest, each shortened by chance to half at most", "[store]") {
  QuickClock clock;
  Retry retry(clock, {});
  int attempts = 1;
  while (retry.again()) ++attempts;
  CHECK(attempts == 8);
  const auto pauses = clock.pauses();
  REQUIRE(pauses.size() == 7);
  auto most = 1000ms;
  for (const auto pause : pauses) {
    CHECK(pause >= most / 2);
    CHECK(pause <= most);
    most *= 2;
  }
  CHECK(most == 128'000ms);

  Retry long_one(clock, {}, {.attempts = 12});
  while (long_one.again()) CHECK(clock.pauses().back() <= 64'000ms);
  CHECK(clock.pauses().back() >= 32'000ms);
}

TEST_CASE("the server's own pause is kept whole, and the delay begins anew behind it", "[store]") {
  QuickClock clock;
  Retry retry(clock, {});
  REQUIRE(retry.again());
  REQUIRE(retry.again());
  REQUIRE(retry.again(30s));
  CHECK(clock.pauses().back() >= 30s);
  CHECK(clock.pauses().back() <= 31s);
  REQUIRE(retry.again());
  CHECK(clock.pauses().back() <= 1s);
  CHECK_FALSE(retry.again(3600s));
}

TEST_CASE("a stop ends the attempts", "[store]") {
  QuickClock clock;
  std::stop_source stop;
  Retry retry(clock, stop.get_token());
  REQUIRE(retry.again());
  stop.request_stop();
  CHECK_THROWS_AS(retry.again(), base::Error);
  CHECK_THROWS_AS(retry.again_at_once(), base::Error);
}

TEST_CASE("Retry-After is seconds or a date", "[store]") {
  const auto read = [](const std::string& text) {
    HttpResponse response;
    response.headers = {{"date", "Thu, 26 Nov 2026 20:09:10 GMT"}, {"retry-after", text}};
    return retry_after(response);
  };
  CHECK(read("0") == 0s);
  CHECK(read("120") == 120s);
  CHECK(read("Thu, 26 Nov 2026 20:10:00 GMT") == 50s);
  CHECK(read("Thu, 26 Nov 2026 20:00:00 GMT") == 0s);
  for (const std::string bad : {"", "-1", "1.5", "soon", "99999999999999999999"}) {
    INFO(bad);
    CHECK_FALSE(read(bad));
  }
  CHECK_FALSE(retry_after({}));
}

TEST_CASE("transfers that share a rate wait for each other", "[store]") {
  const RateLimit::Time start = RateLimit::Time() + 1h;
  RateLimit limit(1'000'000);
  CHECK(limit.take(250'000, start) == 0ms);  // a quarter of a second in advance
  CHECK(limit.take(500'000, start) == 500ms);
  CHECK(limit.take(500'000, start) == 1000ms);
  CHECK(limit.take(0, start + 2s) == 0ms);
  CHECK(limit.take(250'000, start + 10s) == 0ms);  // the pause was not saved up
  CHECK(limit.take(100'000, start + 10s) == 100ms);
  CHECK(limit.piece() == 100'000);
  RateLimit none(0);
  CHECK(none.take(UINT64_MAX, start) == 0ms);
}

}  // namespace rota::store
