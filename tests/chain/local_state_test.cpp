#include "chain/local_state.h"

#include <catch2/catch.hpp>

#include "base/error.h"
#include "base/kind_of.h"
#include "support/faulty_files.h"
#include "support/files.h"

namespace rota::chain {

using base::Bytes;
using base::ErrorKind;
using test::kind_of;
using test::message_of;

namespace {

const std::string kFull = "20260104T030000Z-7f3a9c";
const std::string kIncrement = "20260105T030000Z-00ab12";

struct Fixture {
  test::TempDir temp;
  LocalState state{temp / "state", temp / "cache"};
  std::string path(const std::string& name) const { return temp / name; }
};

const base::Sha256Digest kDigest = base::sha256(base::as_bytes("record"));

}  // namespace

TEST_CASE("a fresh state knows nothing", "[chain][state]") {
  Fixture f;
  CHECK_FALSE(f.state.last());
  CHECK_FALSE(f.state.journal());
  CHECK_FALSE(f.state.record(kFull));
  f.state.clear_last();
  f.state.clear_journal();
  f.state.forget_record(kFull);
  CHECK(f.state.state_directory() == f.path("state"));
}

TEST_CASE("the state remembers across processes", "[chain][state]") {
  Fixture f;
  f.state.set_last({kIncrement, kFull, kDigest});
  f.state.set_journal({kFull, kFull, RunKind::full});
  const LocalState again(f.path("state"), f.path("cache"));
  const auto last = again.last();
  REQUIRE(last);
  CHECK(last->run == kIncrement);
  CHECK(last->chain == kFull);
  CHECK(last->record_sha256 == kDigest);
  auto journal = again.journal();
  REQUIRE(journal);
  CHECK(journal->run == kFull);
  CHECK(journal->chain == kFull);
  CHECK(journal->kind == RunKind::full);
  f.state.set_journal({kIncrement, kFull, RunKind::increment});
  journal = again.journal();
  CHECK(journal->kind == RunKind::increment);
  CHECK_FALSE(again.removal());
  f.state.set_removal({kFull, kFull, RunKind::full});
  REQUIRE(again.removal());
  CHECK(again.removal()->run == kFull);
  CHECK(again.journal()->run == kIncrement);
  f.state.clear_removal();
  CHECK_FALSE(again.removal());
  CHECK(again.journal()->run == kIncrement);
  f.state.clear_journal();
  CHECK_FALSE(again.clock_believed());
  f.state.believe_clock(base::Instant(std::chrono::seconds(1'800'000'000)));
  CHECK(again.clock_believed()->time_since_epoch().count() == 1'800'000'000);
  f.state.clear_last();
  CHECK_FALSE(again.journal());
  CHECK_FALSE(again.last());
}

TEST_CASE("the journal of a removal that an older rota began is one of a removal",
          "[chain][state]") {
  Fixture f;
  test::write(f.path("state/journal"), R"({"run": ")" + kFull + R"(", "chain": ")" + kFull +
                                           R"(", "kind": "full", "removing": true})");
  CHECK_FALSE(f.state.journal());
  REQUIRE(f.state.removal());
  CHECK(f.state.removal()->run == kFull);
  f.state.clear_removal();
  CHECK_FALSE(f.state.removal());
  CHECK_FALSE(base::exists(f.path("state/journal")));
}

TEST_CASE("damaged state files are corrupt and say what to do", "[chain][state]") {
  Fixture f;
  f.state.set_last({kIncrement, kFull, kDigest});
  f.state.set_journal({kIncrement, kFull, RunKind::increment});
  const std::string last = test::read(f.path("state/last"));
  const std::string journal = test::read(f.path("state/journal"));
  const auto replaced = [](std::string text, const std::string& from, const std::string& to) {
    REQUIRE(text.find(from) != std::string::npos);
    return text.replace(text.find(from), from.size(), to);
  };
  for (const std::string& bad :
       {std::string(), std::string("{}"), std::string("[]"), std::string("\0\0\0", 3),
        std::string(100'000, ' '), last.substr(0, last.size() / 2),
        replaced(last, "\"run\"", "\"ran\""), replaced(last, kIncrement, "x"),
        replaced(last, "\"" + kIncrement + "\"", "7"), replaced(last, base::to_hex(kDigest), "00"),
        replaced(last, base::to_hex(kDigest), std::string(64, 'z'))}) {
    CAPTURE(bad.substr(0, 200));
    test::write(f.path("state/last"), bad);
    CHECK(kind_of([&] { f.state.last(); }) == ErrorKind::corrupt);
    CHECK_THAT(message_of([&] { f.state.last(); }),
               Catch::Contains(f.path("state/last")) && Catch::Contains("rota adopt"));
  }
  for (const std::string& bad :
       {std::string(), std::string("null"), journal.substr(0, journal.size() / 2),
        replaced(journal, "\"increment\"", "\"incr\""), replaced(journal, "\"increment\"", "1"),
        replaced(journal, "\"increment\"", "\"full\""), replaced(journal, kFull, "../.."),
        replaced(journal, kIncrement, ""), replaced(journal, kIncrement, kFull),
        replaced(journal, "false", "0"), replaced(journal, "\"removing\"", "\"r\"")}) {
    CAPTURE(bad);
    test::write(f.path("state/journal"), bad);
    CHECK(kind_of([&] { f.state.journal(); }) == ErrorKind::corrupt);
    CHECK_THAT(message_of([&] { f.state.journal(); }),
               Catch::Contains(f.path("state/journal")) && Catch::Contains("remove it"));
  }
}

TEST_CASE("a state file is replaced at once or not at all", "[chain][state]") {
  const test::TempDir temp;
  test::FaultyFiles files;
  LocalState state(temp / "state", temp / "cache", files);
  state.set_last({kFull, kFull, kDigest});
  state.set_journal({kFull, kFull, RunKind::full});
  state.keep_record(kFull, Bytes(10), Bytes(10));
  for (std::uint64_t n = 1;; ++n) {
    CAPTURE(n);
    files.fail_at(n);
    const auto kind = kind_of([&] {
      state.set_last({kIncrement, kFull, kDigest});
      state.set_journal({kIncrement, kFull, RunKind::increment});
      state.keep_record(kFull, Bytes(20), Bytes(20));
    });
    CHECK(kind.has_value() == files.fired());
    const auto last = state.last();
    REQUIRE(last);
    CHECK((last->run == kFull || last->run == kIncrement));
    REQUIRE(state.journal());
    const auto record = state.record(kFull);
    REQUIRE(record);
    CHECK((record->clear == Bytes(10) || record->clear == Bytes(20)));
    if (!files.fired()) break;
    files.heal();
    state.set_last({kFull, kFull, kDigest});
    state.set_journal({kFull, kFull, RunKind::full});
    state.keep_record(kFull, Bytes(10), Bytes(10));
  }
}

TEST_CASE("records are kept and forgotten", "[chain][state]") {
  Fixture f;
  const Bytes bytes{std::byte{1}, std::byte{0}, std::byte{255}};
  f.state.keep_record(kFull, bytes, bytes);
  f.state.keep_record(kIncrement, Bytes(), Bytes());
  CHECK(f.state.record(kFull)->clear == bytes);
  CHECK(f.state.record(kIncrement)->clear == Bytes());
  f.state.forget_record(kFull);
  CHECK_FALSE(f.state.record(kFull));
}

TEST_CASE("other chains' caches go, and nothing else", "[chain][state]") {
  Fixture f;
  const std::string other = "20250104T030000Z-7f3a9c";
  test::write(f.state.chain_directory(kFull, true) + "/content.db", "x");
  test::write(f.state.index_copies(kFull) + "/" + kFull + "/i000000", "x");
  test::write(f.state.chain_directory(other, true) + "/content.db", "x");
  test::write(f.state.index_copies(other) + "/" + other + "/i000000", "x");
  test::write(f.path("cache/notes"), "x");
  f.state.keep_record(other, Bytes(1), Bytes(1));
  f.state.forget_chains_but(kFull);
  CHECK(base::exists(f.path("cache/" + kFull + "/content.db")));
  CHECK(base::exists(f.path("cache/" + kFull + "/index/" + kFull + "/i000000")));
  CHECK_FALSE(base::exists(f.path("cache/" + other)));
  CHECK(base::exists(f.path("cache/notes")));
  CHECK(f.state.record(other));
  CHECK(f.state.chain_directory(other, false) == f.path("cache/" + other));
  CHECK_FALSE(base::exists(f.path("cache/" + other)));
  test::remove_tree(f.path("cache"));
  CHECK_NOTHROW(f.state.forget_chains_but(kFull));
}

}  // namespace rota::chain
