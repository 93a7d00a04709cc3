#include "chain/content_table.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/kind_of.h"
#include "chain/chance.h"
#include "chain/extent_table.h"
#include "store/store.h"
#include "support/files.h"

namespace rota::chain {

using base::Bytes;
using test::Chance;

namespace {

base::Sha256Digest digest(std::uint64_t number) {
  return base::sha256(base::as_bytes("content " + std::to_string(number)));
}

/// Adds content `number`, found in block `number` of run 3.
void put(ContentTable& table, std::uint32_t number, const Bytes& signature = {}) {
  table.add(digest(number), signature);
  table.placed(3, {number % 5, 16 + number, 100 + number, "path"});
}

bool has(ContentTable& table, std::uint32_t number) {
  const auto place = table.find(digest(number));
  if (!place) return false;
  CHECK(place->run == 3);
  CHECK(place->block.object == number % 5);
  CHECK(place->block.position == 16 + number);
  CHECK(place->block.size == 100 + number);
  return true;
}

Bytes read_all(const SignatureBytes& signature) {
  Bytes all(signature.size);
  const std::size_t half = all.size() / 2;
  signature.read(half, std::span(all).subspan(half));
  signature.read(0, std::span(all).first(half));
  return all;
}

std::string database(const test::TempDir& temp) { return temp / "content.db"; }
std::string signatures(const test::TempDir& temp) { return temp / "signatures"; }

/// Overwrites bytes of a file in place.
void scribble(const std::string& path, std::size_t at, const Bytes& bytes) {
  const base::Fd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  REQUIRE(fd.valid());
  REQUIRE(::pwrite(fd.get(), bytes.data(), bytes.size(), static_cast<off_t>(at)) ==
          static_cast<ssize_t>(bytes.size()));
}

}  // namespace

TEST_CASE("what was added is known after a commit", "[chain][contents]") {
  const test::TempDir temp;
  Chance chance(1);
  const Bytes signature = chance.bytes(500);
  {
    ContentTable table(temp.path());
    CHECK_FALSE(has(table, 1));
    put(table, 1);
    put(table, 2, signature);
    table.commit();
    put(table, 3);
    table.commit();  // again, as long as it lives
  }
  ContentTable table(temp.path());
  CHECK(has(table, 1));
  CHECK(has(table, 2));
  CHECK(has(table, 3));
  CHECK_FALSE(has(table, 4));
  CHECK_FALSE(table.has_signature(digest(1)));
  CHECK_FALSE(table.signature(digest(1)));
  CHECK_FALSE(table.signature_reader(digest(1)));
  CHECK(table.has_signature(digest(2)));
  CHECK(table.signature(digest(2)) == signature);
  CHECK_FALSE(table.signature(digest(4)));
}

TEST_CASE("without a commit nothing was added", "[chain][contents]") {
  const test::TempDir temp;
  {
    ContentTable table(temp.path());
    put(table, 1, Bytes(100, std::byte{1}));
    table.commit();
  }
  {
    ContentTable table(temp.path());
    // More than a batch and more than a buffer, so that some of it has reached the disk.
    for (std::uint32_t i = 10; i < 10 + ContentTable::kBatch + 5; ++i) put(table, i);
    put(table, 2, Bytes(1 << 20, std::byte{2}));
    put(table, 1, Bytes(100, std::byte{3}));
  }
  ContentTable table(temp.path());
  CHECK(has(table, 1));
  CHECK(table.signature(digest(1)) == Bytes(100, std::byte{1}));
  CHECK_FALSE(has(table, 2));
  CHECK_FALSE(has(table, 10));
  CHECK_FALSE(has(table, 10 + ContentTable::kBatch));
  // What the lost run left among the signatures does not shift those of the next.
  put(table, 5, Bytes(300, std::byte{5}));
  table.commit();
  ContentTable again(temp.path());
  CHECK(again.signature(digest(5)) == Bytes(300, std::byte{5}));
}

TEST_CASE("many contents in any order are all found", "[chain][contents]") {
  const test::TempDir temp;
  const std::uint64_t seed = test::first_seed();
  CAPTURE(seed);
  Chance chance(seed);
  std::map<std::uint32_t, Bytes> model;
  {
    ContentTable table(temp.path());
    for (std::uint32_t i = 0; i < 40'000; ++i) {
      const Bytes signature = chance.one_in(4) ? chance.bytes(chance.below(200)) : Bytes();
      put(table, i, signature);
      model[i] = signature;
    }
    table.commit();
  }
  ContentTable table(temp.path());
  for (const auto& [number, signature] : model) {
    if (number % 7 != 0 && signature.empty()) continue;
    if (!has(table, number)) FAIL("content " << number << " is missing");
    const auto found = table.signature(digest(number));
    if (found.value_or(Bytes()) != signature) FAIL("signature " << number << " differs");
  }
}

TEST_CASE("contents wait until their block has a place", "[chain][contents]") {
  const test::TempDir temp;
  {
    ContentTable table(temp.path());
    table.add(digest(1), Bytes());
    table.add(digest(6), Bytes());
    table.placed(3, {1, 17, 101, ""});
    table.add(digest(7), Bytes());  // never placed
    table.commit();
  }
  ContentTable table(temp.path());
  CHECK(has(table, 1));
  CHECK(table.find(digest(6))->block.position == 17);
  CHECK_FALSE(table.find(digest(7)));
}

TEST_CASE("known content keeps its place and gets a signature once", "[chain][contents]") {
  const test::TempDir temp;
  const auto add = [&](std::uint32_t run, const Bytes& signature) {
    ContentTable table(temp.path());
    table.add(digest(1), signature);
    table.placed(run, {run, run + 16, 1, ""});
    table.commit();
    ContentTable read(temp.path());
    CHECK(read.find(digest(1))->run == 4);
    return read.signature(digest(1));
  };
  CHECK_FALSE(add(4, {}));
  CHECK(add(5, Bytes(10, std::byte{1})) == Bytes(10, std::byte{1}));
  CHECK(add(6, {}) == Bytes(10, std::byte{1}));
  CHECK(add(7, Bytes(20, std::byte{2})) == Bytes(10, std::byte{1}));
}

TEST_CASE("a signature in a file is read where it lies", "[chain][contents]") {
  const test::TempDir temp;
  Chance chance(2);
  const Bytes large = chance.bytes(3'000'001);
  {
    ContentTable table(temp.path());
    const base::Fd file = base::open_temporary();
    base::real_files().write_all(file.get(), large, "test");
    table.add(digest(1), Bytes(100, std::byte{1}));
    table.add(digest(2), file);
    table.add(digest(3), Bytes(100, std::byte{3}));
    table.placed(0, {0, 16, 1, ""});
    table.commit();
  }
  ContentTable table(temp.path());
  auto reader = table.signature_reader(digest(2));
  REQUIRE(reader);
  CHECK(read_all(*reader) == large);
  Bytes beyond(2);
  CHECK(test::kind_of([&] { reader->read(large.size() - 1, beyond); }) == base::ErrorKind::corrupt);
  CHECK(test::kind_of([&] { reader->read(UINT64_MAX, beyond); }) == base::ErrorKind::corrupt);
  CHECK_FALSE(table.signature(digest(2)));  // too large to take whole
  CHECK(table.signature(digest(3)) == Bytes(100, std::byte{3}));
  CHECK(read_all(*table.signature_reader(digest(1))) == Bytes(100, std::byte{1}));
  scribble(signatures(temp), 1'500'000, {std::byte{0}, std::byte{1}, std::byte{2}});
  CHECK_FALSE(table.signature_reader(digest(2)));
}

TEST_CASE("a signature is of packed bytes with the same holes only", "[chain][contents]") {
  const test::TempDir temp;
  HoleLayout one;
  one.hole(0, 4096);
  const std::uint64_t layout = one.finish();
  {
    ContentTable table(temp.path());
    table.add(digest(1), Bytes(100, std::byte{1}), layout);
    table.add(digest(2), Bytes(100, std::byte{2}));
    table.placed(0, {0, 16, 1, ""});
    table.commit();
  }
  ContentTable table(temp.path());
  CHECK(table.signature(digest(1), layout));
  CHECK_FALSE(table.signature(digest(1)));
  CHECK_FALSE(table.signature(digest(1), layout + 1));
  CHECK(table.signature(digest(2)));
  CHECK_FALSE(table.signature(digest(2), layout));
  CHECK(table.signature_reader(digest(1), layout));
  CHECK_FALSE(table.signature_reader(digest(1)));
}

TEST_CASE("layouts of holes differ where packed bytes could", "[chain][contents]") {
  const auto layout = [](std::initializer_list<std::pair<std::uint64_t, std::uint64_t>> holes) {
    HoleLayout all;
    for (const auto& [packed, length] : holes) all.hole(packed, length);
    return all.finish();
  };
  CHECK(layout({}) == 0);
  CHECK(layout({{0, 4}}) != 0);
  CHECK(layout({{0, 4}}) == layout({{0, 4}}));
  CHECK(layout({{0, 4}}) == layout({{0, 1}, {0, 3}}));  // two in a row are one
  CHECK(layout({{0, 4}}) != layout({{4, 4}}));
  CHECK(layout({{0, 4}}) != layout({{0, 5}}));
  CHECK(layout({{0, 4}, {4, 4}}) != layout({{0, 4}}));
  CHECK(layout({{0, 4}, {4, 4}}) != layout({{0, 8}}));

  ExtentTable extents;
  Extent hole;
  hole.run = Extent::kHole;
  hole.length = 4;
  extents.push({0, 0, 16, 1, 0, 5});
  CHECK(hole_layout(extents) == 0);
  extents.push(hole);
  extents.push({0, 0, 16, 1, 9, 5});
  extents.push(hole);
  CHECK(hole_layout(extents) == layout({{5, 4}, {10, 4}}));
}

TEST_CASE("a damaged or lost signature is none", "[chain][contents]") {
  const test::TempDir temp;
  const auto make = [&] {
    ContentTable table(temp.path());
    for (std::uint32_t i = 0; i < 4; ++i) put(table, i, Bytes(100, static_cast<std::byte>(i)));
    table.commit();
  };
  make();
  scribble(signatures(temp), 150, {std::byte{99}});
  {
    ContentTable table(temp.path());
    CHECK(table.signature(digest(0)));
    CHECK_FALSE(table.signature(digest(1)));
    CHECK(table.signature(digest(2)));
    CHECK(has(table, 1));
  }
  REQUIRE(::truncate(signatures(temp).c_str(), 350) == 0);
  {
    ContentTable table(temp.path());
    CHECK(table.signature(digest(2)));
    CHECK_FALSE(table.signature(digest(3)));
    CHECK_FALSE(table.signature_reader(digest(3)));
  }
  base::real_files().unlink(signatures(temp));
  ContentTable table(temp.path());
  CHECK_FALSE(table.signature(digest(0)));
  CHECK(has(table, 0));
  // New ones get places from the start of the new file, and are not taken for old ones.
  put(table, 9, Bytes(500, std::byte{9}));
  table.commit();
  CHECK(table.signature(digest(9)) == Bytes(500, std::byte{9}));
  CHECK_FALSE(table.signature(digest(0)));
}

TEST_CASE("a table that is no database is thrown away", "[chain][contents]") {
  for (const std::string& junk :
       {std::string("no database at all, but long enough to have a header ............"
                    "................................................................"),
        std::string(5000, '\0'), std::string("SQLite format 3\0", 16) + std::string(4080, 'x')}) {
    const test::TempDir temp;
    {
      ContentTable table(temp.path());
      put(table, 1);
      table.commit();
    }
    test::write(database(temp), junk);
    {
      ContentTable table(temp.path());
      CHECK_FALSE(has(table, 1));
      put(table, 2);
      table.commit();
    }
    ContentTable table(temp.path());
    CHECK(has(table, 2));
  }
}

TEST_CASE("damage anywhere in the database never makes a run fail", "[chain][contents]") {
  const test::TempDir original;
  {
    ContentTable table(original.path());
    for (std::uint32_t i = 0; i < 2000; ++i) put(table, i, Bytes(20, static_cast<std::byte>(i)));
    table.commit();
  }
  const std::string good = test::read(database(original));
  const std::string good_signatures = test::read(signatures(original));
  std::size_t lost = 0;
  for (std::uint64_t seed = test::first_seed(), end = seed + 40; seed < end; ++seed) {
    CAPTURE(seed);
    Chance chance(seed);
    std::string bad = good;
    const std::size_t at = chance.one_in(3) ? chance.below(4096) : chance.below(bad.size());
    const Bytes junk = chance.bytes(chance.one_in(2) ? 1 : chance.between(1, 6000));
    for (std::size_t i = 0; i < junk.size() && at + i < bad.size(); ++i) {
      bad[at + i] = static_cast<char>(junk[i]);
    }
    if (chance.one_in(4)) bad.resize(chance.below(bad.size()));
    const test::TempDir temp;
    test::write(database(temp), bad);
    test::write(signatures(temp), good_signatures);
    {
      ContentTable table(temp.path());
      std::size_t found = 0;
      for (std::uint32_t i = 0; i < 2000; ++i) {
        if (const auto place = table.find(digest(i))) {
          ++found;  // perhaps a wrong place: checked where it is used
          CHECK(place->block.size <= store::kMaxObject);
        }
        const auto signature = table.signature(digest(i));
        if (signature) CHECK(*signature == Bytes(20, static_cast<std::byte>(i)));
        table.has_signature(digest(i));
        table.signature_reader(digest(i));
      }
      if (found < 2000) ++lost;
      for (std::uint32_t i = 1000; i < 4000; ++i) put(table, i);
      table.commit();
    }
    ContentTable table(temp.path());
    std::size_t found = 0;
    for (std::uint32_t i = 3000; i < 4000; ++i) found += has(table, i) ? 1 : 0;
    // Damage that SQLite does not see may hide a row: it costs storage, no more.
    CHECK(found > 500);
  }
  CHECK(lost > 5);  // the damage was felt
}

TEST_CASE("a table of another shape is begun anew", "[chain][contents]") {
  const test::TempDir temp;
  {
    base::Database other(database(temp));
    other.execute("CREATE TABLE content (key BLOB PRIMARY KEY, other INTEGER)");
  }
  ContentTable table(temp.path());
  put(table, 1);
  table.commit();
  CHECK(has(table, 1));
}

TEST_CASE("rows of a chain that is no more harm nobody", "[chain][contents]") {
  const test::TempDir temp;
  ContentTable table(temp.path());
  table.add(digest(1), Bytes());
  table.placed(UINT32_MAX, {UINT32_MAX, UINT32_MAX, UINT32_MAX, ""});
  table.commit();
  // Nothing may be asked of the store on the word of such a row.
  const auto place = table.find(digest(1));
  CHECK((!place || place->block.size <= store::kMaxObject));
}

namespace {

std::uint64_t room(const test::TempDir& temp) {
  struct stat st {};
  REQUIRE(::stat(signatures(temp).c_str(), &st) == 0);
  return static_cast<std::uint64_t>(st.st_blocks) * 512;
}

constexpr std::size_t kLarge = 64 << 10;

Bytes large(std::uint32_t number) { return Chance(number).bytes(kLarge); }

}  // namespace

TEST_CASE("signatures beyond the cap go, the oldest first, and their room is given back",
          "[chain][contents][cap]") {
  const test::TempDir temp;
  ContentTable::Limits limits;
  limits.cap = 10 * kLarge;
  for (std::uint32_t run = 0; run < 6; ++run) {
    ContentTable table(temp.path(), limits);
    for (std::uint32_t i = run * 4; i < run * 4 + 4; ++i) put(table, i, large(i));
    table.commit();
  }
  ContentTable table(temp.path(), limits);
  for (std::uint32_t i = 0; i < 24; ++i) {
    INFO(i);
    CHECK(has(table, i));  // where it stands is still known
    CHECK(table.has_signature(digest(i)) == (i >= 14));
    if (i >= 14) CHECK(table.signature(digest(i)) == large(i));
  }
  CHECK(room(temp) <= 10 * kLarge + 8192);
}

TEST_CASE("the signature of a content that was changed is freed with the next commit",
          "[chain][contents][cap]") {
  const test::TempDir temp;
  {
    ContentTable table(temp.path());
    for (std::uint32_t i = 0; i < 8; ++i) put(table, i, large(i));
    table.commit();
  }
  const std::uint64_t before = room(temp);
  {
    ContentTable table(temp.path());
    for (const std::uint32_t i : {2U, 3U, 7U}) table.supersede(digest(i));
    CHECK(room(temp) == before);
  }
  {
    ContentTable table(temp.path());  // no commit, nothing freed
    for (std::uint32_t i = 0; i < 8; ++i) CHECK(table.signature(digest(i)) == large(i));
    for (const std::uint32_t i : {2U, 3U, 7U}) table.supersede(digest(i));
    table.supersede(digest(99));  // not known
    table.commit();
  }
  CHECK(room(temp) <= before - 3 * kLarge + 3 * 8192);
  ContentTable table(temp.path());
  for (std::uint32_t i = 0; i < 8; ++i) {
    INFO(i);
    CHECK(has(table, i));
    const bool freed = i == 2 || i == 3 || i == 7;
    CHECK(table.has_signature(digest(i)) != freed);
    if (!freed) CHECK(table.signature(digest(i)) == large(i));
  }
  // What comes back gets a signature again.
  put(table, 3, large(3));
  table.commit();
  CHECK(table.signature(digest(3)) == large(3));
}

TEST_CASE("what a run that was lost left among the signatures is given back",
          "[chain][contents][cap]") {
  const test::TempDir temp;
  {
    ContentTable table(temp.path());
    put(table, 1, large(1));
    table.commit();
  }
  {
    ContentTable table(temp.path());
    put(table, 2, Bytes(30 << 20, std::byte{2}));
  }
  REQUIRE(room(temp) > 29 << 20);
  ContentTable table(temp.path());
  put(table, 3, large(3));
  table.commit();
  CHECK(room(temp) < 1 << 20);
  CHECK(table.signature(digest(1)) == large(1));
  CHECK(table.signature(digest(3)) == large(3));
}

TEST_CASE("where the filesystem cannot punch, signatures begin anew when they outgrow the cap",
          "[chain][contents][cap]") {
  const test::TempDir temp;
  ContentTable::Limits limits;
  limits.cap = 10 * kLarge;
  limits.punch = [](int, std::uint64_t, std::uint64_t) { return false; };
  std::uint64_t most = 0;
  bool begun_anew = false;
  for (std::uint32_t run = 0; run < 12; ++run) {
    ContentTable table(temp.path(), limits);
    for (std::uint32_t i = run * 4; i < run * 4 + 4; ++i) put(table, i, large(i));
    if (run > 0) table.supersede(digest(run * 4 - 1));
    table.commit();
    most = std::max(most, room(temp));
    begun_anew = begun_anew || room(temp) == 0;
    CHECK(has(table, 0));
  }
  CHECK(begun_anew);
  CHECK(most <= 20 * kLarge);
  ContentTable table(temp.path(), limits);
  for (std::uint32_t i = 0; i < 48; ++i) {
    const auto found = table.signature(digest(i));
    if (found) CHECK(*found == large(i));
  }
}

TEST_CASE("one run does not write more signatures than the cap", "[chain][contents][cap]") {
  const test::TempDir temp;
  ContentTable::Limits limits;
  limits.cap = 10 * kLarge;
  const base::Fd file = base::open_temporary();
  base::real_files().write_all(file.get(), large(0), "test");
  ContentTable table(temp.path(), limits);
  for (std::uint32_t i = 0; i < 40; i += 2) {
    put(table, i, large(i));
    table.add(digest(i + 1), file);
    table.placed(3, {(i + 1) % 5, 16 + i + 1, 100 + i + 1, ""});
  }
  CHECK(room(temp) <= 10 * kLarge);
  table.commit();
  for (std::uint32_t i = 0; i < 40; ++i) {
    CHECK(has(table, i));
    CHECK(table.has_signature(digest(i)) == (i < 10));
  }
}

TEST_CASE("a table knows whether anything may be missing from it", "[chain][contents][lost]") {
  const test::TempDir temp;
  const auto expect = [&](bool places, bool all_signatures) {
    ContentTable table(temp.path());
    CHECK(table.has_all_places() == places);
    CHECK(table.has_all_signatures() == all_signatures);
  };
  expect(false, false);
  {
    ContentTable table(temp.path());
    table.set_whole();
    put(table, 1, large(1));
  }
  expect(false, false);  // no commit
  {
    ContentTable table(temp.path());
    table.set_whole();
    for (std::uint32_t i = 0; i < 3; ++i) put(table, i, large(i));
    table.commit();
    table.commit();
  }
  expect(true, true);
  REQUIRE(::truncate(signatures(temp).c_str(), kLarge * 2 - 1) == 0);
  expect(true, false);
  {
    ContentTable table(temp.path());
    CHECK(table.has_signature(digest(0)));
    CHECK_FALSE(table.has_signature(digest(1)));
    CHECK(has(table, 1));
    // Made again: only where there is none, and only of what has a place.
    table.sign(digest(0), large(5), 0);
    table.sign(digest(1), large(1), 0);
    table.sign(digest(77), large(7), 0);
    table.set_whole();
    table.commit();
  }
  expect(true, true);
  {
    ContentTable table(temp.path());
    CHECK(table.signature(digest(0)) == large(0));
    CHECK(table.signature(digest(1)) == large(1));
    CHECK_FALSE(table.find(digest(77)));
  }
  test::write(database(temp), std::string(5000, 'x'));
  expect(false, false);
}

}  // namespace rota::chain
