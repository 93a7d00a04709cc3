// What waits for a person: nothing old goes for it, and a person's word is good for what was looked
// at.

#include <catch2/catch.hpp>
#include <random>

#include "base/error.h"
#include "job/disk_room.h"
#include "job/station.h"
#include "support/skip.h"

namespace rota::test {

namespace {

using End = job::ServerCopy::End;
using Strings = std::vector<std::string>;

std::string noise(std::size_t size) {
  static std::mt19937 random(7);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

std::string text(int number) {
  std::string lines;
  for (int i = 0; lines.size() < 8'000; ++i) {
    lines += "line " + std::to_string(number) + " " + std::to_string(i) + "\n";
  }
  return lines;
}

constexpr int kFiles = 40;

/// A station whose disk has three copies and no room for a fourth, which a large file asks for.
struct FullStation : Station {
  explicit FullStation(bool grows = true) {
    restore();
    for (int i = 0; i < kFiles; ++i) write(i, text(i));
    for (int turn = 0; turn < 2; ++turn) {
      grow();
      next_day();
      REQUIRE(attach().all_sealed());
    }
    accept();
    if (grows) grow();
    next_day();
    REQUIRE(copies().size() == 3);
  }
  void grow() { write(kFiles, noise(17 << 20)); }
  void next_day() { clock.sleep(std::chrono::hours(24), {}); }
  Strings held_kinds() {
    Strings kinds;
    for (const ledger::AlarmRow& alarm : alarms()) {
      if (alarm.kind == job::kTripwire) kinds.push_back(alarm.what);
    }
    return kinds;
  }
};

/// A second server beside `web`.
void add_profile(Station& station, const std::string& name, const std::string& source) {
  std::filesystem::create_directories(source);
  for (int i = 0; i < 30; ++i) base::write_file(source + "/f" + std::to_string(i), "same");
  std::filesystem::create_directories(station.places().config + "/" + name);
  base::write_file(station.places().config + "/" + name + "/profile.toml",
                   "source = \"" + source + "\"\ntarget = \"file://" + source + ".store\"\n");
}

}  // namespace

TEST_CASE("room is made for an ordinary copy, also when every file was touched", "[held]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  FullStation station;
  if (GENERATE(false, true)) {
    for (int i = 0; i < kFiles; ++i) {
      std::filesystem::permissions(station.source() + "/file" + std::to_string(i),
                                   std::filesystem::perms::owner_read);
    }
  }
  const job::AttachReport report = station.attach();
  CHECK(report.all_sealed());
  CHECK_FALSE(report.pruned.empty());
  CHECK(station.held_kinds().empty());
}

TEST_CASE("no older copy makes room for files that were encrypted in their places", "[held]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  FullStation station;
  const Strings before = station.copies();
  for (int i = 0; i < kFiles; ++i) station.write(i, noise(text(i).size()));
  const job::AttachReport report = station.attach();
  CHECK(report.any(End::held));
  CHECK_FALSE(report.copies.front().is_written());
  CHECK(report.pruned.empty());
  CHECK(station.copies() == before);
  CHECK(station.state() == ledger::Observed::suspect);
  CHECK_THAT(report.held(), Catch::Contains("no room for it beside the older ones") &&
                                Catch::Contains("by a sample of what changed") &&
                                Catch::EndsWith("nothing older was removed"));
  CHECK(station.held_kinds() == Strings{"many changed", "noise"});

  station.accept();
  station.next_day();
  const job::AttachReport after = station.attach();
  CHECK(after.all_sealed());
  CHECK_FALSE(after.pruned.empty());
  CHECK_THAT(after.accepted(), Catch::Contains("accepted by jo (as it should be)"));
  CHECK(station.warnings.count() > 0);
}

TEST_CASE("one server's copy does not push out what another that is held may need", "[held]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  enum class When { by_the_walk, by_the_comparison, earlier };
  const When held = GENERATE(When::by_the_walk, When::by_the_comparison, When::earlier);
  CAPTURE(static_cast<int>(held));
  FullStation station(false);
  const std::string source = station.source() + "-zdb";
  add_profile(station, "zdb", source);
  const auto attach = [&](const std::string& profile) {
    job::AttachOptions options;
    options.disk = station.name();
    options.profiles = {profile};
    station.next_day();
    return job::attach(station.places(), udev::real_devices(), options, nullptr, station.around());
  };
  REQUIRE(attach("zdb").all_sealed());
  REQUIRE(attach("zdb").all_sealed());
  const Strings before = station.copies();
  const Strings others = station.copies("zdb");
  for (int i = 0; i < kFiles; ++i) {
    if (held == When::by_the_comparison) {
      station.write(i, noise(text(i).size()));
    } else if (i % 2 == 0) {
      std::filesystem::remove(station.source() + "/file" + std::to_string(i));
    }
  }
  if (held == When::earlier) REQUIRE(attach("web").any(End::held));
  base::write_file(source + "/big", noise(30 << 20));
  std::string problem;
  if (held == When::earlier) {
    try {
      attach("zdb");
      FAIL("there was room");
    } catch (const base::Error& error) {
      problem = error.what();
    }
  } else {
    station.next_day();
    const job::AttachReport report = station.attach();
    CHECK(report.any(End::held));
    problem = report.failures();
  }
  CHECK_THAT(problem, Catch::Contains("older copies of web stay until somebody has looked"));
  for (const std::string& copy : before) {
    CHECK(std::ranges::count(station.copies(), copy) == 1);
  }
  CHECK(station.copies("zdb").size() >= others.size());  // they would have gone in vain
}

TEST_CASE("a person's word is good for what was looked at, and for nothing else", "[held]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  Station station;
  station.restore();
  for (int i = 0; i < kFiles; ++i) station.write(i, text(i));
  station.clock.sleep(std::chrono::hours(24), {});
  REQUIRE(station.attach().all_sealed());
  station.accept();
  for (int i = 0; i < 6; ++i) {
    std::filesystem::remove(station.source() + "/file" + std::to_string(i));
  }
  station.clock.sleep(std::chrono::hours(24), {});
  REQUIRE(station.attach().any(End::held));
  REQUIRE(station.alarms().size() == 1);
  CHECK(station.alarms().front().what == "fewer entries");
  CHECK(station.alarms().front().extent == 146);
  station.accept();

  SECTION("that is let pass, and told") {
    const std::size_t warned = station.warnings.count();
    const job::AttachReport report = station.attach();
    CHECK(report.all_sealed());
    CHECK_THAT(report.accepted(), Catch::StartsWith("web: accepted by jo"));
    CHECK(station.warnings.count() == warned + 1);
  }
  SECTION("much more of it is held again") {
    for (int i = 6; i < 14; ++i) {
      std::filesystem::remove(station.source() + "/file" + std::to_string(i));
    }
    CHECK(station.attach().any(End::held));
    REQUIRE(station.alarms().size() == 2);
    CHECK(station.alarms()[0].what == "fewer entries");
    CHECK(station.alarms()[0].extent == 341);
    CHECK(station.alarms()[1].what == "fewer bytes");
  }
  SECTION("another kind is held") {
    for (int i = 6; i < kFiles; ++i) station.write(i, noise(text(i).size()));
    CHECK(station.attach().any(End::held));
    REQUIRE(station.alarms().size() == 1);
    CHECK(station.alarms().front().what == "noise");
  }
}

TEST_CASE("a clock that is years ahead removes nothing, and is let pass once", "[held]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  using std::chrono::hours;
  const bool night = GENERATE(false, true);
  INFO((night ? "a nightly run came before" : "the disk came first"));
  constexpr hours kYears{24 * 365 * 10};
  Station station;
  station.restore();
  base::write_file(station.places().config + "/rotation.toml",
                   "[set.main]\nreserve = \"1M\"\nmax_age = \"2Y\"\nkeep = 2\n");
  REQUIRE(station.attach().all_sealed());
  const Strings before = station.copies();
  REQUIRE(before.size() == 2);
  station.clock.sleep(kYears, {});
  if (night) {
    ledger::Ledger ledger(station.places().state + "/ledger.db");
    ledger.add_run(
        {.profile = "web", .name = "ahead", .chain = "ahead", .time = station.clock.now()});
    station.clock.sleep(hours(5), {});
  }
  const auto held = station.attach();
  CHECK(held.any(End::held));
  CHECK(held.pruned.empty());
  CHECK_THAT(held.held(), Catch::Contains("clock may have jumped"));
  for (const std::string& copy : before) CHECK(std::ranges::count(station.copies(), copy) == 1);

  SECTION("who says that it is right is believed") {
    station.accept();
    station.clock.sleep(hours(24), {});
    CHECK(station.attach().all_sealed());
    CHECK(station.copies().size() == 1);
    station.clock.sleep(hours(24 * 31), {});
    CHECK(station.attach().all_sealed());  // for good
  }
  SECTION("what was recorded by it is held against one later copy") {
    if (!night) return;
    station.clock.sleep(-kYears, {});
    const auto behind = station.attach();
    CHECK(behind.any(End::held));
    CHECK_THAT(behind.held(), Catch::Contains("more than a day before what was last recorded"));
    station.accept();
    for (int month = 0; month < 3; ++month) {
      station.clock.sleep(hours(24 * 31), {});
      const auto report = station.attach();
      CHECK(report.all_sealed());
      CHECK(report.accepted().empty() == (month > 0));
    }
    CHECK(station.copies().size() == 2);  // `keep` holds
  }
}

}  // namespace rota::test
