#include "rotation/timeline.h"

#include <catch2/catch.hpp>

#include "rotation/disks.h"

using namespace rota;
using ledger::Claimed;
using ledger::Observed;
using rotation::Phase;
using rotation::Stretch;
using test::claimed;
using test::seen;
using test::when;

namespace {

std::vector<Stretch> line(const std::vector<ledger::ClaimRow>& claims,
                          const std::vector<ledger::ObservationRow>& observations,
                          const std::string& from = "2026-01-01T00:00:00Z") {
  ledger::DiskState state;
  state.disk = test::some_disk("A");
  return rotation::timeline(state, claims, observations, when(from), when("2026-12-01T00:00:00Z"));
}

Stretch part(const std::string& from, const std::string& to, Phase phase) {
  return {when(from), when(to), phase};
}

}  // namespace

TEST_CASE("a disk's year is told from what was seen and said", "[timeline]") {
  const auto told = line({claimed("A", Claimed::in_transit_out, "2026-03-01T09:00:00Z"),
                          claimed("A", Claimed::off_site, "2026-03-01T10:00:00Z"),
                          claimed("B", Claimed::on_site, "2026-04-01T10:00:00Z")},
                         {seen("A", Observed::enrolled, "2026-02-01T00:00:00Z"),
                          seen("A", Observed::connected, "2026-02-10T00:00:00Z"),
                          seen("A", Observed::copying, "2026-02-10T01:00:00Z"),
                          seen("A", Observed::safe_to_remove, "2026-02-10T05:00:00Z"),
                          seen("A", Observed::away, "2026-02-10T06:00:00Z")});
  CHECK(told == std::vector<Stretch>{
                    part("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z", Phase::unknown),
                    part("2026-02-01T00:00:00Z", "2026-02-10T00:00:00Z", Phase::on_site),
                    part("2026-02-10T00:00:00Z", "2026-02-10T06:00:00Z", Phase::copying),
                    part("2026-02-10T06:00:00Z", "2026-03-01T09:00:00Z", Phase::on_site),
                    part("2026-03-01T09:00:00Z", "2026-03-01T10:00:00Z", Phase::travelling),
                    part("2026-03-01T10:00:00Z", "2026-12-01T00:00:00Z", Phase::off_site)});
}

TEST_CASE("a disk that stays at a port for longer than a day is exposed", "[timeline]") {
  const auto told = line({},
                         {seen("A", Observed::safe_to_remove, "2026-02-10T00:00:00Z"),
                          seen("A", Observed::away, "2026-02-20T00:00:00Z")},
                         "2026-02-10T00:00:00Z");
  CHECK(told[0] == part("2026-02-10T00:00:00Z", "2026-02-11T00:00:00Z", Phase::copying));
  CHECK(told[1] == part("2026-02-11T00:00:00Z", "2026-02-20T00:00:00Z", Phase::exposed));
}

TEST_CASE("that a disk is gone from its port does not undo where somebody took it", "[timeline]") {
  const auto told = line({claimed("A", Claimed::off_site, "2026-03-01T10:00:00Z")},
                         {seen("A", Observed::safe_to_remove, "2026-03-01T09:00:00Z"),
                          seen("A", Observed::away, "2026-03-05T09:00:00Z")});
  CHECK(told.back() == part("2026-03-01T10:00:00Z", "2026-12-01T00:00:00Z", Phase::off_site));
}

TEST_CASE("what was so before the year began holds at its beginning", "[timeline]") {
  const auto told = line({claimed("A", Claimed::off_site, "2025-03-01T10:00:00Z")}, {});
  CHECK(told == std::vector<Stretch>{
                    part("2026-01-01T00:00:00Z", "2026-12-01T00:00:00Z", Phase::off_site)});
}

TEST_CASE("a lost disk is gone since then", "[timeline]") {
  ledger::DiskState state;
  state.disk = test::some_disk("A");
  state.disk.end = ledger::DiskEnd::lost;
  state.disk.end_time = when("2026-05-01T00:00:00Z");
  const std::vector<ledger::ObservationRow> rows{
      seen("A", Observed::enrolled, "2026-02-01T00:00:00Z")};
  const auto told = rotation::timeline(state, {}, rows, when("2026-02-01T00:00:00Z"),
                                       when("2026-12-01T00:00:00Z"));
  CHECK(told.back() == part("2026-05-01T00:00:00Z", "2026-12-01T00:00:00Z", Phase::gone));
}
