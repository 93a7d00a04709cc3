// A backup that is cut off at every place: what was visible stays whole, what was not leaves
// nothing behind, and the next one is as if nothing had happened.

#include <catch2/catch.hpp>

#include "base/error.h"
#include "base/kind_of.h"
#include "chain/interruption.h"
#include "support/faulty_files.h"
#include "tree/local_source.h"

namespace rota::test {

using base::ErrorKind;

namespace {

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

TEST_CASE("what fails behind the record says that the run is complete", "[chain][interruption]") {
  int thrown = 0;
  int warned = 0;
  for (std::uint64_t n = 1;; ++n) {
    INFO("call " << n);
    MemoryStore store;
    Backups backups(store);
    prepare(backups, Stage::increment, false);
    backups.clock.advance(std::chrono::hours(24));
    FaultyFiles files;
    backups.state =
        std::make_unique<chain::LocalState>(backups.temp / "state", backups.cache(), files);
    FaultyStore arming(store, [&](const StoreCall& call) {
      if (call.kind == StoreCall::Kind::put && call.name.starts_with("runs/")) files.fail_at(n);
      return Fault::none;
    });
    std::string said;
    bool failed = false;
    try {
      backups.backup(arming);
    } catch (const base::Error& error) {
      said = error.what();
      failed = true;
    }
    const bool fired = files.fired();
    files.heal();
    const std::vector<std::string> runs = backups.runs();
    REQUIRE(runs.size() == 3);
    if (!failed) CHECK(backups.state->last()->run == runs.back());
    if (!fired) {
      CHECK_FALSE(failed);
      CHECK(backups.warnings.empty());
      break;
    }
    if (!failed) said = lines(backups.warnings);
    CHECK_THAT(said, Catch::Contains("is complete") && Catch::Contains(runs.back()));
    ++(failed ? thrown : warned);
    // Who was not told of it then is told now.
    const auto completed = chain::recover_interrupted(store, *backups.state).completed;
    if (failed) {
      REQUIRE(completed);
      CHECK(completed->run == runs.back());
    }
    CHECK(backups.state->last()->run == runs.back());
  }
  CHECK(thrown > 1);
  CHECK(warned > 1);
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
