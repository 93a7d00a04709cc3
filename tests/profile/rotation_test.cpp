#include "profile/rotation.h"

#include <catch2/catch.hpp>
#include <string>

#include "base/error.h"
#include "support/files.h"

using namespace rota;
using base::Error;
using base::ErrorKind;
using profile::DiskSet;
using profile::load_rotation;
using profile::read_rotation;
using profile::Rotation;

namespace {

std::string why(const std::string& text) {
  try {
    read_rotation(text, "r.toml");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::config);
    return error.what();
  }
  FAIL("nothing was thrown for: " << text);
  return "";
}

}  // namespace

TEST_CASE("every key of rotation.toml is read", "[rotation]") {
  const Rotation rotation = read_rotation(R"(
[set.monthly]
disks = ["A", "B"]
interval = "1M"
profiles = ["web", "mail"]
place = "bank"
transit = "5D"
max_age = "1Y"
keep = 6
replace_after = "3Y"
scrub_budget = "1h30m"
reserve = "5G"
key_file = "/etc/rota/keys/monthly.key"
allow_fixed = true

[set.weekly]
interval = "7D"

[disk.A]
profiles = ["web"]
)",
                                          "r.toml");
  CHECK(rotation.written);
  REQUIRE(rotation.sets.size() == 2);
  const DiskSet& set = rotation.sets[0];
  CHECK(set.name == "monthly");
  CHECK(set.disks == std::vector<std::string>{"A", "B"});
  CHECK(set.interval == base::Span{.months = 1});
  CHECK(set.profiles == std::vector<std::string>{"web", "mail"});
  CHECK(set.place == "bank");
  CHECK(set.transit == base::Span{.days = 5});
  CHECK(set.max_age == base::Span{.years = 1});
  CHECK(set.keep == 6);
  CHECK(set.replace_after == base::Span{.years = 3});
  CHECK(set.scrub_budget == 5400);
  CHECK(set.reserve == 5'000'000'000);
  CHECK(set.key_file == "/etc/rota/keys/monthly.key");
  CHECK(set.allow_fixed);
  CHECK(rotation.find("weekly") == &rotation.sets[1]);
  CHECK(rotation.find("daily") == nullptr);
}

TEST_CASE("a disk belongs to the set that names it, else to the one that takes all", "[rotation]") {
  const Rotation rotation = read_rotation(
      "[set.a]\ndisks = [\"A\"]\nprofiles = [\"web\", \"mail\"]\n[set.b]\n[disk.A]\nprofiles = "
      "[\"web\"]\n",
      "r.toml");
  CHECK(rotation.set_of("A")->name == "a");
  CHECK(rotation.set_of("X")->name == "b");
  CHECK(rotation.may_hold("A", "web"));
  CHECK_FALSE(rotation.may_hold("A", "mail"));  // limited
  CHECK(rotation.limit_of("A") == std::vector<std::string>{"web"});
  CHECK_FALSE(rotation.may_hold("A", "other"));
  CHECK(rotation.may_hold("X", "other"));
  CHECK_FALSE(rotation.limit_of("X"));
  const Rotation one = read_rotation("[set.a]\ndisks = [\"A\"]\n", "r.toml");
  CHECK(one.set_of("X") == nullptr);
  CHECK_FALSE(one.may_hold("X", "web"));
  CHECK(one.limit_of("X") == std::vector<std::string>());
}

TEST_CASE("without rotation.toml there is one monthly set with everything", "[rotation]") {
  const test::TempDir dir;
  profile::Places places;
  places.config = dir.path();
  Rotation rotation = load_rotation(places);
  CHECK_FALSE(rotation.written);
  REQUIRE(rotation.sets.size() == 1);
  CHECK(rotation.sets[0].name == "monthly");
  CHECK(rotation.may_hold("any", "web"));
  CHECK(rotation.sets[0].interval == base::Span{.months = 1});

  test::write(dir / "rotation.toml", "[set.x]\nkeep = 0\n\n[set.y]\nkeep = -1\n");
  CHECK_THROWS_WITH(load_rotation(places), Catch::Contains(dir / "rotation.toml:5: keep is -1"));
  test::write(dir / "rotation.toml", "# nothing yet\n");
  rotation = load_rotation(places);
  CHECK(rotation.written);
  CHECK(rotation.sets.size() == 1);
}

TEST_CASE("drills are asked for every three months unless something else is said", "[rotation]") {
  CHECK(profile::default_rotation().drill_every == base::Span{.months = 3});
  CHECK(read_rotation("[set.a]", "r.toml").drill_every == base::Span{.months = 3});
  CHECK(read_rotation("[drill]", "r.toml").drill_every == base::Span{.months = 3});
  CHECK(read_rotation("[drill]\nevery = \"6M\"", "r.toml").drill_every == base::Span{.months = 6});
  CHECK(read_rotation("[drill]\nevery = \"0\"", "r.toml").drill_every == base::Span{});
  CHECK_THAT(why("[drill]\nevery = 0"), Catch::Contains("r.toml:2: every"));
  CHECK_THAT(why("[drill]\nevery = \"0D\""), Catch::Contains("longer than nothing"));
  CHECK_THAT(why("[drill]\nsometimes = \"6M\""), Catch::Contains("unknown key \"sometimes\""));
  CHECK_THAT(why("drill = \"6M\""), Catch::Contains("drill must be a table"));
}

TEST_CASE("what is wrong is named with its line and what to write", "[rotation]") {
  CHECK_THAT(why("[set.a]\ninterval = \"month\"\n"),
             Catch::StartsWith("r.toml:2: interval is \"month\", which is no span of time"));
  CHECK_THAT(why("[set.a]\nintervall = \"1M\"\n"),
             Catch::StartsWith("r.toml:2: unknown key \"intervall\"; did you mean \"interval\"?"));
  CHECK_THAT(why("interval = \"1M\"\n"), Catch::StartsWith("r.toml:1: unknown key \"interval\"; "
                                                           "everything stands in tables"));
  CHECK_THAT(why("[set]\nmonthly = 1\n"), Catch::StartsWith("r.toml:2: monthly must be a table"));
  CHECK_THAT(why("set = 1\n"), Catch::StartsWith("r.toml:1: set must be a table"));
  CHECK_THAT(why("[set.\"a/b\"]\n"), Catch::StartsWith("r.toml:1: \"a/b\" cannot name a set"));
  CHECK_THAT(why("[disk.ABCDEFGH]\nprofiles=[\"w\"]\n"), Catch::Contains("cannot name a disk"));
  CHECK_THAT(why("[set.a]\ndisks = [\"ROTA-AA1\"]\n"), Catch::Contains("without the \"ROTA-\""));
  CHECK_THAT(why("[set.a]\ndisks = [\"A\", \"A\"]\n"), Catch::Contains("\"A\" twice"));
  CHECK_THAT(why("[set.a]\ndisks = [\"A\"]\n[set.b]\ndisks = [\"A\"]\n"),
             Catch::Contains("the disk A stands in the sets a and b"));
  CHECK_THAT(why("[set.a]\n[set.b]\n"), Catch::Contains("a and b both name no disks"));
  CHECK_THAT(why("[set.a]\nscrub_budget = \"1D\"\n"), Catch::Contains("hours, minutes"));
  CHECK_THAT(why("[set.a]\nreserve = \"lots\"\n"), Catch::Contains("write for example \"500M\""));
  CHECK_THAT(why("[set.a]\nplace = \"a\\u0007\"\n"), Catch::Contains("printable"));
  CHECK_THAT(why("[set.a]\nprofiles = [\"../x\"]\n"), Catch::Contains("cannot name a profile"));
  CHECK_THAT(why("[disk.A]\nprofiles = []\n"), Catch::Contains("is empty"));
  CHECK_THAT(why("[disk.A]\nprofile = [\"a\"]\n"), Catch::Contains("did you mean \"profiles\"?"));
  CHECK_THAT(why("[set.a\n"), Catch::StartsWith("r.toml:1: this is not valid TOML"));
}
