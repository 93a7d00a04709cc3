#include "status/read_facts.h"

#include <unistd.h>

#include <catch2/catch.hpp>

#include "base/kind_of.h"
#include "ledger/disk_samples.h"
#include "ledger/disks.h"
#include "status/ports.h"
#include "support/fake_device_probe.h"
#include "support/files.h"

using namespace rota;
using Names = std::vector<std::string>;

TEST_CASE("what rotation.toml says of a set decides its status", "[status]") {
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
  const std::vector<rotation::SetPolicy> policies = status::set_policies(rotation);
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

namespace {

/// Profiles "bad", which cannot be used, and "web"; an alarm that is open and one that is over.
struct Machine {
  test::TempDir dir;
  profile::Places places{dir / "config", dir / "state", dir / "cache", dir / "run"};
  ledger::Ledger ledger{places.ledger()};

  Machine() {
    test::write(places.config + "/web/profile.toml",
                "source = \"/srv\"\ntarget = \"file:///store\"\nmax_full_age = \"9D\"\n");
    test::write(places.config + "/bad/profile.toml", "sauce = \"/srv\"\n");
    test::write(places.config + "/rotation.toml", "[set.all]\n[drill]\nevery = \"3M\"\n");
    ledger::Disks disks(ledger);
    const base::Instant now = test::when("2026-01-01T12:00:00Z");
    disks.add(test::some_disk("A"), now);
    ledger::AlarmRow alarm;
    alarm.disk = "A";
    alarm.kind = "clone";
    alarm.message = "there are two of it";
    alarm.opened = now;
    disks.close_alarm(disks.open_alarm(alarm), now);
    alarm.message = "there are three of it";
    disks.open_alarm(alarm);
  }
};

}  // namespace

TEST_CASE("facts are those of all profiles, and the one that cannot be used is named", "[status]") {
  Machine machine;
  const rotation::Facts facts = status::read_facts(machine.places, machine.ledger);
  CHECK(facts.servers == Names{"bad", "web"});
  REQUIRE(facts.profiles.size() == 1);
  CHECK(facts.profiles[0].profile == "web");
  CHECK(facts.profiles[0].policy.max_full_age == base::Span{.days = 9});
  REQUIRE(facts.unusable.size() == 1);
  CHECK(facts.unusable[0].profile == "bad");
  CHECK_THAT(facts.unusable[0].problem, Catch::Contains("sauce"));
  CHECK(facts.told.empty());
  CHECK(facts.written);
  REQUIRE(facts.sets.size() == 1);
  CHECK(facts.drill_every == base::Span{.months = 3});
  REQUIRE(facts.disks.size() == 1);
  REQUIRE(facts.alarms.size() == 1);
  CHECK(facts.alarms[0].message == "there are three of it");
  CHECK_FALSE(facts.connected);
}

TEST_CASE("facts of some profiles know the names of the others", "[status]") {
  Machine machine;
  const Names web{"web"};
  const rotation::Facts facts = status::read_facts(machine.places, machine.ledger, web);
  CHECK(facts.servers == Names{"bad", "web"});
  CHECK(facts.told == web);
  CHECK(facts.profiles.size() == 1);
  CHECK(facts.unusable.empty());
  const Names none{"none"};
  CHECK(test::kind_of([&] { status::read_facts(machine.places, machine.ledger, none); }) ==
        base::ErrorKind::config);
}

TEST_CASE("a profile that whoever knows stores and keys refuses cannot be used", "[status]") {
  Machine machine;
  const auto refuse = [](const profile::Profile& profile) {
    throw base::Error(base::ErrorKind::not_found, "no key for " + profile.name);
  };
  const rotation::Facts facts = status::read_facts(machine.places, machine.ledger, {}, refuse);
  CHECK(facts.profiles.empty());
  REQUIRE(facts.unusable.size() == 2);
  CHECK(facts.unusable[1].profile == "web");
  CHECK(facts.unusable[1].problem == "no key for web");
}

TEST_CASE("that this machine wrote runs is known without the ledger", "[status]") {
  Machine machine;
  CHECK_FALSE(status::read_facts(machine.places, machine.ledger).profiles[0].wrote);
  test::write(machine.places.state + "/web/last", "{}");
  CHECK(status::read_facts(machine.places, machine.ledger).profiles[0].wrote);
}

TEST_CASE("a disk is at a port when its filesystem or its container is", "[status]") {
  const std::vector<ledger::DiskRow> disks{test::some_disk("A"), test::some_disk("B"),
                                           test::some_disk("C"), test::some_disk("D")};
  test::FakeDeviceProbe probe;
  probe.list.resize(4);
  probe.list[0].uuid = "uuid-B";
  probe.list[1].uuid = "luks-C";
  probe.list[2].uuid = "uuid-C";
  const auto names = status::connected(disks, probe);
  if (::geteuid() != 0) {
    CHECK_FALSE(names);
  } else {
    CHECK(names == Names{"B", "C"});
  }
  std::vector<ledger::DiskRow> bare{ledger::DiskRow{}};  // the fourth device has no UUID either
  if (::geteuid() == 0) CHECK(status::connected(bare, probe)->empty());
}
