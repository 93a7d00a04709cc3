#include "rotation/status.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <string>

using namespace rota;
using namespace std::chrono_literals;
using base::Instant;
using ledger::RunKind;
using ledger::RunRow;
using ledger::VerifyKind;
using ledger::VerifyRow;
using rotation::Level;

namespace {

/// 2026-01-10 12:00 UTC.
constexpr Instant kNow{std::chrono::sys_days{std::chrono::year{2026} / 1 / 10} + 12h};

/// Sentences show local time.
const bool kUtc = [] {
  ::setenv("TZ", "UTC", 1);
  ::tzset();
  return true;
}();

RunRow run(std::chrono::seconds age, std::uint64_t warnings = 0) {
  return {.profile = "main",
          .name = "run",
          .chain = "a",
          .kind = RunKind::full,
          .time = kNow - age,
          .files = 10,
          .bytes = 1'000,
          .stored = 100,
          .warnings = warnings,
          .seconds = 60};
}

VerifyRow verified(std::chrono::seconds age, VerifyKind what = VerifyKind::listing,
                   bool good = true) {
  return {.profile = "main",
          .time = kNow - age,
          .run = "run",
          .what = what,
          .good = good,
          .objects = 1,
          .bytes = 1,
          .problem = good ? "" : "volume 3 is missing"};
}

VerifyRow failed(std::chrono::seconds age, VerifyKind what) { return verified(age, what, false); }

constexpr VerifyKind kListing = VerifyKind::listing;
constexpr VerifyKind kData = VerifyKind::data;
constexpr VerifyKind kSample = VerifyKind::sample;

}  // namespace

TEST_CASE("every state of a profile has its level and its sentence", "[rotation]") {
  struct Case {
    std::string name;
    std::vector<RunRow> runs;
    std::vector<VerifyRow> verifications;
    Level level;
    std::vector<std::string> messages;  ///< beginnings
  };
  const std::vector<Case> cases{
      {"all is well", {run(9h)}, {verified(24h)}, Level::good, {}},
      {"no run yet", {}, {}, Level::alarm, {"There is no run yet"}},
      {"a run 26 hours old is still in time", {run(26h)}, {verified(24h)}, Level::good, {}},
      {"a run is late after 26 hours",
       {run(26h + 1s)},
       {verified(24h)},
       Level::warning,
       {"The newest run is of 2026-01-09 09:59"}},
      {"three days old is a warning",
       {run(72h)},
       {verified(24h)},
       Level::warning,
       {"The newest run is of 2026-01-07 12:00"}},
      {"more than three days is an alarm",
       {run(72h + 1s)},
       {verified(24h)},
       Level::alarm,
       {"The newest run is of 2026-01-07 11:59"}},
      {"only the newest run's age counts", {run(999h), run(9h)}, {verified(24h)}, Level::good, {}},
      {"one warning in the newest run",
       {run(9h, 1)},
       {verified(24h)},
       Level::warning,
       {"The newest run, of 2026-01-10 03:00, had 1 warning:"}},
      {"many warnings in the newest run",
       {run(9h, 1'200)},
       {verified(24h)},
       Level::warning,
       {"The newest run, of 2026-01-10 03:00, had 1,200 warnings:"}},
      {"warnings of an older run are over",
       {run(33h, 5), run(9h)},
       {verified(1h)},
       Level::good,
       {}},
      {"never verified",
       {run(9h)},
       {},
       Level::warning,
       {"The backup was never verified: run `rota verify main`."}},
      {"verified 35 days ago", {run(9h)}, {verified(35 * 24h)}, Level::good, {}},
      {"verified too long ago",
       {run(9h)},
       {verified(35 * 24h + 1s)},
       Level::warning,
       {"The last verification is of 2025-12-06 11:59"}},
      {"the listing was bad",
       {run(9h)},
       {failed(2h, kListing)},
       Level::alarm,
       {"The verification of the listing on 2026-01-10 10:00 failed (volume 3 is missing): run "
        "`rota verify main` again"}},
      {"the data was bad",
       {run(9h)},
       {failed(2h, kData)},
       Level::alarm,
       {"The verification of the data on 2026-01-10 10:00 failed (volume 3 is missing): run "
        "`rota verify --data main` again"}},
      {"a bad one stays an alarm however old it is",
       {run(9h)},
       {failed(99 * 24h, kListing)},
       Level::alarm,
       {"The verification of the listing"}},
      {"a good listing does not undo bad data",
       {run(9h)},
       {failed(3h, kData), verified(2h, kListing)},
       Level::alarm,
       {"The verification of the data"}},
      {"good data undoes a bad listing",
       {run(9h)},
       {failed(3h, kListing), verified(2h, kData)},
       Level::good,
       {}},
      {"a bad listing after good data",
       {run(9h)},
       {verified(3h, kData), failed(2h, kListing)},
       Level::alarm,
       {"The verification of the listing"}},
      {"of two bad ones the data is named",
       {run(9h)},
       {failed(3h, kData), failed(2h, kListing)},
       Level::alarm,
       {"The verification of the data"}},
      {"of two bad ones the data is named, in the other order too",
       {run(9h)},
       {failed(3h, kListing), failed(2h, kData)},
       Level::alarm,
       {"The verification of the data"}},
      {"a good sample undoes a bad listing, which it looked at",
       {run(9h)},
       {failed(3h, kListing), verified(2h, kSample)},
       Level::good,
       {}},
      {"a good sample does not undo bad data",
       {run(9h)},
       {failed(3h, kData), verified(2h, kSample)},
       Level::alarm,
       {"The verification of the data"}},
      {"a good sample, of other objects, does not undo a bad one",
       {run(9h)},
       {failed(3h, kSample), verified(2h, kSample), verified(1h, kListing)},
       Level::alarm,
       {"The verification of the sample"}},
      {"good data undoes a bad sample",
       {run(9h)},
       {failed(3h, kSample), verified(2h, kData)},
       Level::good,
       {}},
      {"a bad sample is named before a bad listing, and asks for all data",
       {run(9h)},
       {failed(3h, kSample), failed(2h, kListing)},
       Level::alarm,
       {"The verification of the sample on 2026-01-10 09:00 failed (volume 3 is missing): run "
        "`rota verify --data main`"}},
      {"a run that took the next second says nothing against the clock",
       {run(-1s)},
       {verified(-59min)},
       Level::good,
       {}},
      {"the clock is before the newest run",
       {run(-1h)},
       {verified(24h)},
       Level::alarm,
       {"The clock of this machine says 2026-01-10 12:00"}},
      {"the clock is before the last verification",
       {run(9h)},
       {verified(-24h)},
       Level::alarm,
       {"The clock of this machine says 2026-01-10 12:00, but something was recorded at "
        "2026-01-11 12:00: set the clock"}},
      {"the worst comes first",
       {run(30h, 2)},
       {failed(3h, kData)},
       Level::alarm,
       {"The verification of the data", "The newest run is of", "The newest run, of"}},
  };
  REQUIRE(kUtc);
  for (const Case& c : cases) {
    INFO(c.name);
    const auto status = rotation::profile_status(
        {.profile = "main", .runs = c.runs, .verifications = c.verifications, .policy = {}}, kNow);
    CHECK(rotation::word(status.level) == std::string(rotation::word(c.level)));
    CHECK(status.newest.has_value() == !c.runs.empty());
    CHECK(status.last_verification.has_value() == !c.verifications.empty());
    REQUIRE(status.messages.size() == c.messages.size());
    for (std::size_t i = 0; i < c.messages.size(); ++i) {
      CHECK_THAT(status.messages[i], Catch::StartsWith(c.messages[i]));
      CHECK_THAT(status.messages[i], Catch::EndsWith("."));
      CHECK_THAT(status.messages[i], Catch::Contains(": "));  // what: what to do
    }
  }
}

TEST_CASE("a status counts chains, runs and bytes and shows the last verification", "[rotation]") {
  std::vector<RunRow> runs{run(100h), run(50h), run(9h)};
  runs[1].chain = runs[2].chain = "b";
  runs[2].kind = RunKind::increment;
  const auto status =
      rotation::profile_status({.profile = "main",
                                .runs = runs,
                                .verifications = {verified(5h, kData), verified(4h)},
                                .policy = {.max_full_age = base::Span{.months = 1}, .max_age = {}}},
                               kNow);
  CHECK(status.profile == "main");
  CHECK(status.chains == 2);
  CHECK(status.runs == 3);
  CHECK(status.stored == 300);
  CHECK(status.newest == runs[2]);
  CHECK(status.last_verification == verified(4h));
  // One month after the full of the newest chain, 2026-01-08 10:00.
  REQUIRE(status.next_full_due);
  CHECK(base::iso(*status.next_full_due) == "2026-02-08T10:00:00Z");
}

TEST_CASE("no full is due without a limit, a run, or the chain's full", "[rotation]") {
  rotation::ProfileRows rows{
      .profile = "main", .runs = {run(9h)}, .verifications = {}, .policy = {}};
  CHECK_FALSE(rotation::profile_status(rows, kNow).next_full_due);
  rows.policy.max_full_age.days = 7;
  CHECK(rotation::profile_status(rows, kNow).next_full_due == kNow - 9h + 7 * 24h);
  rows.runs[0].kind = RunKind::increment;
  CHECK_FALSE(rotation::profile_status(rows, kNow).next_full_due);
  rows.runs.clear();
  CHECK_FALSE(rotation::profile_status(rows, kNow).next_full_due);
}

TEST_CASE("the whole is as bad as its worst profile", "[rotation]") {
  const rotation::ProfileRows good{
      .profile = "good", .runs = {run(9h)}, .verifications = {verified(1h)}, .policy = {}};
  const rotation::ProfileRows late{
      .profile = "late", .runs = {run(30h)}, .verifications = {verified(1h)}, .policy = {}};
  const rotation::ProfileRows none{
      .profile = "none", .runs = {}, .verifications = {}, .policy = {}};
  const auto level = [](std::vector<rotation::ProfileRows> profiles) {
    rotation::Facts facts;
    facts.profiles = std::move(profiles);
    const auto status = rotation::compute(facts, kNow);
    CHECK(status.profiles.size() == facts.profiles.size());
    return status.level;
  };
  CHECK(level({good}) == Level::good);
  CHECK(level({late, good}) == Level::warning);
  CHECK(level({good, none, late}) == Level::alarm);
  CHECK(level({}) == Level::alarm);
}

TEST_CASE("what is counted is what is said of disks, drills and profiles", "[rotation]") {
  rotation::Facts facts;
  facts.profiles = {{.profile = "late", .runs = {run(30h)}, .verifications = {}, .policy = {}},
                    {.profile = "none", .runs = {}, .verifications = {}, .policy = {}}};
  facts.servers = {"late", "none"};
  auto status = rotation::compute(facts, kNow);
  CHECK(rotation::count(status, Level::alarm) == 1);
  CHECK(rotation::count(status, Level::warning) == 2);
  ledger::DrillRow drill;
  drill.server = "late";
  drill.time = kNow - 1h;
  facts.drills = {drill};
  facts.written = true;  // and there is no disk
  status = rotation::compute(facts, kNow);
  CHECK(rotation::count(status, Level::alarm) == 3);
}

TEST_CASE("a profile that cannot be used is an alarm, and the others are told", "[rotation]") {
  rotation::Facts facts;
  facts.servers = {"bad", "good"};
  facts.unusable = {{"bad", "/etc/rota/bad/profile.toml:3: unknown key"}};
  auto status = rotation::compute(facts, kNow);  // nothing can be backed up, but it is told why
  CHECK(status.level == Level::alarm);
  CHECK(rotation::count(status, Level::alarm) == 1);
  CHECK(rotation::headline(status) ==
        "The profile bad cannot be used, so that nothing is backed up by it: "
        "/etc/rota/bad/profile.toml:3: unknown key.");
  facts.profiles = {
      {.profile = "good", .runs = {run(9h)}, .verifications = {verified(1h)}, .policy = {}}};
  status = rotation::compute(facts, kNow);
  CHECK(status.level == Level::alarm);
  REQUIRE(status.profiles.size() == 1);
  CHECK(status.profiles[0].level == Level::good);
}

TEST_CASE("levels are words", "[rotation]") {
  CHECK(rotation::word(Level::good) == std::string("good"));
  CHECK(rotation::word(Level::warning) == std::string("warning"));
  CHECK(rotation::word(Level::alarm) == std::string("alarm"));
}

TEST_CASE("a run of the future does not hide that no other came", "[status]") {
  rotation::ProfileRows rows{.profile = "main",
                             .runs = {run(100h), run(-87'600h)},
                             .verifications = {verified(24h)},
                             .policy = {}};
  const auto texts = [&](std::span<const Instant> known) {
    return rotation::profile_status(rows, kNow, known).messages;
  };
  CHECK(rotation::profile_status(rows, kNow).newest->time == kNow - 100h);
  REQUIRE(texts({}).size() == 2);
  CHECK_THAT(texts({})[0], Catch::StartsWith("The clock of this machine says"));
  CHECK_THAT(texts({})[1], Catch::StartsWith("The newest run is of 2026-01-06"));
  const std::vector<Instant> known{kNow + 87'600h};
  REQUIRE(texts(known).size() == 1);
  CHECK_THAT(texts(known)[0], Catch::StartsWith("The newest run is of"));
}
