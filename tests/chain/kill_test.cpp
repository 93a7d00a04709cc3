// A process that is killed before each of its system calls that change a file, those of SQLite
// included: what was visible stays whole, and the next run is as if nothing had happened.

#include <catch2/catch.hpp>
#include <functional>

#include "base/time.h"
#include "chain/interruption.h"
#include "chain/retention.h"
#include "store/directory_store.h"
#include "support/killer.h"
#include "support/skip.h"
#include "tree/local_source.h"

namespace rota::test {

namespace {

/// A profile in memory, whose store is a directory there.
struct Place {
  Place() : directory(fast_directory()), store(directory / "store"), backups(store) {}
  TempDir directory;
  store::DirectoryStore store;
  Backups backups;
};

/// Every call in an ordinary build. With the sanitizers, which take five times as long and look at
/// memory, not at files, some.
#ifdef __SANITIZE_ADDRESS__
constexpr std::uint64_t kStep = 7;
#else
constexpr std::uint64_t kStep = 1;
#endif

/// Kills `work` at its 1st, 2nd, … call on a place that `prepare` has made, and looks at what is
/// left, until the work ends before it is killed. Returns how many calls there are.
std::uint64_t sweep(const std::function<void(Backups&)>& prepare,
                    const std::function<void(Backups&)>& work,
                    const std::function<void(Backups&, bool killed)>& check) {
  for (std::uint64_t n = 1;; n += kStep) {
    INFO("killed before call " << n);
    Place place;
    prepare(place.backups);
    place.backups.clock.advance(std::chrono::hours(24));
    const bool killed = kill_at(n, [&] { work(place.backups); });
    check(place.backups, killed);
    if (!killed) return n - 1;
  }
}

void back_up(Backups& backups) {
  backups.reopen_state();
  backups.backup(backups.store);
}

/// Two chains; the increments of the older one are to go.
void prepare_two_chains(Backups& backups) {
  prepare(backups, Stage::increment, false);
  backups.run();
  backups.full();
  write(backups.path("a"), "fourth");
  backups.run();
}

std::vector<chain::Verdict> judge(Backups& backups) {
  return chain::increments_but(chain::Catalog(backups.store, nullptr, &backups.keys).chains(), 1);
}

void purge(Backups& backups) {
  backups.reopen_state();
  chain::remove_runs(backups.store, *backups.state, judge(backups), backups.clock, {});
}

}  // namespace

TEST_CASE("a backup that is killed at every system call that changes a file",
          "[chain][interruption][kill]") {
  if (!can_trace()) return skip("processes may not be traced here");
  const Stage stage = GENERATE(Stage::full, Stage::increment);
  const bool encrypted = GENERATE(false, true);
  bool visible = false;
  const std::uint64_t calls = sweep(
      [&](Backups& backups) {
        if (encrypted) backups.encrypt();
        prepare(backups, stage, false);
      },
      back_up,
      [&](Backups& backups, bool) {
        visible = check_and_go_on(backups, stage == Stage::full ? 0 : 2);
      });
  CHECK(visible);  // the one that was not killed
  CHECK(calls >= 40);
}

TEST_CASE("a resumed backup that is killed at every system call that changes a file",
          "[chain][interruption][kill]") {
  if (!can_trace()) return skip("processes may not be traced here");
  const auto volume_is_put = [](Backups& backups) {
    FaultyStore failing(backups.store, [](const StoreCall& call) {
      return call.kind == StoreCall::Kind::put && call.name.starts_with("runs/")
                 ? Fault::fail_before
                 : Fault::none;
    });
    try {
      backups.backup(failing);
      FAIL("the backup was not cut off");
    } catch (const base::Error&) {
    }
  };
  std::uint64_t resumed = 0;
  sweep(
      [&](Backups& backups) {
        prepare(backups, Stage::increment, false);
        backups.clock.advance(std::chrono::hours(24));
        volume_is_put(backups);
      },
      back_up, [&](Backups& backups, bool) { resumed += check_and_go_on(backups, 2) ? 1 : 0; });
  CHECK(resumed >= 2);  // the last, and those that were killed behind the record
}

TEST_CASE("a purge that is killed at every system call that changes a file",
          "[chain][retention][kill]") {
  if (!can_trace()) return skip("processes may not be traced here");
  bool done = false;
  const std::uint64_t calls = sweep(prepare_two_chains, purge, [&](Backups& backups, bool) {
    backups.reopen_state();
    const std::size_t visible = backups.runs().size();
    CHECK(visible >= 3);  // two fulls and the newer chain's increment
    CHECK(visible <= 5);
    done = visible == 3;
    check_and_go_on(backups, visible);
    purge(backups);
    CHECK(backups.runs().size() == 4);
    REQUIRE(orphans(backups.store, &backups.keys) == std::vector<std::string>());
    REQUIRE(backups.quick_check_all() == "");
  });
  CHECK(done);
  CHECK(calls >= 20);
}

}  // namespace rota::test
