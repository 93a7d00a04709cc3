// Stores that lock what they hold, and keys that may not delete: what is due to go stays whole
// until it can go, and nothing of that is an error.

#include <catch2/catch.hpp>
#include <map>

#include "base/error.h"
#include "base/kind_of.h"
#include "chain/chain_fixture.h"
#include "chain/retention.h"

namespace rota::test {

using base::ErrorKind;
using chain::RunKind;
using chain::RunRecord;
using std::chrono::days;
using std::chrono::hours;
using store::Removal;

namespace {

/// A store with locks, seen with one key: `may` says what that may do with what is not locked.
class LockingStore final : public store::Store {
 public:
  enum class May { remove, hide, nothing };

  void put(const std::string& name, std::span<const std::byte> data) override {
    inner.put(name, data);
    if (lock) until[name] = lock->until;
  }
  base::Bytes get(const std::string& name, std::uint64_t limit) override {
    return inner.get(name, limit);
  }
  std::size_t read_some(const std::string& name, std::uint64_t offset,
                        std::span<std::byte> buffer) override {
    return inner.read_some(name, offset, buffer);
  }
  store::Page list(const std::string& prefix, const std::string& after,
                   std::size_t limit) override {
    return inner.list(prefix, after, limit);
  }
  Removal remove(const std::string& name) override {
    const auto locked = until.find(name);
    if (may == May::nothing || (locked != until.end() && locked->second > *clock)) {
      return Removal::later;
    }
    inner.remove(name);
    return may == May::hide ? Removal::hidden : Removal::gone;
  }
  void set_lock(const std::optional<store::ObjectLock>& wanted) override { lock = wanted; }
  store::HashKind hash_kind() const override { return store::HashKind::none; }
  std::string description() const override { return "locking"; }

  MemoryStore inner;
  May may = May::remove;
  std::optional<store::ObjectLock> lock;
  std::map<std::string, base::Instant> until;
  std::optional<base::Instant> clock = base::Instant{};
};

struct Locked {
  Locked() : backups(store) {
    write(backups.path("a"), "first");
    backups.settings.max_full_age = {};
    backups.settings.max_full_age.days = 10;
    backups.settings.lock = {days(30), store::ObjectLock::Mode::governance};
  }
  RunRecord run() {
    write(backups.path("a"), "version " + std::to_string(++version));
    RunRecord record = backups.run();
    store.clock = backups.clock.now();
    return record;
  }
  chain::Removed purge() {
    return chain::remove_runs(
        store, *backups.state,
        chain::increments_but(chain::Catalog(store, backups.state.get()).chains(), 1),
        backups.clock, {});
  }
  void later(std::chrono::seconds by) {
    backups.clock.advance(by);
    store.clock = backups.clock.now();
  }

  LockingStore store;
  Backups backups;
  int version = 0;
};

}  // namespace

TEST_CASE("a chain is locked as a whole until one date, and each run for long enough",
          "[chain][lock]") {
  Locked locked;
  const RunRecord full = locked.run();
  const base::Instant until = full.time + days(40);
  CHECK(full.locked_until == until);
  for (int n = 1; n < 10; ++n) CHECK(locked.run().locked_until == until);
  for (const auto& [name, bytes] : locked.store.inner.objects) {
    CHECK(locked.store.until.at(name) == until);
  }
  const RunRecord next = locked.run();
  CHECK(next.kind == RunKind::full);
  CHECK(next.locked_until == next.time + days(40));
}

TEST_CASE("a chain ends when less than the least lock is left, whatever the profile says now",
          "[chain][lock]") {
  Locked locked;
  locked.run();
  locked.backups.settings.max_full_age.days = 1000;
  for (int n = 1; n <= 10; ++n) CHECK(locked.run().kind == RunKind::increment);
  CHECK(locked.run().kind == RunKind::full);
}

TEST_CASE("a chain that is not locked is followed by one that is", "[chain][lock]") {
  Locked locked;
  const auto lock = locked.backups.settings.lock;
  locked.backups.settings.lock.reset();
  CHECK_FALSE(locked.run().locked_until);
  locked.backups.settings.lock = lock;
  const RunRecord next = locked.run();
  CHECK(next.kind == RunKind::full);
  CHECK(next.locked_until);
  CHECK(locked.run().kind == RunKind::increment);
}

TEST_CASE("an interrupted run is resumed only under the lock that it began with", "[chain][lock]") {
  Locked locked;
  write(locked.backups.path("big"), noise(36 << 20, 1));
  const bool same = GENERATE(true, false);
  const auto lock = locked.backups.settings.lock;
  if (!same) locked.backups.settings.lock.reset();
  FaultyStore failing(locked.store, [](const StoreCall& call) {
    return call.kind == StoreCall::Kind::put && call.name.starts_with("runs/") ? Fault::fail_before
                                                                               : Fault::none;
  });
  locked.backups.clock.advance(hours(24));
  CHECK(kind_of([&] { locked.backups.backup(failing); }) == ErrorKind::unavailable);
  const std::string begun = locked.backups.state->journal()->run;
  locked.backups.settings.lock = lock;
  const RunRecord record = locked.run();
  CHECK((record.run == begun) == same);
  for (const auto& [name, bytes] : locked.store.inner.objects) {
    INFO(name);
    CHECK(locked.store.until.at(name) == record.locked_until);
  }
  CHECK(locked.backups.quick_check_all() == "");
}

TEST_CASE("a store without locks says so instead of backing up without", "[chain][lock]") {
  MemoryStore store;
  Backups backups(store);
  backups.settings.lock = {days(30), store::ObjectLock::Mode::governance};
  CHECK(kind_of([&] { backups.run(); }) == ErrorKind::config);
  CHECK(store.objects.empty());
}

TEST_CASE("runs that are due stay whole while they are locked, and go afterwards",
          "[chain][lock]") {
  Locked locked;
  locked.run();
  const RunRecord second = locked.run();
  const RunRecord third = locked.run();
  locked.backups.full();
  const auto before = locked.store.inner.objects;
  const chain::Removed first_try = locked.purge();
  CHECK(first_try.later == std::vector<std::string>{third.run, second.run});
  CHECK(first_try.runs == 0);
  CHECK(locked.store.inner.objects == before);
  CHECK_FALSE(locked.backups.state->removal());
  CHECK(locked.backups.quick_check_all() == "");

  locked.later(days(40));
  const chain::Removed second_try = locked.purge();
  CHECK(second_try.later.empty());
  CHECK(second_try.runs == 2);
  CHECK(locked.backups.runs().size() == 2);
  CHECK(orphans(locked.store) == std::vector<std::string>());
}

TEST_CASE("a removal that was cut off leaves a run alone whose record stays", "[chain][lock]") {
  Locked locked;
  locked.run();
  const RunRecord second = locked.run();
  locked.backups.full();
  // As it is when the process ends before the removal of the record.
  locked.backups.state->set_removal({second.run, second.chain, second.kind});
  const auto before = locked.store.inner.objects;
  CHECK(chain::recover_interrupted(locked.store, *locked.backups.state).any);
  CHECK(locked.store.inner.objects == before);
  CHECK_FALSE(locked.backups.state->removal());
}

TEST_CASE("a key that may only hide hides, and one that may do nothing reports what is due",
          "[chain][lock]") {
  Locked locked;
  locked.backups.settings.lock.reset();
  locked.run();
  const RunRecord second = locked.run();
  locked.backups.full();
  locked.store.may = LockingStore::May::nothing;
  const chain::Removed none = locked.purge();
  CHECK(none.later == std::vector<std::string>{second.run});
  CHECK(locked.backups.quick_check_all() == "");
  locked.store.may = LockingStore::May::hide;
  const chain::Removed hidden = locked.purge();
  CHECK(hidden.later.empty());
  CHECK(hidden.hidden);
  CHECK(hidden.runs == 1);
  CHECK(locked.backups.runs().size() == 2);
}

TEST_CASE("what a run without a journal left behind goes when nobody can be writing it any more",
          "[chain][forgotten]") {
  MemoryStore store;
  Backups backups(store);
  write(backups.path("a"), "content");
  backups.run();
  const auto whole = store.objects;
  const base::Instant begun = backups.clock.now();
  const std::string left = chain::new_run_name(begun);
  const std::string chain = backups.runs().front();
  for (const std::string& name :
       {chain::volume_name(chain, left, 0), chain::index_name(chain, left, 0),
        chain::volume_name(left, left, 0)}) {
    store.put(name, base::Bytes(100));
  }
  store.put("data/foreign", base::Bytes(5));
  const auto forget = [&](base::Instant now) {
    const chain::Catalog catalog(store, nullptr);
    return chain::remove_forgotten(store,
                                   chain::find_forgotten(store, *backups.state, catalog, now), {})
        .objects;
  };
  CHECK(forget(begun + chain::kResumable) == 0);
  backups.state->set_journal({left, chain, RunKind::increment});
  CHECK(forget(begun + chain::kResumable + hours(1)) == 1);  // the journal knows the others
  backups.state->clear_journal();
  const auto last = *backups.state->last();
  backups.state->set_last({left, chain, {}});
  CHECK(forget(begun + chain::kResumable + hours(1)) == 0);  // not this machine's store
  backups.state->set_last(last);
  CHECK(forget(begun + chain::kResumable + hours(1)) == 2);
  store.objects.erase("data/foreign");
  CHECK(store.objects == whole);
  CHECK(backups.quick_check_all() == "");
}

TEST_CASE("the data of a run whose record was lost stays while a record names it",
          "[chain][forgotten]") {
  MemoryStore store;
  Backups backups(store);
  write(backups.path("a"), noise(5'000, 1));
  const RunRecord first = backups.run();
  write(backups.path("b"), noise(5'000, 2));
  const RunRecord second = backups.run();
  write(backups.path("c"), noise(5'000, 3));
  const RunRecord third = backups.run();
  const RunRecord& lost = GENERATE_REF(first, second);
  store.remove(chain::record_name(lost.chain, lost.run, lost.kind));
  const base::Instant later = backups.clock.now() + chain::kResumable * 2;
  const auto found = [&](bool damaged) {
    auto& record = store.objects.at(chain::record_name(third.chain, third.run, third.kind));
    if (damaged) record[30] ^= std::byte{1};
    const chain::Catalog catalog(store, nullptr);
    const auto forgotten = chain::find_forgotten(store, *backups.state, catalog, later);
    if (damaged) record[30] ^= std::byte{1};
    return forgotten.size();
  };
  CHECK(found(false) == 0);
  CHECK(found(true) == 0);  // a record that cannot be read may name it
  CHECK(backups.check(third.run) == "");
  // With its chain it goes.
  backups.full();
  for (const RunRecord& run : {first, second, third}) {
    store.remove(chain::record_name(run.chain, run.run, run.kind));
  }
  const chain::Catalog catalog(store, nullptr);
  CHECK(chain::find_forgotten(store, *backups.state, catalog, later).size() == 3);
}

}  // namespace rota::test
