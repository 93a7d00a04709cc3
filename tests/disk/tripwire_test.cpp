#include "disk/tripwire.h"

#include <catch2/catch.hpp>

using namespace rota;
using disk::ChangeSummary;
using disk::Tripwire;
using disk::TripwireFacts;

namespace {

const base::Instant kNow = *base::parse_compact("20261024T030000Z");

/// 1,000 entries of 1 MB each as before, nothing changed.
ChangeSummary quiet() {
  ChangeSummary changes;
  changes.predecessor = "20260924T030000Z";
  changes.entries_before = changes.entries_now = 1000;
  changes.bytes_before = changes.bytes_now = 1'000'000'000;
  changes.same.count = 1000;
  return changes;
}

TripwireFacts facts(int copies = 5) {
  TripwireFacts facts;
  facts.now = kNow;
  facts.copies = copies;
  facts.changed_before.assign(static_cast<std::size_t>(copies), 0.01);
  return facts;
}

std::vector<std::string> kinds(const std::vector<Tripwire>& tripwires) {
  std::vector<std::string> kinds;
  for (const Tripwire& one : tripwires) kinds.push_back(one.kind + (one.holds ? "" : "?"));
  return kinds;
}

using Kinds = std::vector<std::string>;

}  // namespace

TEST_CASE("an ordinary month trips nothing", "[tripwire]") {
  ChangeSummary changes = quiet();
  changes.changed.count = 40;
  changes.added.count = 30;
  changes.removed.count = 20;
  changes.entries_now = 1010;
  CHECK(judge(changes, false, facts()).empty());
  CHECK(judge(changes, true, facts()).empty());
}

TEST_CASE("an empty source is held, also as the first copy", "[tripwire]") {
  ChangeSummary changes;
  CHECK(kinds(judge(changes, true, facts(0))) == Kinds{"empty source"});
  changes.entries_now = 1;
  CHECK(judge(changes, true, facts(0)).empty());
}

TEST_CASE("entries that went are held from a tenth on", "[tripwire]") {
  ChangeSummary changes = quiet();
  changes.entries_now = 900;
  CHECK(judge(changes, true, facts()).empty());
  changes.entries_now = 899;
  changes.removed.add("home/a\nb", 5);
  const auto tripped = judge(changes, true, facts());
  REQUIRE(kinds(tripped) == Kinds{"fewer entries"});
  CHECK(tripped[0].message ==
        "it has 899 entries, 10 % fewer than the last copy (1,000); 10 % is the limit");
  CHECK(tripped[0].details == Kinds{"home/a\\x0ab"});
  // That needs no experience: nothing that is usual takes away so much.
  CHECK(kinds(judge(changes, true, facts(1))) == Kinds{"fewer entries"});
}

TEST_CASE("half as many again only warn until three copies are known", "[tripwire]") {
  ChangeSummary changes = quiet();
  changes.entries_now = 1501;
  CHECK(kinds(judge(changes, true, facts(2))) == Kinds{"more entries?"});
  CHECK(kinds(judge(changes, true, facts(3))) == Kinds{"more entries"});
  changes.entries_now = 1500;
  CHECK(judge(changes, true, facts(3)).empty());
}

TEST_CASE("bytes that went are held from a fifth on", "[tripwire]") {
  ChangeSummary changes = quiet();
  changes.bytes_now = 800'000'000;
  CHECK(judge(changes, true, facts()).empty());
  changes.bytes_now = 799'000'000;
  CHECK(kinds(judge(changes, true, facts())) == Kinds{"fewer bytes"});
}

TEST_CASE("more changed files than usual are held, but not by the stat walk alone", "[tripwire]") {
  ChangeSummary changes = quiet();
  changes.changed.count = 51;
  CHECK(kinds(judge(changes, false, facts())) == Kinds{"many changed"});
  CHECK(judge(changes, true, facts()).empty());
  CHECK(kinds(judge(changes, false, facts(2))) == Kinds{"many changed?"});
  TripwireFacts busy = facts();
  busy.changed_before = {0.2, 0.01, 0.2, 0.2, 0.2};  // the median is 20 %
  changes.changed.count = 600;
  CHECK(judge(changes, false, busy).empty());
  changes.changed.count = 601;
  CHECK(kinds(judge(changes, false, busy)) == Kinds{"many changed"});
}

TEST_CASE("text that turned to noise is held from the first copy on", "[tripwire]") {
  ChangeSummary changes = quiet();
  changes.changed.count = 50;
  changes.plain_before = 50;
  changes.became_noise.count = 9;  // a few archives prove nothing
  CHECK(judge(changes, false, facts(1)).empty());
  changes.became_noise.count = 10;
  CHECK(kinds(judge(changes, false, facts(1))) == Kinds{"noise"});
  changes.plain_before = 101;
  CHECK(judge(changes, false, facts(1)).empty());
}

TEST_CASE("a mass of files with one new extension is held", "[tripwire]") {
  ChangeSummary changes = quiet();
  changes.removed.count = changes.added.count = 120;
  changes.added_extensions = {{"locked", 110}, {"txt", 10}};
  const auto tripped = judge(changes, true, facts(1));
  REQUIRE(kinds(tripped) == Kinds{"renamed"});
  CHECK(tripped[0].message.find("\".locked\"") != std::string::npos);
  // New pictures are no renamed files: nothing went.
  changes.removed.count = 0;
  CHECK(judge(changes, true, facts(1)).empty());
}

TEST_CASE("a mount that is missing is held, and a new one is not", "[tripwire]") {
  TripwireFacts known = facts();
  known.mounts_before = Kinds{"/", "/home", "/srv"};
  known.mounts_now = {"/", "/home", "/new"};
  const auto tripped = judge(quiet(), true, known);
  REQUIRE(kinds(tripped) == Kinds{"missing mount"});
  CHECK(tripped[0].details == Kinds{"/srv"});
  known.mounts_before.reset();
  CHECK(judge(quiet(), true, known).empty());
}

TEST_CASE("a canary that changed is held", "[tripwire]") {
  TripwireFacts known = facts();
  known.canaries_changed = {"/srv/canary"};
  const auto tripped = judge(quiet(), true, known);
  REQUIRE(kinds(tripped) == Kinds{"canary"});
  CHECK(tripped[0].details == Kinds{"/srv/canary"});
}

TEST_CASE("a canary that was never there is told as such", "[tripwire]") {
  TripwireFacts known = facts();
  known.canaries_missing = {"/srv/canarry"};
  const auto tripped = judge(quiet(), true, known);
  REQUIRE(kinds(tripped) == Kinds{"missing canary"});
  CHECK_THAT(tripped[0].message, Catch::Contains("/srv/canarry is not there"));
  CHECK_FALSE(disk::covers({"missing canary", 0, {"/srv/other"}}, tripped[0]));
  CHECK(disk::covers({"missing canary", 0, {"/srv/canarry"}}, tripped[0]));
}

TEST_CASE("a clock that went back more than a day is held", "[tripwire]") {
  TripwireFacts known = facts();
  const auto ahead = kNow + std::chrono::hours(24);
  known.recorded = {{ahead, "run", false}, {kNow, "copy on disk B", true}};
  CHECK(judge(quiet(), true, known).empty());
  known.recorded.front().time += std::chrono::hours(1);
  const auto tripped = judge(quiet(), true, known);
  REQUIRE(kinds(tripped) == Kinds{"clock"});
  CHECK(tripped[0].details == Kinds{"20261025T040000Z run"});
  CHECK(tripped[0].extent == 25);
  // What a person knows of is not held against later copies, and what else there is, is.
  known.known_wrong = {known.recorded.front().time};
  CHECK(judge(quiet(), true, known).empty());
  known.recorded.push_back({kNow + std::chrono::hours(24 * 365), "run", false});
  const auto another = judge(quiet(), true, known);
  REQUIRE(kinds(another) == Kinds{"clock"});
  CHECK(another[0].details == Kinds{"20271024T030000Z run"});
  CHECK_FALSE(covers({tripped[0].kind, 1'000'000, tripped[0].details}, another[0]));
}

TEST_CASE("so much is recorded of the future that it takes two looks", "[tripwire]") {
  TripwireFacts known = facts();
  for (int day = 1; day <= 250; ++day) {
    known.recorded.push_back({kNow + std::chrono::hours(50 * day), "run", false});
  }
  const auto tripped = judge(quiet(), true, known);
  REQUIRE(kinds(tripped) == Kinds{"clock"});
  CHECK(tripped[0].details.size() == 200);
  CHECK(covers({"clock", tripped[0].extent, tripped[0].details}, tripped[0]));
}

TEST_CASE("a clock that is ahead of all that was recorded is held", "[tripwire]") {
  TripwireFacts known = facts();
  known.interval = {.months = 1};
  known.recorded = {{kNow - std::chrono::hours(24 * 93), "copy on disk B", true},
                    {kNow - std::chrono::hours(24), "run", false}};
  CHECK(judge(quiet(), true, known).empty());
  known.now = kNow + std::chrono::hours(24 * 365);
  const auto tripped = judge(quiet(), true, known);
  REQUIRE(kinds(tripped) == Kinds{"clock"});
  CHECK(tripped[0].holds);
  CHECK_THAT(tripped[0].message,
             Catch::Contains("clock may have jumped") && Catch::Contains("rota disk accept"));
  CHECK(covers({"clock", tripped[0].extent, tripped[0].details}, tripped[0]));
  // A word about the one is none about the other.
  CHECK_FALSE(covers({"clock", tripped[0].extent, {}}, tripped[0]));
}

TEST_CASE("a small tree may change as it likes", "[tripwire]") {
  ChangeSummary changes = quiet();
  changes.entries_before = 19;
  changes.entries_now = 3;
  changes.changed.count = 3;
  CHECK(judge(changes, false, facts()).empty());
}

TEST_CASE("a word about a tripwire covers its kind, its names, and little more", "[tripwire]") {
  const auto tripped = [](const char* kind, std::uint64_t extent, Kinds details = {}) {
    return Tripwire{kind, true, "", std::move(details), extent};
  };
  const disk::Accepted some{"fewer entries", 200, {"home/a"}};
  CHECK(covers(some, tripped("fewer entries", 250, {"home/b"})));
  CHECK_FALSE(covers(some, tripped("fewer entries", 251)));
  CHECK_FALSE(covers(some, tripped("noise", 1)));
  CHECK(covers({"noise", 4, {}}, tripped("noise", 14)));
  CHECK_FALSE(covers({"noise", 4, {}}, tripped("noise", 15)));
  // What was recorded before this was known covers nothing.
  CHECK_FALSE(covers({"", 0, {}}, tripped("noise", 1)));
  const disk::Accepted mounts{"missing mount", 0, {"/srv", "/home"}};
  CHECK(covers(mounts, tripped("missing mount", 0, {"/home"})));
  CHECK_FALSE(covers(mounts, tripped("missing mount", 0, {"/home", "/var"})));
}

TEST_CASE("how far a tripwire went is told of the last copy as a whole", "[tripwire]") {
  ChangeSummary changes = quiet();
  changes.changed.count = 400;
  changes.plain_before = 20;
  changes.became_noise.count = 20;
  changes.entries_now = 600;
  const auto tripped = judge(changes, false, facts());
  REQUIRE(kinds(tripped) == Kinds{"fewer entries", "many changed", "noise"});
  CHECK(tripped[0].extent == 400);
  CHECK(tripped[1].extent == 400);
  CHECK(tripped[2].extent == 20);
  CHECK(kinds(judge_contents(changes, facts())) == Kinds{"many changed", "noise"});
  changes.predecessor.clear();
  CHECK(judge_contents(changes, facts()).empty());
}
