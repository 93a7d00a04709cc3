#include "chain/retention.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "base/error.h"
#include "base/kind_of.h"
#include "chain/backup.h"
#include "chain/chain_fixture.h"

namespace rota::chain {

using base::Bytes;
using base::ErrorKind;
using test::Fault;
using test::FaultyStore;
using test::kind_of;
using test::MemoryStore;
using test::SetClock;
using test::StoreCall;

namespace {

std::string name(const std::string& day) { return "202601" + day + "T030000Z-000000"; }

base::Instant instant(const std::string& day) {
  return *base::parse_compact("202601" + day + "T030000Z");
}

ChainInfo chain_of(const std::vector<std::string>& days) {
  ChainInfo chain;
  chain.chain = name(days.front());
  for (const std::string& day : days) {
    chain.runs.push_back({name(day), chain.chain,
                          chain.runs.empty() ? RunKind::full : RunKind::increment, instant(day),
                          100});
  }
  return chain;
}

/// The days of the runs that go.
std::vector<std::string> going(const std::vector<Verdict>& verdicts) {
  std::vector<std::string> days;
  for (const Verdict& verdict : verdicts) {
    CHECK_FALSE(verdict.why.empty());
    if (verdict.remove) days.push_back(verdict.run.run.substr(6, 2));
  }
  return days;
}

using Days = std::vector<std::string>;

const std::vector<ChainInfo> kThree = {chain_of({"01", "02", "03"}), chain_of({"11", "12"}),
                                       chain_of({"21", "22"})};

/// Files that need not outlive a power cut: the sweeps write thousands.
class Unsynced final : public base::FileOps {
 public:
  base::Fd create(const std::string& path, unsigned mode) override {
    return real_.create(path, mode);
  }
  void write_all(int fd, std::span<const std::byte> data, const std::string& path) override {
    real_.write_all(fd, data, path);
  }
  void fsync(int, const std::string&) override {}
  void rename(const std::string& from, const std::string& to) override { real_.rename(from, to); }
  void unlink(const std::string& path) override { real_.unlink(path); }
  void make_directories(const std::string& path, unsigned mode) override {
    real_.make_directories(path, mode);
  }
  void sync_directory(const std::string&) override {}

 private:
  base::FileOps& real_ = base::real_files();
};

/// Runs with records, volumes and an index in a store; and what of it must be there.
class Runs {
 public:
  Runs() {
    for (const ChainInfo& chain : kThree) {
      std::vector<std::string> before;
      for (const RunInfo& run : chain.runs) {
        before.push_back(run.run);
        RunRecord record;
        record.run = run.run;
        record.chain = run.chain;
        record.kind = run.kind;
        record.runs = before;
        if (before.size() > 1) {
          record.parent = before[before.size() - 2];
          record.parent_sha256.emplace();
        }
        record.pieces.emplace_back();
        const Bytes bytes = encode(record);
        store.put(record_name(run.chain, run.run, run.kind), bytes);
        for (std::uint32_t i = 0; i < 2; ++i) {
          store.put(volume_name(run.chain, run.run, i), Bytes(1000));
        }
        store.put(index_name(run.chain, run.run, 0), Bytes(10));
        newest = {run.run, run.chain, base::sha256(bytes)};
      }
    }
    state.set_last(newest);
  }

  std::vector<Verdict> verdicts() const {
    return older_than(Catalog(const_cast<MemoryStore&>(store), nullptr).chains(),
                      base::parse_span("5D"), instant("22"));
  }

  /// Each visible run has its data and the runs that it is built on.
  void check_whole() {
    const Catalog catalog(store, nullptr);
    CHECK(catalog.broken().empty());
    for (const ChainInfo& chain : catalog.chains()) {
      CHECK(chain.stray.empty());
      for (const RunInfo& run : chain.runs) {
        CHECK(store.objects.contains(volume_name(run.chain, run.run, 0)));
        CHECK(store.objects.contains(volume_name(run.chain, run.run, 1)));
        CHECK(store.objects.contains(index_name(run.chain, run.run, 0)));
      }
    }
  }

  /// No object without a run.
  void check_no_orphans() const {
    std::set<std::string> prefixes;
    for (const auto& [object, bytes] : store.objects) {
      if (const auto id = parse_record_name(object)) {
        prefixes.insert(data_prefix(id->chain, id->run));
      }
    }
    for (const auto& [object, bytes] : store.objects) {
      if (!object.starts_with(kDataPrefix)) continue;
      if (std::ranges::none_of(prefixes, [&, &o = object](const std::string& prefix) {
            return o.starts_with(prefix);
          })) {
        FAIL_CHECK("nobody knows " << object);
      }
    }
  }

  const test::TempDir temp;
  MemoryStore store;
  Unsynced files;
  LocalState state{temp / "state", temp / "cache", files};
  LocalState::Last newest;
  SetClock clock{instant("22")};
};

/// A store with a clock of its own.
class ClockedStore final : public store::Store {
 public:
  ClockedStore(store::Store& inner, base::Instant now) : inner_(inner), now_(now) {}
  void put(const std::string& n, std::span<const std::byte> data) override { inner_.put(n, data); }
  Bytes get(const std::string& n, std::uint64_t limit) override { return inner_.get(n, limit); }
  std::size_t read_some(const std::string& n, std::uint64_t offset,
                        std::span<std::byte> buffer) override {
    return inner_.read_some(n, offset, buffer);
  }
  store::Page list(const std::string& prefix, const std::string& after,
                   std::size_t limit) override {
    return inner_.list(prefix, after, limit);
  }
  store::Removal remove(const std::string& n) override { return inner_.remove(n); }
  store::HashKind hash_kind() const override { return inner_.hash_kind(); }
  std::optional<base::Instant> now() override { return now_; }
  std::string description() const override { return "clocked"; }

 private:
  store::Store& inner_;
  base::Instant now_;
};

}  // namespace

TEST_CASE("chains go when all of them is older", "[chain][retention]") {
  struct Case {
    const char* now;
    const char* age;
    Days gone;
  };
  for (const Case& c : std::vector<Case>{
           {"22", "22D", {}},
           {"22", "19D", {}},  // the newest run is as old, not older
           {"22", "18D", {"01", "02", "03"}},
           {"22", "20D", {}},  // its full is older, not all of it
           {"22", "10D", {"01", "02", "03"}},
           {"22", "9D", {"01", "02", "03", "11", "12"}},
           {"22", "1D", {"01", "02", "03", "11", "12"}},  // never the newest chain
           {"22", "0D", {"01", "02", "03", "11", "12"}},
           {"31", "1s", {"01", "02", "03", "11", "12"}},
           {"01", "0D", {}},  // a clock that is behind
       }) {
    CAPTURE(c.now, c.age);
    const auto verdicts = older_than(kThree, base::parse_span(c.age), instant(c.now));
    CHECK(verdicts.size() == 7);
    CHECK(going(verdicts) == c.gone);
  }
  CHECK(older_than({}, base::parse_span("1D"), instant("22")).empty());
  CHECK(going(older_than({kThree[0]}, base::parse_span("1D"), instant("22"))).empty());
}

TEST_CASE("a chain whose clock went back is as old as its newest time", "[chain][retention]") {
  const std::vector<ChainInfo> chains = {chain_of({"05", "09", "02"}), chain_of({"21"})};
  CHECK(going(older_than(chains, base::parse_span("13D"), instant("22"))).empty());
  CHECK(going(older_than(chains, base::parse_span("12D"), instant("22"))).size() == 3);
}

TEST_CASE("increments of all but the newest chains go", "[chain][retention]") {
  CHECK(going(increments_but(kThree, 1)) == Days{"02", "03", "12"});
  CHECK(going(increments_but(kThree, 2)) == Days{"02", "03"});
  CHECK(going(increments_but(kThree, 3)).empty());
  CHECK(going(increments_but(kThree, 1000)).empty());
  CHECK(increments_but(kThree, 1).size() == 7);
  CHECK(increments_but({}, 1).empty());
  CHECK(kind_of([] { increments_but(kThree, 0); }) == ErrorKind::usage);
  CHECK(kind_of([] { increments_but(kThree, -1); }) == ErrorKind::usage);
}

TEST_CASE("what is judged goes and the rest stays", "[chain][retention]") {
  Runs runs;
  for (const char* day : {"12", "22"}) runs.state.keep_record(name(day), Bytes(1), Bytes(1));
  const auto before = runs.store.objects;
  const Removed removed = remove_runs(runs.store, runs.state, runs.verdicts(), runs.clock, {});
  CHECK(removed.runs == 5);
  CHECK(removed.objects == 20);
  std::uint64_t bytes = 0;
  for (const auto& [object, content] : before) {
    const bool kept = object.find(name("21")) != std::string::npos;
    CHECK(runs.store.objects.contains(object) == kept);
    if (!kept) bytes += content.size();
  }
  CHECK(removed.bytes == bytes);
  CHECK_FALSE(runs.state.removal());
  CHECK_FALSE(runs.state.record(name("12")));
  CHECK(runs.state.record(name("22")));
  CHECK(runs.state.last()->run == name("22"));
  runs.check_whole();
  runs.check_no_orphans();
  // Again: nothing is left to do.
  CHECK(remove_runs(runs.store, runs.state, runs.verdicts(), runs.clock, {}).runs == 0);
}

TEST_CASE("the newest run goes first, and its record before its data", "[chain][retention]") {
  Runs runs;
  std::vector<std::string> removed;
  FaultyStore watched(runs.store, [&](const StoreCall& call) {
    if (call.kind == StoreCall::Kind::remove) {
      removed.push_back(call.name);
      const auto removal = runs.state.removal();
      REQUIRE(removal);
      CHECK(call.name.find(removal->run) != std::string::npos);
    }
    return Fault::none;
  });
  remove_runs(watched, runs.state, runs.verdicts(), runs.clock, {});
  std::vector<std::string> expected;
  for (const auto& [chain, days] : std::vector<std::pair<std::string, Days>>{
           {"11", {"12", "11"}}, {"01", {"03", "02", "01"}}}) {
    for (const std::string& day : days) {
      expected.push_back(
          record_name(name(chain), name(day), day == chain ? RunKind::full : RunKind::increment));
      expected.push_back(index_name(name(chain), name(day), 0));
      expected.push_back(volume_name(name(chain), name(day), 0));
      expected.push_back(volume_name(name(chain), name(day), 1));
    }
  }
  CHECK(removed == expected);
}

TEST_CASE("removal that is interrupted at any call is ended by the next", "[chain][retention]") {
  for (const Fault fault : {Fault::fail_before, Fault::fail_after}) {
    for (const bool by_recovery : {true, false}) {
      for (std::uint64_t n = 1;; ++n) {
        CAPTURE(n, fault == Fault::fail_after, by_recovery);
        Runs runs;
        FaultyStore dying(runs.store, [&](const StoreCall& call) {
          return call.number >= n ? (call.number == n ? fault : Fault::fail_before) : Fault::none;
        });
        const auto kind =
            kind_of([&] { remove_runs(dying, runs.state, runs.verdicts(), runs.clock, {}); });
        runs.check_whole();
        if (by_recovery) {
          const bool pending = runs.state.removal().has_value();
          CHECK(recover_interrupted(runs.store, runs.state).any == pending);
        } else {
          remove_runs(runs.store, runs.state, runs.verdicts(), runs.clock, {});
          // Nothing was left to judge when only data was: then the next backup ends it.
          recover_interrupted(runs.store, runs.state);
        }
        runs.check_whole();
        runs.check_no_orphans();
        CHECK_FALSE(runs.state.removal());
        CHECK(runs.state.last()->run == name("22"));
        CHECK(Catalog(runs.store, nullptr).newest()->run == name("22"));
        if (!by_recovery) CHECK(runs.store.objects.size() == 8);
        if (!kind) break;
        CHECK(*kind == ErrorKind::unavailable);
      }
    }
  }
}

TEST_CASE("removing does not touch a run that was interrupted", "[chain][retention]") {
  Runs runs;
  runs.state.set_journal({name("23"), name("21"), RunKind::increment});
  runs.store.put(volume_name(name("21"), name("23"), 0), Bytes(5));
  CHECK(remove_runs(runs.store, runs.state, runs.verdicts(), runs.clock, {}).runs == 5);
  CHECK(runs.state.journal()->run == name("23"));
  CHECK(runs.store.objects.contains(volume_name(name("21"), name("23"), 0)));
}

TEST_CASE("a removal that cannot be ended is not forgotten", "[chain][retention]") {
  Runs runs;
  runs.state.set_removal({name("12"), name("11"), RunKind::increment});
  runs.state.set_last({name("24"), name("21"), {}});
  const auto before = runs.store.objects.size();
  CHECK(kind_of([&] { remove_runs(runs.store, runs.state, runs.verdicts(), runs.clock, {}); }) ==
        ErrorKind::refused);
  CHECK(runs.state.removal()->run == name("12"));
  CHECK(runs.store.objects.size() == before);
}

TEST_CASE("a broken chain goes when it is due, while another can be restored",
          "[chain][retention]") {
  ChainInfo broken = chain_of({"02", "03"});
  std::swap(broken.runs, broken.stray);
  const std::vector<ChainInfo> whole = {chain_of({"11"})};
  const auto span = base::parse_span("5D");
  CHECK(going(older_than(whole, span, instant("22"), {broken})) == Days{"02", "03"});
  CHECK(going(older_than(whole, span, instant("08"), {broken})).empty());
  CHECK(going(older_than({}, span, instant("22"), {broken})).empty());
  CHECK(going(increments_but(whole, 1, {broken})).empty());
  CHECK(going(only_chain(whole, {broken}, name("02"))) == Days{"02", "03"});
  CHECK(kind_of([&] { only_chain(whole, {broken}, name("11")); }) == ErrorKind::refused);
  CHECK(kind_of([&] { only_chain({}, {broken}, name("02")); }) == ErrorKind::refused);
  CHECK(kind_of([&] { only_chain(whole, {broken}, name("09")); }) == ErrorKind::usage);
}

TEST_CASE("with a chain go its strays", "[chain][retention]") {
  ChainInfo chain = chain_of({"01", "02"});
  chain.stray = {chain_of({"01", "03"}).runs.back()};
  const std::vector<ChainInfo> chains = {chain, chain_of({"21"})};
  CHECK(going(older_than(chains, base::parse_span("5D"), instant("22"))) == Days{"01", "02", "03"});
  CHECK(going(increments_but(chains, 1)) == Days{"02", "03"});
}

TEST_CASE("where the full's record is missing the first run stays in its place",
          "[chain][retention]") {
  ChainInfo chain = chain_of({"01", "02", "03"});
  chain.runs.erase(chain.runs.begin());
  CHECK(going(increments_but({chain, chain_of({"21"})}, 1)) == Days{"03"});
}

TEST_CASE("a clock that jumped ahead makes nothing old", "[chain][retention]") {
  Runs runs;  // the last run is of the 22nd
  const Catalog catalog(runs.store, nullptr);
  const auto age = base::parse_span("5D");
  const auto full_age = base::parse_span("10D");
  const base::Instant last = instant("22");
  const auto judged = [&](base::Instant now, std::optional<base::Instant> confirmed = {}) {
    return older_than(catalog.chains(), age, Ageing(catalog, full_age, now, confirmed));
  };
  const auto held = [&](const std::vector<Verdict>& verdicts) {
    return std::ranges::count_if(verdicts, &Verdict::held);
  };
  const auto days = [](int n) { return std::chrono::hours(24 * n); };
  // So long it may be off: fulls every 10 days, and 45 to spare.
  CHECK(going(judged(last + days(55))).size() == 5);
  CHECK(held(judged(last + days(55))) == 0);
  // Longer: the chain of the first days is due by what is certain, the other is held.
  CHECK(going(judged(last + days(56))) == Days{"01", "02", "03", "11", "12"});
  const auto short_age = base::parse_span("15D");
  const auto of_years = older_than(catalog.chains(), short_age,
                                   Ageing(catalog, full_age, last + days(2000), std::nullopt));
  CHECK(going(of_years) == Days{"01", "02", "03"});
  CHECK(held(of_years) == 2);
  // It stays so in the nights after, which the jump is the only thing to tell of.
  runs.store.put(record_name("20310101T030000Z-000000", "20310101T030000Z-000000", RunKind::full),
                 Bytes(3));
  const base::Instant ahead = *run_time("20310101T030000Z-000000");
  const Catalog later(runs.store, nullptr);
  const auto next_night = [&](std::optional<base::Instant> confirmed) {
    return older_than(later.chains(), short_age,
                      Ageing(later, full_age, ahead + days(1), confirmed));
  };
  CHECK(going(next_night(std::nullopt)) == Days{"01", "02", "03"});
  // Until a person confirms it; not if that was before the jump, or is still to come.
  CHECK(going(next_night(last)) == Days{"01", "02", "03"});
  CHECK(going(next_night(ahead + days(9))) == Days{"01", "02", "03"});
  CHECK(going(next_night(ahead + days(1))).size() == 5);
}

TEST_CASE("nothing is removed while the clocks disagree", "[chain][retention]") {
  Runs runs;
  const auto try_at = [&](std::chrono::seconds apart) {
    ClockedStore store(runs.store, runs.clock.now() + apart);
    return kind_of([&] { remove_runs(store, runs.state, runs.verdicts(), runs.clock, {}); });
  };
  const auto before = runs.store.objects.size();
  CHECK(try_at(std::chrono::seconds(3601)) == ErrorKind::refused);
  CHECK(try_at(std::chrono::seconds(-3601)) == ErrorKind::refused);
  CHECK(runs.store.objects.size() == before);
  CHECK_FALSE(try_at(std::chrono::seconds(-3600)));
  CHECK(runs.store.objects.size() < before);
  // With nothing to remove there is nothing to refuse.
  CHECK_FALSE(try_at(std::chrono::hours(24)));
}

TEST_CASE("a stop request ends removal between runs", "[chain][retention]") {
  Runs runs;
  std::stop_source stop;
  FaultyStore store(runs.store, [&](const StoreCall& call) {
    if (call.kind == StoreCall::Kind::remove) stop.request_stop();
    return Fault::none;
  });
  CHECK(kind_of([&] {
          remove_runs(store, runs.state, runs.verdicts(), runs.clock, stop.get_token());
        }) == ErrorKind::interrupted);
  runs.check_whole();
  runs.check_no_orphans();
  CHECK_FALSE(runs.state.removal());
  CHECK(runs.store.objects.size() == 24);  // one run of seven is gone
}

}  // namespace rota::chain
