#include "chain/catalog.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "base/error.h"
#include "base/kind_of.h"
#include "chain/chain_fixture.h"

namespace rota::chain {

using base::Bytes;
using base::ErrorKind;
using test::kind_of;
using test::MemoryStore;
using test::message_of;

namespace {

std::string name(const std::string& day, const std::string& suffix = "000000") {
  return "202601" + day + "T030000Z-" + suffix;
}

base::Instant instant(const std::string& day) {
  return *base::parse_compact("202601" + day + "T030000Z");
}

/// Puts the record of the last of `runs` into a store.
void put(store::Store& store, const std::vector<std::string>& runs) {
  RunRecord record;
  record.runs = runs;
  record.run = runs.back();
  record.chain = runs.front();
  record.time = *run_time(record.run);
  record.kind = runs.size() == 1 ? RunKind::full : RunKind::increment;
  if (runs.size() > 1) {
    record.parent = runs[runs.size() - 2];
    record.parent_sha256.emplace();
  }
  record.pieces.emplace_back();
  store.put(record_name(record.chain, record.run, record.kind), encode(record));
}

std::vector<std::string> names(const std::vector<RunInfo>& runs) {
  std::vector<std::string> all;
  for (const RunInfo& run : runs) all.push_back(run.run);
  return all;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("an empty store has an empty catalog", "[chain][catalog]") {
  MemoryStore store;
  store.put("runs/other", Bytes(3));
  store.put("runs/" + name("01") + "/notes.txt", Bytes(3));
  store.put("data/" + name("01") + "/" + name("01") + "/v000000", Bytes(3));
  const Catalog catalog(store, nullptr);
  CHECK(catalog.empty());
  CHECK(catalog.newest() == nullptr);
  CHECK(catalog.find(name("01")) == nullptr);
  CHECK(catalog.chain(name("01")) == nullptr);
  CHECK(kind_of([&] { catalog.at(instant("01")); }) == ErrorKind::not_found);
  CHECK_THAT(message_of([&] { catalog.select("", instant("01")); }),
             Catch::Contains("rota backup"));
}

TEST_CASE("chains stand oldest first with their runs in order", "[chain][catalog]") {
  MemoryStore store;
  put(store, {name("05")});
  put(store, {name("05"), name("06")});
  put(store, {name("01")});
  put(store, {name("01"), name("02")});
  put(store, {name("01"), name("02"), name("03")});
  const Catalog catalog(store, nullptr);
  REQUIRE(catalog.chains().size() == 2);
  CHECK(names(catalog.chains()[0].runs) == Names{name("01"), name("02"), name("03")});
  CHECK(catalog.chains()[0].start() == instant("01"));
  CHECK(catalog.chains()[0].end() == instant("03"));
  CHECK(catalog.chains()[0].stray.empty());
  CHECK(names(catalog.chains()[1].runs) == Names{name("05"), name("06")});
  CHECK(catalog.newest()->run == name("06"));
  CHECK(catalog.newest()->kind == RunKind::increment);
  CHECK(catalog.newest()->chain == name("05"));
  CHECK(catalog.find(name("02"))->chain == name("01"));
  CHECK(catalog.chain(name("05"))->runs.size() == 2);
  CHECK_FALSE(catalog.empty());
  CHECK(catalog.broken().empty());
}

TEST_CASE("a clock that went back does not change the order of parents", "[chain][catalog]") {
  MemoryStore store;
  const Names runs = {name("10"), name("12"), name("03"), name("11"), name("01")};
  for (std::size_t n = 1; n <= runs.size(); ++n)
    put(store, {runs.begin(), runs.begin() + static_cast<std::ptrdiff_t>(n)});
  const Catalog catalog(store, nullptr);
  REQUIRE(catalog.chains().size() == 1);
  CHECK(names(catalog.chains()[0].runs) == runs);
  CHECK(catalog.newest()->run == name("01"));
  // By time all the same: the newest that is not later.
  CHECK(catalog.at(instant("05")).run == name("03"));
  CHECK(catalog.at(instant("20")).run == name("12"));
}

TEST_CASE("what is built on a run whose record is missing can be restored", "[chain][catalog]") {
  const Names runs = {name("01"), name("02"), name("03"), name("04")};
  for (std::size_t missing = 0; missing < runs.size(); ++missing) {
    CAPTURE(missing);
    MemoryStore store;
    put(store, {name("09")});
    for (std::size_t n = 0; n < runs.size(); ++n) {
      if (n != missing)
        put(store, {runs.begin(), runs.begin() + static_cast<std::ptrdiff_t>(n) + 1});
    }
    const Catalog catalog(store, nullptr);
    REQUIRE(catalog.chains().size() == 2);
    CHECK(catalog.broken().empty());
    const ChainInfo& chain = catalog.chains()[0];
    Names others = runs;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(missing));
    CHECK(names(chain.runs) == others);
    CHECK(chain.stray.empty());
    CHECK(chain.start() == instant("01"));
    // The last is named by none.
    CHECK(chain.missing == (missing == 3 ? Names() : Names{runs[missing]}));
    CHECK(catalog.find(runs[missing]) == nullptr);
  }
}

TEST_CASE("the newest run is one whose record can be read", "[chain][catalog]") {
  MemoryStore store;
  put(store, {name("01")});
  put(store, {name("05")});
  put(store, {name("09")});
  const auto damage = [&](const std::string& day) {
    store.objects.at(record_name(name(day), name(day), RunKind::full))[20] ^= std::byte{1};
  };
  damage("09");
  {
    const Catalog catalog(store, nullptr);
    CHECK(catalog.newest()->run == name("05"));
    REQUIRE(catalog.broken().size() == 1);
    CHECK(names(catalog.broken()[0].stray) == Names{name("09")});
  }
  damage("05");
  const Catalog catalog(store, nullptr);
  CHECK(catalog.newest()->run == name("01"));
  REQUIRE(catalog.broken().size() == 2);
  CHECK(catalog.broken()[0].chain == name("05"));
  CHECK(catalog.broken()[1].chain == name("09"));
}

TEST_CASE("only a broken chain is not nothing", "[chain][catalog]") {
  MemoryStore store;
  put(store, {name("01"), name("02")});
  store.objects.begin()->second[20] ^= std::byte{1};
  const Catalog catalog(store, nullptr);
  CHECK(catalog.chains().empty());
  CHECK(catalog.broken().size() == 1);
  CHECK_FALSE(catalog.empty());
  CHECK(catalog.newest() == nullptr);
  CHECK(kind_of([&] { catalog.at(instant("05")); }) == ErrorKind::not_found);
}

TEST_CASE("a damaged record costs its run only", "[chain][catalog]") {
  const Names runs = {name("01"), name("02"), name("03")};
  MemoryStore store;
  for (std::size_t n = 1; n <= runs.size(); ++n)
    put(store, {runs.begin(), runs.begin() + static_cast<std::ptrdiff_t>(n)});
  store.objects.at(record_name(runs[0], runs[2], RunKind::increment))[20] ^= std::byte{1};
  {
    const Catalog catalog(store, nullptr);
    REQUIRE(catalog.chains().size() == 1);
    CHECK(names(catalog.chains()[0].runs) == Names{runs[0], runs[1]});
    CHECK(names(catalog.chains()[0].stray) == Names{runs[2]});
  }
  // A record under another run's name is no better.
  store.objects[record_name(runs[0], runs[2], RunKind::increment)] =
      store.objects.at(record_name(runs[0], runs[1], RunKind::increment));
  const Catalog catalog(store, nullptr);
  CHECK(names(catalog.chains()[0].stray) == Names{runs[2]});
  const RunInfo& stray = catalog.chains()[0].stray[0];
  CHECK(kind_of([&] { catalog.record(stray); }) == ErrorKind::corrupt);
  CHECK_THAT(message_of([&] { catalog.record(stray); }),
             Catch::Contains(record_name(runs[0], runs[2], RunKind::increment)));
}

TEST_CASE("of two runs with one parent one is stray", "[chain][catalog]") {
  MemoryStore store;
  put(store, {name("01")});
  put(store, {name("01"), name("02", "aaaaaa")});
  put(store, {name("01"), name("02", "bbbbbb")});
  put(store, {name("01"), name("02", "aaaaaa"), name("03")});
  const Catalog catalog(store, nullptr);
  REQUIRE(catalog.chains().size() == 1);
  CHECK(names(catalog.chains()[0].runs) == Names{name("01"), name("02", "aaaaaa"), name("03")});
  CHECK(names(catalog.chains()[0].stray) == Names{name("02", "bbbbbb")});
}

TEST_CASE("a moment selects the newest run that is not later", "[chain][catalog]") {
  MemoryStore store;
  put(store, {name("01")});
  put(store, {name("01"), name("03")});
  put(store, {name("05")});
  const Catalog catalog(store, nullptr);
  CHECK(catalog.at(instant("01")).run == name("01"));
  CHECK(catalog.at(instant("03") - std::chrono::seconds(1)).run == name("01"));
  CHECK(catalog.at(instant("03")).run == name("03"));
  CHECK(catalog.at(instant("04")).run == name("03"));
  CHECK(catalog.at(instant("31")).run == name("05"));
  const auto before = instant("01") - std::chrono::seconds(1);
  CHECK(kind_of([&] { catalog.at(before); }) == ErrorKind::not_found);
  CHECK_THAT(message_of([&] { catalog.at(before); }), Catch::Contains(name("01")));
}

TEST_CASE("people select runs by name, moment or not at all", "[chain][catalog]") {
  MemoryStore store;
  put(store, {name("01")});
  put(store, {name("01"), name("03")});
  put(store, {name("05")});
  const Catalog catalog(store, nullptr);
  const base::Instant now = instant("06");
  for (const char* text : {"", "now", "latest", "1D", "2026-01-05T03:00:00Z", "1h"}) {
    CAPTURE(text);
    CHECK(catalog.select(text, now).run == name("05"));
  }
  CHECK(catalog.select("2D", now).run == name("03"));
  CHECK(catalog.select("3D", now).run == name("03"));
  CHECK(catalog.select("4D", now).run == name("01"));
  CHECK(catalog.select("2026-01-04T12:00Z", now).run == name("03"));
  CHECK(catalog.select(name("01"), now).run == name("01"));
  CHECK(kind_of([&] { catalog.select(name("02"), now); }) == ErrorKind::not_found);
  CHECK_THAT(message_of([&] { catalog.select(name("02"), now); }), Catch::Contains("rota list"));
  CHECK(kind_of([&] { catalog.select("1M", now); }) == ErrorKind::not_found);
  for (const char* bad : {"yesterday", "5", "2026-13-01", "20260104T030000Z"}) {
    CAPTURE(bad);
    CHECK(kind_of([&] { catalog.select(bad, now); }) == ErrorKind::usage);
    CHECK_THAT(message_of([&] { catalog.select(bad, now); }), Catch::Contains(bad));
  }
}

TEST_CASE("copies of records save requests and are never trusted blindly", "[chain][catalog]") {
  const test::TempDir temp;
  LocalState state(temp / "state", temp / "cache");
  MemoryStore store;
  put(store, {name("01")});
  put(store, {name("01"), name("02")});
  const std::string object = record_name(name("01"), name("02"), RunKind::increment);
  const Bytes good = store.objects.at(object);
  test::Calls calls;
  test::FaultyStore counting(store, calls.rule());

  state.keep_record(name("02"), good, good);
  const Catalog catalog(counting, &state);
  const RunInfo& run = *catalog.newest();
  CHECK(catalog.record(run).run == name("02"));
  CHECK(catalog.open_record(run).clear == good);
  CHECK(calls.gets == 0);
  CHECK(calls.lists == 1);

  Bytes flipped = good;
  flipped[30] ^= std::byte{8};
  Bytes cut = good;
  cut.pop_back();
  Bytes other = store.objects.at(record_name(name("01"), name("01"), RunKind::full));
  other.resize(good.size());
  for (const Bytes& bad : {flipped, cut, other, Bytes()}) {
    state.keep_record(name("02"), bad, bad);
    CHECK(catalog.record(run).run == name("02"));
    CHECK(catalog.open_record(run).clear == good);
    CHECK(names(Catalog(store, &state).chains().at(0).runs) == Names{name("01"), name("02")});
  }
  CHECK(calls.gets == 8);
}

TEST_CASE("a chain costs one record, and a lone full none", "[chain][catalog]") {
  MemoryStore store;
  put(store, {name("01")});
  Names runs = {name("05")};
  put(store, runs);
  for (const char* day : {"06", "07", "08", "09"}) {
    runs.push_back(name(day));
    put(store, runs);
  }
  test::Calls calls;
  test::FaultyStore counting(store, calls.rule());
  const Catalog catalog(counting, nullptr);
  CHECK(catalog.chains().size() == 2);
  CHECK(calls.gets == 1);
  CHECK(calls.lists == 1);
}

TEST_CASE("a store that cannot be asked is an error, not an empty catalog", "[chain][catalog]") {
  MemoryStore store;
  put(store, {name("01")});
  put(store, {name("01"), name("02")});
  for (std::uint64_t n = 1; n <= 2; ++n) {
    test::FaultyStore faulty(store, [n](const test::StoreCall& call) {
      return call.number == n ? test::Fault::fail_before : test::Fault::none;
    });
    CHECK(kind_of([&] { Catalog(faulty, nullptr); }) == ErrorKind::unavailable);
  }
}

}  // namespace rota::chain
