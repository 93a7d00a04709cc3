#include "chain/names.h"

#include <catch2/catch.hpp>

#include "store/store.h"

namespace rota::chain {

namespace {
const std::string kFull = "20260104T030000Z-7f3a9c";
const std::string kIncrement = "20260105T030000Z-00ab12";
}  // namespace

TEST_CASE("a run's name is its second and a random suffix", "[chain][names]") {
  const base::Instant time = *base::parse_compact("20260104T030000Z");
  const std::string name = new_run_name(time);
  CHECK(name.starts_with("20260104T030000Z-"));
  CHECK(run_time(name) == time);
  CHECK(new_run_name(time) != name);
  CHECK(store::is_name(name));
}

TEST_CASE("only run names have a time", "[chain][names]") {
  CHECK(run_time(kFull) == base::parse_compact("20260104T030000Z"));
  for (const std::string bad :
       {"", "20260104T030000Z", "20260104T030000Z-", "20260104T030000Z-7f3a9", "now",
        "20260104T030000Z-7f3a9c0", "20260104T030000Z-7F3A9C", "20260104T030000Z-7f3a9g",
        "20260104T030000Z_7f3a9c", "20261304T030000Z-7f3a9c", "20260230T030000Z-7f3a9c",
        "20260104T250000Z-7f3a9c", "20260104t030000z-7f3a9c", " 20260104T030000Z-7f3a9"}) {
    CAPTURE(bad);
    CHECK_FALSE(run_time(bad));
  }
}

TEST_CASE("a record's name says its chain, run and kind", "[chain][names]") {
  const std::string full = record_name(kFull, kFull, RunKind::full);
  const std::string increment = record_name(kFull, kIncrement, RunKind::increment);
  CHECK(full == "runs/" + kFull + "/" + kFull + ".full");
  CHECK(increment == "runs/" + kFull + "/" + kIncrement + ".incr");
  const auto id = parse_record_name(full);
  REQUIRE(id);
  CHECK(id->chain == kFull);
  CHECK(id->run == kFull);
  CHECK(id->kind == RunKind::full);
  const auto second = parse_record_name(increment);
  REQUIRE(second);
  CHECK(second->chain == kFull);
  CHECK(second->run == kIncrement);
  CHECK(second->kind == RunKind::increment);
}

TEST_CASE("other names are no records", "[chain][names]") {
  for (const std::string& bad :
       {std::string(), std::string("runs/"), "runs/" + kFull, "runs/" + kFull + "/",
        "runs/" + kFull + "/" + kFull, "runs/" + kFull + "/" + kFull + ".fulls",
        "runs/" + kFull + "/" + kIncrement + ".full",  // a full is its chain's first run
        "runs/" + kFull + "/" + kFull + ".incr", "runs/" + kFull + "/.full",
        "runs/x/" + kFull + ".full", "data/" + kFull + "/" + kFull + ".full",
        "/runs/" + kFull + "/" + kFull + ".full", "runs/" + kFull + "/a/" + kFull + ".full",
        "runs//" + kFull + ".full", "runs/" + kFull + "/" + kFull + ".full.incr"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_record_name(bad));
  }
}

TEST_CASE("names of objects sort by number and fit every store", "[chain][names]") {
  CHECK(volume_name(kFull, kIncrement, 0) == "data/" + kFull + "/" + kIncrement + "/v000000");
  CHECK(index_name(kFull, kIncrement, 12) == "data/" + kFull + "/" + kIncrement + "/i000012");
  CHECK(volume_name(kFull, kFull, 9) < volume_name(kFull, kFull, 10));
  for (const std::uint32_t number : {0U, 999'999U, 4'294'967'295U}) {
    CHECK(store::is_name(volume_name(kFull, kIncrement, number)));
    CHECK(volume_name(kFull, kIncrement, number).starts_with(data_prefix(kFull, kIncrement)));
  }
  CHECK(store::is_name(record_name(kFull, kIncrement, RunKind::increment)));
  CHECK(kind_word(RunKind::full) == "full");
  CHECK(kind_word(RunKind::increment) == "increment");
}

}  // namespace rota::chain
