// A run that was interrupted goes on under its own name: what is in the store is neither read nor
// put again.

#include "chain/resume_log.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <set>

#include "base/error.h"
#include "base/kind_of.h"
#include "chain/chain_fixture.h"
#include "chain/encryption.h"
#include "chain/verify.h"
#include "support/faulty_files.h"

namespace rota::chain {

using base::ErrorKind;
using test::Backups;
using test::Fault;
using test::FaultyStore;
using test::MemoryStore;
using test::StoreCall;

namespace {

bool is_volume(const std::string& name) { return name.find("/v") != std::string::npos; }

/// Counts the volumes and remembers every object that was put, in the order of the calls.
struct Puts {
  std::vector<std::pair<std::string, base::Bytes>> all;
  std::size_t volumes = 0;

  /// A backup through a store that fails at volume number `until` (from 0).
  static FaultyStore::Rule failing_at(std::size_t until, std::size_t& volumes) {
    return [until, &volumes](const StoreCall& call) {
      if (call.kind != StoreCall::Kind::put || !is_volume(call.name)) return Fault::none;
      return volumes++ < until ? Fault::none : Fault::fail_before;
    };
  }
};

/// 40 files of 1 MiB, and one of 40 MiB that takes several volumes.
void make_tree(Backups& backups) {
  for (int i = 0; i < 40; ++i) {
    test::write(backups.path("a" + std::to_string(i)), test::noise(1 << 20, 100U + unsigned(i)));
  }
  test::write(backups.path("big"), test::noise(40 << 20, 7));
  for (int i = 0; i < 20; ++i) {
    test::write(backups.path("z" + std::to_string(i)), test::noise(1 << 20, 200U + unsigned(i)));
  }
}

std::set<std::string> volumes_of(const MemoryStore& store) {
  std::set<std::string> names;
  for (const auto& [name, object] : store.objects) {
    if (is_volume(name)) names.insert(name);
  }
  return names;
}

/// Interrupts a run at its volume number `until`. Returns the run's name.
std::string interrupt(Backups& backups, std::size_t until) {
  backups.clock.advance(std::chrono::hours(24));
  std::size_t volumes = 0;
  FaultyStore faulty(backups.store, Puts::failing_at(until, volumes));
  REQUIRE(test::kind_of([&] { backups.backup(faulty); }) == ErrorKind::unavailable);
  backups.reopen_state();
  REQUIRE(backups.state->journal());
  return backups.state->journal()->run;
}

}  // namespace

TEST_CASE("a run that is resumed puts each volume once", "[chain][resume]") {
  const bool encrypted = GENERATE(false, true);
  MemoryStore store;
  Backups backups(store);
  if (encrypted) backups.encrypt();
  make_tree(backups);
  std::string run;
  std::set<std::string> there;
  // Interrupted three times: among small files, in the large one, behind it.
  for (const std::size_t until : {2U, 2U, 1U}) {
    const std::string again = interrupt(backups, until);
    if (!run.empty()) CHECK(again == run);
    run = again;
    const std::set<std::string> now = volumes_of(store);
    CHECK(std::ranges::includes(now, there));
    CHECK(now.size() == there.size() + until);
    there = now;
  }
  const auto before = store.objects;
  std::uint64_t opened = 0;
  const RunRecord record = backups.watched([](auto&) {}, &opened);
  CHECK(record.run == run);
  CHECK(record.kind == RunKind::full);
  // Nothing that was there was put again, and what it holds was not stored a second time.
  std::uint64_t stored = 0;
  for (const auto& [name, object] : store.objects) {
    if (!is_volume(name)) continue;
    stored += object.size();
    if (there.contains(name)) CHECK(object == before.at(name));
  }
  const std::uint64_t content = 100 << 20;
  CHECK(stored >= content);
  CHECK(stored < content + content / 100);
  CHECK(opened < 35);  // of 61: the files of five volumes were not opened again
  CHECK(backups.quick_check_all() == "");
  CHECK(test::orphans(store, &backups.keys) == std::vector<std::string>());
  CHECK_FALSE(backups.state->journal());
  CHECK_FALSE(std::filesystem::exists(backups.state->resume_log()));
  base::Progress progress;
  CHECK(verify(store, backups.state.get(), true, progress, {}).problems ==
        std::vector<std::string>());
}

TEST_CASE("what changed since the interruption is stored as it is now", "[chain][resume]") {
  MemoryStore store;
  Backups backups(store);
  make_tree(backups);
  interrupt(backups, 4);
  test::write(backups.path("a1"), test::noise(1 << 20, 999));
  test::write(backups.path("a0-new"), "new");
  std::filesystem::remove(backups.path("a2"));
  std::string big = test::noise(40 << 20, 7);
  big.replace(5 << 20, 4, "edit");
  test::write(backups.path("big"), big);
  const RunRecord record = backups.run();
  CHECK(record.files == 62);
  CHECK(backups.quick_check_all() == "");
  CHECK(test::orphans(store) == std::vector<std::string>());
  CHECK(backups.run().kind == RunKind::increment);
  CHECK(backups.quick_check_all() == "");
}

TEST_CASE("an increment is resumed too, and only on the run that it was built on",
          "[chain][resume]") {
  MemoryStore store;
  Backups backups(store);
  test::write(backups.path("first"), "first");
  backups.run();
  make_tree(backups);
  const std::string run = interrupt(backups, 3);
  const bool adopted = GENERATE(false, true);
  if (adopted) adopt(store, *backups.state);  // somebody cleared it away
  const RunRecord record = backups.run();
  CHECK((record.run == run) == !adopted);
  CHECK(record.kind == RunKind::increment);
  CHECK(backups.quick_check_all() == "");
  CHECK(test::orphans(store) == std::vector<std::string>());
}

TEST_CASE("a run is not resumed when it is old, or another was asked for", "[chain][resume]") {
  MemoryStore store;
  Backups backups(store);
  test::write(backups.path("first"), "first");
  backups.run();
  make_tree(backups);
  const std::string run = interrupt(backups, 3);
  SECTION("its time is over") { backups.clock.advance(kResumable); }
  SECTION("a full is asked for") { backups.settings.force_full = true; }
  SECTION("the clock was set back") { backups.clock.advance(-std::chrono::hours(72)); }
  SECTION("it shall be encrypted now") { backups.encrypt(); }
  SECTION("its notes are lost") { std::filesystem::remove(backups.state->resume_log() + ".new"); }
  const RunRecord record = backups.run();
  CHECK(record.run != run);
  CHECK(backups.quick_check_all() == "");
  CHECK(test::orphans(store, &backups.keys) == std::vector<std::string>());
}

TEST_CASE("notes that are torn or lost in part cost storage and nothing else", "[chain][resume]") {
  std::mt19937 random(5);
  MemoryStore store;
  Backups backups(store);
  make_tree(backups);
  interrupt(backups, 4);
  const std::string notes = backups.state->resume_log() + ".new";
  const auto size = std::filesystem::file_size(notes);
  const int way = GENERATE(0, 1, 2, 3);
  CAPTURE(way, size);
  if (way == 0) std::filesystem::resize_file(notes, size / 2);
  if (way == 1) std::filesystem::resize_file(notes, size - 1);
  if (way == 2) {
    std::string text = base::read_file(notes, 1 << 24);
    text[text.size() / 3] = static_cast<char>(text[text.size() / 3] ^ 1);
    test::write(notes, text);
  }
  if (way == 3) store.objects.erase(*volumes_of(store).begin());  // and a volume that is gone
  backups.run();
  CHECK(backups.quick_check_all() == "");
  CHECK(test::orphans(store) == std::vector<std::string>());
}

TEST_CASE("a resumed encrypted run uses no nonce twice", "[chain][resume][encryption]") {
  MemoryStore store;
  Backups backups(store);
  backups.encrypt();
  make_tree(backups);
  // Under one key, the object's, a nonce must be used once: collected over all that was ever put.
  std::map<std::string, std::set<base::Bytes>> nonces;
  std::size_t chunks = 0;
  std::map<std::string, int> puts;
  const auto watch = [&](std::size_t until, bool up_to_record = false) {
    class Watching final : public store::Store {
     public:
      std::function<void(const std::string&, std::span<const std::byte>)> on_put;
      explicit Watching(store::Store& inner) : inner_(inner) {}
      void put(const std::string& n, std::span<const std::byte> d) override {
        on_put(n, d);
        inner_.put(n, d);
      }
      base::Bytes get(const std::string& n, std::uint64_t l) override { return inner_.get(n, l); }
      std::size_t read_some(const std::string& n, std::uint64_t o,
                            std::span<std::byte> b) override {
        return inner_.read_some(n, o, b);
      }
      store::Page list(const std::string& p, const std::string& a, std::size_t l) override {
        return inner_.list(p, a, l);
      }
      store::Removal remove(const std::string& n) override { return inner_.remove(n); }
      store::HashKind hash_kind() const override { return inner_.hash_kind(); }
      std::string description() const override { return inner_.description(); }

     private:
      store::Store& inner_;
    };
    std::size_t volumes = 0;
    FaultyStore faulty(store, Puts::failing_at(until, volumes));
    Watching watching(faulty);
    watching.on_put = [&](const std::string& name, std::span<const std::byte> data) {
      ++puts[name];
      if (name.starts_with("runs/")) {
        if (up_to_record) throw base::Error(ErrorKind::unavailable, "the store is gone");
        return;
      }
      for (auto rest = data.subspan(kHeaderSize); !rest.empty();
           rest = rest.subspan(std::min(rest.size(), kChunkStored))) {
        const auto nonce = rest.first(kNonceSize);
        CHECK(nonces[name].insert(base::Bytes(nonce.begin(), nonce.end())).second);
        ++chunks;
      }
    };
    backups.clock.advance(std::chrono::hours(24));
    const auto kind = test::kind_of([&] { backups.backup(watching); });
    backups.reopen_state();
    return !kind;
  };
  CHECK_FALSE(watch(2));
  CHECK_FALSE(watch(1));
  CHECK_FALSE(watch(100, true));
  test::write(backups.path("a1"), test::noise(1 << 20, 999));
  CHECK(watch(100));
  CHECK(chunks > (100 << 20) / kChunkRaw);
  // The index was put again: with other content under the same name.
  CHECK(std::ranges::any_of(puts, [](const auto& put) { return put.second > 1; }));
  backups.keep_new();
  CHECK(backups.quick_check_all() == "");
}

TEST_CASE("a resumed run is right wherever it was interrupted, again and again",
          "[chain][resume]") {
  const bool encrypted = GENERATE(false, true);
  // Each cut costs two runs of 45 MiB: a sample of them, all of them in the long tests.
  const std::uint64_t step = std::getenv("ROTA_TEST_LONG") != nullptr ? 1 : 5;
  for (std::uint64_t n = 1;; n += step) {
    CAPTURE(encrypted, n);
    MemoryStore store;
    Backups backups(store);
    if (encrypted) backups.encrypt();
    test::write(backups.path("first"), "first");
    backups.run();
    for (int i = 0; i < 9; ++i) {
      test::write(backups.path("f" + std::to_string(i)), test::noise(3 << 20, unsigned(i)));
    }
    test::write(backups.path("g"), test::noise(18 << 20, 50));
    // Once more cut off at the same operation on files, once at the same call of the store.
    bool fired = false;
    for (int again = 0; again < 2; ++again) {
      test::FaultyFiles files;
      files.crash_at(n);
      backups.clock.advance(std::chrono::hours(24));
      const auto cut = test::kind_of([&] {
        backups.state =
            std::make_unique<LocalState>(backups.temp / "state", backups.cache(), files);
        backups.backup(store);
      });
      // Behind the record a fault is a warning: the run is complete.
      CHECK((!cut || files.fired()));
      fired = fired || files.fired();
      backups.reopen_state();
    }
    backups.keep_new();
    test::write(backups.path("later"), "later");
    backups.run();
    REQUIRE(backups.quick_check_all() == "");
    REQUIRE(test::orphans(store, &backups.keys) == std::vector<std::string>());
    if (!fired) {
      CHECK(n > 20);
      break;
    }
  }
}

}  // namespace rota::chain
