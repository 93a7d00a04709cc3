#include "job/rotation_status.h"

#include <catch2/catch.hpp>

using namespace rota;
using Names = std::vector<std::string>;

TEST_CASE("what rotation.toml says of a set decides its status", "[rotation status]") {
  const profile::Rotation rotation = profile::read_rotation(R"(
[set.yearly]
disks = ["A", "B"]
interval = "1Y"
profiles = ["web"]
transit = "9D"
max_age = "7Y"
keep = 4
replace_after = "5Y"

[set.monthly]
)",
                                                            "rotation.toml");
  const std::vector<rotation::SetPolicy> policies = job::set_policies(rotation);
  REQUIRE(policies.size() == 2);
  const rotation::SetPolicy& yearly = policies[0];
  CHECK(yearly.name == "yearly");
  CHECK(yearly.disks == Names{"A", "B"});
  CHECK(yearly.interval == base::Span{.years = 1});
  CHECK(yearly.servers == Names{"web"});
  CHECK(yearly.transit == base::Span{.days = 9});
  CHECK(yearly.max_age == base::Span{.years = 7});
  CHECK(yearly.keep == 4);
  CHECK(yearly.replace_after == base::Span{.years = 5});
  CHECK(policies[1].name == "monthly");
  CHECK(policies[1].disks.empty());
}
