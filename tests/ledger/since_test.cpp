#include <catch2/catch.hpp>

#include "ledger/disk_samples.h"
#include "support/files.h"

using namespace rota;
using ledger::Observed;
using test::when;

TEST_CASE("what was said and seen since a time comes with the last of each disk before",
          "[disks]") {
  const test::TempDir dir;
  ledger::Ledger ledger(dir / "ledger.db");
  ledger::Disks disks(ledger);
  for (const char* name : {"A", "B"})
    disks.add(test::some_disk(name), when("2026-01-01T12:00:00Z"));
  disks.observe(test::seen("A", Observed::enrolled, "2026-01-01T12:00:00Z"));
  disks.observe(test::seen("A", Observed::connected, "2026-02-01T12:00:00Z"));
  disks.observe(test::seen("B", Observed::away, "2026-02-02T12:00:00Z"));
  disks.observe(test::seen("A", Observed::away, "2026-04-01T12:00:00Z"));
  const auto rows = disks.observations_since(when("2026-03-01T00:00:00Z"));
  REQUIRE(rows.size() == 3);
  CHECK(rows[0].time == when("2026-02-01T12:00:00Z"));
  CHECK(rows[1].disk == "B");
  CHECK(rows[2].time == when("2026-04-01T12:00:00Z"));
  disks.claim(test::claimed("B", ledger::Claimed::on_site, "2026-03-05T12:00:00Z"),
              when("2026-03-05T12:00:00Z"));
  CHECK(disks.claims_since(when("2026-03-01T00:00:00Z")).size() == 1);
  CHECK(disks.claims_since(when("2026-04-01T00:00:00Z")).size() == 1);
}
