#include "rotation/swaps.h"

#include <catch2/catch.hpp>

#include "rotation/disks.h"

using namespace rota;
using namespace rota::test;

namespace {

std::string listed(const std::vector<rotation::Swap>& swaps) {
  std::string text;
  for (const rotation::Swap& swap : swaps) {
    text += fmt::format("{}{} {}\n", swap.overdue ? "late " : "", swap.disk,
                        base::local(swap.due).substr(0, 10));
  }
  return text;
}

}  // namespace

TEST_CASE("two disks take turns in the calendar, as status says", "[swaps]") {
  Station station;
  station.disks = {away("A", "20260524T030000Z", "2026-05-25T12:00:00Z"),
                   away("B", "20260424T030000Z", "2026-04-25T12:00:00Z")};
  const auto status = station.at("2026-06-01T12:00:00Z");
  const auto swaps =
      rotation::coming_swaps(status, when("2026-06-01T12:00:00Z"), when("2026-12-01T00:00:00Z"));
  CHECK(listed(swaps) ==
        "B 2026-06-24\nA 2026-07-24\nB 2026-08-24\nA 2026-09-24\nB 2026-10-24\nA 2026-11-24\n");
  for (std::size_t i = 0; i < swaps.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) CHECK(swaps[i].key != swaps[k].key);
  }
}

TEST_CASE("a swap that is late keeps its key, and a kept one gets a new one", "[swaps]") {
  Station station;
  station.disks = {away("A", "20260524T030000Z", "2026-05-25T12:00:00Z"),
                   away("B", "20260424T030000Z", "2026-04-25T12:00:00Z")};
  const auto first = [&](const char* now) {
    return rotation::coming_swaps(station.at(now), when(now), when("2026-12-01T00:00:00Z")).front();
  };
  const rotation::Swap early = first("2026-06-01T12:00:00Z");
  const rotation::Swap late = first("2026-06-30T12:00:00Z");
  CHECK_FALSE(early.overdue);
  CHECK(late.overdue);
  CHECK(early.key == late.key);
  station.sets[0].interval = base::Span{.days = 40};
  const rotation::Swap moved = first("2026-06-01T12:00:00Z");
  CHECK(moved.due != early.due);
  CHECK(moved.key == early.key);
  station.sets[0].interval = base::Span{.months = 1};
  station.disks[1] = away("B", "20260630T030000Z", "2026-07-01T12:00:00Z");
  CHECK(first("2026-07-02T12:00:00Z").disk == "A");
  for (const auto& swap :
       rotation::coming_swaps(station.at("2026-07-02T12:00:00Z"), when("2026-07-02T12:00:00Z"),
                              when("2027-12-01T00:00:00Z"))) {
    CHECK(swap.key != early.key);
  }
}

TEST_CASE("a rotation that was missed for long makes one swap overdue, no more", "[swaps]") {
  Station station;
  station.sets[0].interval = base::Span{.days = 1};
  station.disks = {away("A", "20260524T030000Z", "2026-05-25T12:00:00Z"),
                   away("B", "20260424T030000Z", "2026-04-25T12:00:00Z")};
  const char* now = "2026-12-01T12:00:00Z";
  CHECK(listed(rotation::coming_swaps(station.at(now), when(now), when("2026-12-06T00:00:00Z"))) ==
        "late B 2026-05-25\nA 2026-12-02\nB 2026-12-03\nA 2026-12-04\nB 2026-12-05\n");
}
