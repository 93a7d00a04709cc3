// A backup that is cut off at every place: what was visible stays whole, what was not leaves
// nothing behind, and the next one is as if nothing had happened.

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "base/error.h"
#include "base/kind_of.h"
#include "chain/chain_fixture.h"
#include "chain/verify.h"
#include "support/faulty_files.h"
#include "tree/local_source.h"

namespace rota::test {

using base::ErrorKind;

namespace {

namespace fs = std::filesystem;

/// What a sweep cuts off: the first run of all, or a later one that has something of everything.
enum class Stage { full, increment };

/// A tree with two runs behind it (none for Stage::full) and changes that wait for the next.
void prepare(Backups& backups, Stage stage, bool volumes) {
  write(backups.path("a"), "first");
  write(backups.path("dir/b"), noise(20'000, 1));
  if (stage == Stage::increment) {
    backups.run();
    write(backups.path("a"), "second");
    write(backups.path("gone"), "soon");
    backups.run();
    fs::remove(backups.path("gone"));
    fs::create_hard_link(backups.path("dir/b"), backups.path("dir/hard"));
    write(backups.path("dir/b"), noise(20'000, 1) + "more");
    write(backups.path("a"), "third");
  }
  // Several volumes, so that the cut also falls between them.
  if (volumes) write(backups.path("big"), noise(36 << 20, 2));
}

/// After a backup that was cut off. True when it had become visible all the same.
bool check_and_go_on(Backups& backups, std::size_t runs_before) {
  backups.reopen_state();
  backups.keep_new();
  const std::size_t visible = backups.runs().size();
  CHECK(visible >= runs_before);
  CHECK(visible <= runs_before + 1);
  REQUIRE(backups.quick_check_all() == "");
  write(backups.path("dir/afterwards"), "new");
  const chain::RunRecord record = backups.run();
  CHECK(record.runs.size() == visible + 1);
  CHECK(backups.runs().size() == visible + 1);
  REQUIRE(backups.quick_check_all() == "");
  REQUIRE(orphans(backups.store, &backups.keys) == std::vector<std::string>());
  base::Progress progress;
  const auto verified = chain::verify(backups.store, backups.state.get(), true, progress, {});
  REQUIRE(verified.problems == std::vector<std::string>());
  return visible > runs_before;
}

/// Calls `cut(n, backups)` with a new profile for n = 1, 2, … until it says that n was beyond the
/// end.
template <typename Cut>
std::uint64_t sweep(Stage stage, bool volumes, Cut cut) {
  for (std::uint64_t n = 1;; ++n) {
    INFO("call " << n);
    MemoryStore store;
    Backups backups(store);
    prepare(backups, stage, volumes);
    const std::size_t before = backups.runs().size();
    backups.clock.advance(std::chrono::hours(24));
    const bool cut_off = cut(n, backups);
    const bool visible = check_and_go_on(backups, before);
    if (!cut_off) {
      CHECK(visible);
      CHECK(n >= 4);  // it did sweep
      return n - 1;
    }
  }
}

}  // namespace

TEST_CASE("a store that fails once, at every call", "[chain][interruption]") {
  const Stage stage = GENERATE(Stage::full, Stage::increment);
  const Fault fault = GENERATE(Fault::fail_before, Fault::fail_after);
  const std::uint64_t calls = sweep(stage, false, [&](std::uint64_t n, Backups& backups) {
    FaultyStore faulty(backups.store, [&](const StoreCall& call) {
      return call.number == n ? fault : Fault::none;
    });
    const auto kind = kind_of([&] { backups.backup(faulty); });
    if (kind) CHECK(*kind == ErrorKind::unavailable);
    return kind.has_value();
  });
  CHECK(calls >= 4);
}

TEST_CASE("a store that is gone from a call on", "[chain][interruption]") {
  const Stage stage = GENERATE(Stage::full, Stage::increment);
  const bool took_effect = GENERATE(false, true);
  const bool volumes = stage == Stage::full && !took_effect;
  sweep(stage, volumes, [&](std::uint64_t n, Backups& backups) {
    FaultyStore faulty(backups.store, [&](const StoreCall& call) {
      if (call.number == n && took_effect) return Fault::fail_after;
      return call.number >= n ? Fault::fail_before : Fault::none;
    });
    const auto kind = kind_of([&] { backups.backup(faulty); });
    return kind.has_value();
  });
}

TEST_CASE("a store that fails again while the cut-off run is tidied up", "[chain][interruption]") {
  // Cut at the run record; then the clearing itself is cut at every call.
  sweep(Stage::increment, false, [&](std::uint64_t n, Backups& backups) {
    FaultyStore first(backups.store, [](const StoreCall& call) {
      return call.kind == StoreCall::Kind::put && call.name.starts_with("runs/")
                 ? Fault::fail_before
                 : Fault::none;
    });
    CHECK(kind_of([&] { backups.backup(first); }) == ErrorKind::unavailable);
    FaultyStore second(backups.store, [&](const StoreCall& call) {
      return call.number >= n ? Fault::fail_before : Fault::none;
    });
    backups.clock.advance(std::chrono::hours(24));
    return kind_of([&] { backups.backup(second); }).has_value();
  });
}

TEST_CASE("a machine that cannot write what it remembers, at every operation",
          "[chain][interruption]") {
  const Stage stage = GENERATE(Stage::full, Stage::increment);
  const bool crash = GENERATE(false, true);
  sweep(stage, false, [&](std::uint64_t n, Backups& backups) {
    FaultyFiles files;
    if (crash) {
      files.crash_at(n);
    } else {
      files.fail_at(n);
    }
    const auto kind = kind_of([&] {
      backups.state =
          std::make_unique<chain::LocalState>(backups.temp / "state", backups.cache(), files);
      backups.backup(backups.store);
    });
    if (kind) CHECK(*kind == ErrorKind::io);
    return files.fired();
  });
}

TEST_CASE("a process that is killed at every call to the store", "[chain][interruption]") {
  const Stage stage = GENERATE(Stage::full, Stage::increment);
  for (const bool after : {false, true}) {
    for (std::uint64_t n = 1;; ++n) {
      INFO("killed " << (after ? "after" : "before") << " call " << n);
      Backups backups;
      prepare(backups, stage, false);
      const std::size_t before = backups.runs().size();
      backups.clock.advance(std::chrono::hours(24));
      const pid_t child = ::fork();
      REQUIRE(child >= 0);
      if (child == 0) {
        // Nothing of Catch2 may run here: the child ends without unwinding.
        int status = 1;
        try {
          FaultyStore killing(backups.store, [&](const StoreCall& call) {
            if (call.number == n + (after ? 1 : 0)) ::kill(::getpid(), SIGKILL);
            return Fault::none;
          });
          base::CollectedWarnings warnings;
          base::Progress progress;
          tree::LocalSource source(backups.tree, {}, warnings);
          chain::backup(killing, *backups.state, source, backups.settings, backups.clock, warnings,
                        progress, {});
          status = 0;
        } catch (...) {
        }
        ::_exit(status);
      }
      int status = 0;
      REQUIRE(::waitpid(child, &status, 0) == child);
      const bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
      if (!killed) REQUIRE(status == 0);
      check_and_go_on(backups, before);
      if (!killed) break;
    }
  }
}

TEST_CASE("a run that is asked to stop says so and leaves nothing", "[chain][interruption]") {
  const Stage stage = GENERATE(Stage::full, Stage::increment);
  sweep(stage, false, [&](std::uint64_t n, Backups& backups) {
    std::stop_source stop;
    FaultyStore stopping(backups.store, [&](const StoreCall& call) {
      if (call.number == n) stop.request_stop();
      return Fault::none;
    });
    base::CollectedWarnings warnings;
    tree::LocalSource source(backups.tree, {}, warnings);
    const auto kind = kind_of([&] { backups.backup(stopping, source, stop.get_token()); });
    if (kind) CHECK(*kind == ErrorKind::interrupted);
    // Once the record is on its way, the run is complete.
    return kind.has_value();
  });
}

TEST_CASE("a run that is asked to stop while it streams a large file stops soon",
          "[chain][interruption]") {
  MemoryStore store;
  Backups backups(store);
  prepare(backups, Stage::increment, true);
  std::stop_source stop;
  base::CollectedWarnings warnings;
  tree::LocalSource local(backups.tree, {}, warnings);
  WatchedSource source(local);
  std::uint64_t read_after = 0;
  source.on_content = [&](const tree::Entry& entry, std::unique_ptr<tree::Content> content) {
    class Counted final : public PassedContent {
     public:
      Counted(std::unique_ptr<tree::Content> inner, std::stop_source& source, std::uint64_t& after)
          : PassedContent(std::move(inner)), source_(source), after_(after) {}
      std::size_t read(std::span<std::byte> buffer) override {
        const std::size_t n = PassedContent::read(buffer);
        read_ += n;
        if (source_.stop_requested()) after_ += n;
        if (read_ > (8 << 20)) source_.request_stop();
        return n;
      }

     private:
      std::stop_source& source_;
      std::uint64_t& after_;
      std::uint64_t read_ = 0;
    };
    if (entry.path != "big") return content;
    return std::unique_ptr<tree::Content>(
        std::make_unique<Counted>(std::move(content), stop, read_after));
  };
  backups.clock.advance(std::chrono::hours(24));
  CHECK(kind_of([&] { backups.backup(store, source, stop.get_token()); }) ==
        ErrorKind::interrupted);
  CHECK(read_after <= (2 << 20));
  check_and_go_on(backups, 2);
}

}  // namespace rota::test
