// Which run follows which: ages, clocks, and stores that are not this machine's.
#include <catch2/catch.hpp>
#include <filesystem>

#include "base/error.h"
#include "base/kind_of.h"
#include "chain/behaviour.h"

namespace rota::test {

using base::ErrorKind;
using chain::RunKind;
using chain::RunRecord;

namespace fs = std::filesystem;

TEST_CASE("a chain that is old enough is followed by a new full", "[chain]") {
  Backups backups;
  make_tree(backups);
  backups.settings.max_full_age = {};
  backups.settings.max_full_age.days = 3;
  const RunRecord full = backups.run();
  CHECK(backups.run().chain == full.chain);
  CHECK(backups.run().chain == full.chain);
  const RunRecord next = backups.run();
  CHECK(next.kind == RunKind::full);
  CHECK(next.chain == next.run);
  CHECK(next.pieces.size() == 1);
  // It shares nothing with the chain before.
  for (const std::string& run : {full.run}) {
    store::for_each_object(
        backups.store, chain::data_prefix(full.chain, run),
        [&](const store::ObjectInfo& object) { backups.store.remove(object.name); });
  }
  CHECK(backups.check(next.run) == "");
  CHECK(backups.run().chain == next.chain);
}

TEST_CASE("a store that this machine does not know is refused until it is adopted", "[chain]") {
  Backups backups;
  make_tree(backups);
  const auto refused = [&] {
    return kind_of([&] { backups.backup(backups.store); }) == ErrorKind::refused;
  };
  const auto goes_on = [&](RunKind kind) {
    const RunRecord record = backups.run();
    CHECK(record.kind == kind);
    CHECK(is_restored(backups, record));
  };
  backups.run();
  const RunRecord last = backups.run();

  SECTION("the state was lost") {
    remove_tree(backups.temp / "state");
    backups.reopen_state();
    CHECK(refused());
    CHECK(chain::adopt(backups.store, *backups.state) == last.run);
    goes_on(RunKind::increment);
  }
  SECTION("another machine wrote the newest run") {
    fs::copy(backups.temp / "state", backups.temp / "clone", fs::copy_options::recursive);
    auto clone =
        std::make_unique<chain::LocalState>(backups.temp / "clone", backups.temp / "clone-cache");
    write(backups.path("a"), "newer");
    std::swap(backups.state, clone);
    const RunRecord theirs = backups.run();
    std::swap(backups.state, clone);
    CHECK(refused());
    CHECK(chain::adopt(backups.store, *backups.state) == theirs.run);
    goes_on(RunKind::increment);
  }
  SECTION("the disk is not mounted") {
    fs::rename(backups.temp / "store", backups.temp / "unmounted");
    CHECK(refused());
    CHECK_FALSE(base::exists(backups.temp / "store"));
    SECTION("and is mounted again") {
      fs::rename(backups.temp / "unmounted", backups.temp / "store");
      goes_on(RunKind::increment);
    }
    SECTION("and shall be begun anew") {
      CHECK(chain::adopt(backups.store, *backups.state) == "");
      goes_on(RunKind::full);
    }
  }
  SECTION("the newest run was removed") {
    backups.store.remove(chain::record_name(last.chain, last.run, last.kind));
    CHECK(refused());
    CHECK(chain::adopt(backups.store, *backups.state) == backups.runs().front());
    goes_on(RunKind::increment);
  }
  CHECK(backups.quick_check_all() == "");
}

TEST_CASE("a disk that is not mounted does not make an interrupted run forgotten", "[chain]") {
  Backups backups;
  make_tree(backups);
  backups.run();
  write(backups.path("new"), noise(10'000, 3));
  const bool visible = GENERATE(false, true);
  FaultyStore faulty(backups.store, [&](const StoreCall& call) {
    if (call.kind != StoreCall::Kind::put || !call.name.starts_with("runs/")) return Fault::none;
    return visible ? Fault::fail_after : Fault::fail_before;
  });
  backups.clock.advance(std::chrono::hours(24));
  CHECK(kind_of([&] { backups.backup(faulty); }) == ErrorKind::unavailable);
  fs::rename(backups.temp / "store", backups.temp / "unmounted");
  CHECK(kind_of([&] { backups.backup(backups.store); }) == ErrorKind::refused);
  fs::rename(backups.temp / "unmounted", backups.temp / "store");
  backups.keep_new();
  const RunRecord record = backups.run();
  CHECK(record.runs.size() == (visible ? 3 : 2));
  CHECK(orphans(backups.store) == std::vector<std::string>());
  CHECK(backups.quick_check_all() == "");
}

TEST_CASE("two runs in one second follow each other", "[chain]") {
  MemoryStore store;
  Backups backups(store);
  make_tree(backups);
  std::vector<std::string> order;
  for (int n = 0; n < 12; ++n) {
    INFO("run " << n);
    write(backups.path("a"), "version " + std::to_string(n));
    backups.settings.force_full = n % 4 == 2;
    const RunRecord record = backups.backup(backups.store);
    backups.keep(record.run);
    order.push_back(record.run);
    CHECK(chain::Catalog(store, nullptr).newest()->run == record.run);
  }
  CHECK(backups.runs() == order);
  CHECK(backups.quick_check_all() == "");
}

TEST_CASE("a clock that is set forward and back by days does not change the order of runs",
          "[chain]") {
  MemoryStore store;
  Backups backups(store);
  make_tree(backups);
  std::vector<std::string> order;
  for (int n = 0; n < 8; ++n) {
    INFO("run " << n);
    write(backups.path("a"), "version " + std::to_string(n));
    if (n % 2 == 1) backups.clock.advance(std::chrono::hours(-24 * 5));
    if (n % 3 == 2) backups.clock.advance(std::chrono::hours(24 * 40));
    backups.settings.force_full = n == 4 || n == 5;
    const RunRecord record = backups.run();
    order.push_back(record.run);
    const chain::Catalog catalog(store, nullptr);
    CHECK(catalog.select("", backups.clock.now()).run == record.run);
    CHECK(contents(backups, catalog.newest()->run, "a") == "version " + std::to_string(n));
  }
  CHECK(backups.runs() == order);
  CHECK(backups.quick_check_all() == "");
}

TEST_CASE("a full that was made while the clock was ahead does not put off the next", "[chain]") {
  MemoryStore store;
  Backups backups(store);
  make_tree(backups);
  backups.settings.max_full_age = {};
  backups.settings.max_full_age.days = 3;
  const base::Instant right = backups.clock.now();
  backups.clock.advance(std::chrono::hours(24 * 400));
  const RunRecord full = backups.run();
  backups.clock.set(right);
  for (int n = 0; n < 3; ++n) CHECK(backups.run().chain == full.chain);
  const RunRecord next = backups.run();
  CHECK(next.kind == RunKind::full);
  CHECK(chain::Catalog(store, nullptr).newest()->run == next.run);
  // It follows the one before by name, and by its time it is ahead too: nor does that matter.
  CHECK(backups.run().chain == next.chain);
  CHECK(backups.quick_check_all() == "");
}

TEST_CASE("adopting takes the newest run also where an older one was not noted", "[chain]") {
  MemoryStore store;
  Backups backups(store);
  make_tree(backups);
  const RunRecord first = backups.run();
  const auto after_first = *backups.state->last();
  const RunRecord second = backups.run();
  // As it is when this machine was cut off behind the second, and another one wrote the third.
  const RunRecord third = backups.run();
  backups.state->set_last(after_first);
  backups.state->set_journal({second.run, second.chain, second.kind, first.run});
  CHECK(chain::adopt(store, *backups.state) == third.run);
  CHECK(backups.state->last()->run == third.run);
  CHECK_FALSE(backups.state->journal());
  CHECK(backups.run().parent == third.run);
}

}  // namespace rota::test
