#include "chain/piece.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "base/error.h"
#include "base/kind_of.h"
#include "chain/index_samples.h"
#include "store/directory_store.h"
#include "support/faulty_store.h"
#include "support/files.h"

namespace rota::chain {

using base::Bytes;
using base::ErrorKind;
using test::Chance;
using test::difference;
using test::IndexSamples;
using test::kind_of;
using test::message_of;

namespace {

const std::vector<std::string> kRuns = {"20260104T030000Z-000000", "20260105T030000Z-000001",
                                        "20260106T030000Z-000002", "20260107T030000Z-000003"};

struct ByPath {
  bool operator()(const std::string& a, const std::string& b) const {
    return tree::compare_paths(a, b) < 0;
  }
};

/// A chain's index in a store, without a chain.
class Fixture {
 public:
  Fixture() {
    record.chain = kRuns[0];
    record.runs = kRuns;
  }

  /// Writes a piece as run number `run`, and keeps copies of its objects when there is a cache.
  void write(std::uint32_t run, const std::vector<IndexRecord>& records) {
    Piece piece;
    piece.run = run;
    std::vector<BlockRow> told;
    PieceWriter writer(
        [&](std::uint32_t number, Bytes object) {
          REQUIRE(object.size() <= store::kMaxObject);
          check_header(object, ObjectType::index);
          piece.objects.push_back(
              {ObjectType::index, number, object.size(), base::sha256(object), ""});
          store.put(index_name(record.chain, kRuns[run], number), object);
        },
        [&](const BlockRow& block) { told.push_back(block); });
    for (const IndexRecord& one : records) writer.add(one, nullptr);
    writer.finish();
    piece.entries = writer.entries();
    CHECK(piece.entries == records.size());
    piece.blocks = writer.take_blocks();
    REQUIRE(told.size() == piece.blocks.size());
    for (std::size_t i = 0; i < told.size(); ++i) {
      CHECK(told[i].object == piece.blocks[i].object);
      CHECK(told[i].position == piece.blocks[i].position);
      CHECK(told[i].size == piece.blocks[i].size);
    }
    record.pieces.push_back(std::move(piece));
  }

  std::string object_path(std::uint32_t run, std::uint32_t number) const {
    return temp / index_name(record.chain, kRuns[run], number);
  }
  std::string copy_path(std::uint32_t run) const {
    return copies() + "/" + kRuns[run] + "/i000000";
  }
  std::string copies() const { return temp / "copies"; }

  test::TempDir temp;
  store::DirectoryStore store{temp.path()};
  RunRecord record;
};

/// Makes records big so that a test needs fewer of them for many blocks.
std::vector<IndexRecord> samples(std::uint64_t seed, std::size_t count, std::size_t max_extents) {
  IndexSamples random(seed);
  std::vector<IndexRecord> records;
  for (const std::string& path : random.paths(count)) {
    records.push_back(random.record(path, max_extents));
  }
  return records;
}

/// The records of a piece from `from` on are `expected` from `first` on.
void expect_scan(PieceCursor& cursor, const std::vector<IndexRecord>& expected, std::size_t first,
                 std::size_t count) {
  IndexRecord record;
  for (std::size_t i = first; i < expected.size() && i < first + count; ++i) {
    if (!cursor.next(record)) FAIL("the piece ends before record " << i);
    if (const std::string what = difference(record, expected[i]); !what.empty()) {
      FAIL("record " << i << ": " << what);
    }
  }
  if (first + count > expected.size() && cursor.next(record)) FAIL("the piece does not end");
}

void damage(const std::string& path, std::size_t at) {
  std::string bytes = test::read(path);
  REQUIRE(at < bytes.size());
  bytes[at] = static_cast<char>(bytes[at] ^ 0x10);
  test::write(path, bytes);
}

}  // namespace

TEST_CASE("a piece is read as it was written, from any path on", "[chain][piece]") {
  for (const std::size_t max_extents : {std::size_t{30}, std::size_t{20'000}}) {
    CAPTURE(max_extents);
    Fixture chain;
    const auto records = samples(test::first_seed(), max_extents == 30 ? 3000 : 1000, max_extents);
    chain.write(0, records);
    const Piece& piece = chain.record.pieces[0];
    CHECK(piece.blocks.size() > 2);
    CHECK(decode_record(encode([&] {
            RunRecord full = chain.record;
            full.run = full.chain;
            full.runs = {full.chain};
            return full;
          }()))
              .pieces.size() == 1);
    IndexObjects objects(chain.store, chain.record.chain, "");
    for (const bool scan : {true, false}) {
      PieceCursor cursor(objects, kRuns[0], piece, scan);
      expect_scan(cursor, records, 0, records.size() + 1);
      cursor.seek("");
      expect_scan(cursor, records, 0, records.size() + 1);
    }
    PieceCursor cursor(objects, kRuns[0], piece, false);
    const std::size_t step = max_extents > 100 ? 17 : 3;
    for (std::size_t i = 0; i < records.size(); i += step) {
      const std::string& path = records[i].entry.path;
      CAPTURE(path);
      cursor.seek(path);
      expect_scan(cursor, records, i, 2);
      cursor.seek(path + "/");  // just behind it, before all that is not below
      expect_scan(cursor, records, i + 1, 1);
    }
    for (const BlockRow& block : piece.blocks) {  // where blocks begin
      cursor.seek(block.first_path);
      IndexRecord first;
      REQUIRE(cursor.next(first));
      CHECK(first.entry.path == block.first_path);
    }
    cursor.seek(std::string(255, '\xff'));
    expect_scan(cursor, records, records.size(), 1);
  }
}

TEST_CASE("a piece of several objects is read across them", "[chain][piece]") {
  Fixture chain;
  IndexSamples random(2);
  std::vector<IndexRecord> records;
  for (int i = 0; i < 100; ++i) {  // xattrs that do not compress fill objects quickly
    IndexRecord record;
    record.entry.path = "f" + std::to_string(1000 + i);
    record.entry.kind = tree::EntryKind::fifo;
    const Bytes value = random.chance.bytes(65'000);
    for (int k = 0; k < 2; ++k) {
      record.entry.xattrs.push_back(
          {"user." + std::to_string(k), std::string(base::as_text(value))});
    }
    record.entry.xattrs[1].value[7] = 'x';
    records.push_back(std::move(record));
  }
  chain.write(0, records);
  REQUIRE(chain.record.pieces[0].objects.size() > 1);
  IndexObjects objects(chain.store, chain.record.chain, "");
  PieceCursor cursor(objects, kRuns[0], chain.record.pieces[0], true);
  expect_scan(cursor, records, 0, records.size() + 1);
  cursor.seek(records[80].entry.path);
  expect_scan(cursor, records, 80, 100);
}

TEST_CASE("an empty piece has no objects and no entries", "[chain][piece]") {
  Fixture chain;
  chain.write(0, {});
  CHECK(chain.record.pieces[0].objects.empty());
  IndexObjects objects(chain.store, chain.record.chain, "");
  PieceCursor cursor(objects, kRuns[0], chain.record.pieces[0], true);
  IndexRecord record;
  CHECK_FALSE(cursor.next(record));
  cursor.seek("a");
  CHECK_FALSE(cursor.next(record));
}

TEST_CASE("a scan fetches many blocks at once, a look-up two at most", "[chain][piece]") {
  Fixture chain;
  const auto records = samples(5, 3000, 30);
  chain.write(0, records);
  const std::size_t blocks = chain.record.pieces[0].blocks.size();
  REQUIRE(blocks >= 4);
  test::FaultyStore counting(chain.store, [](const auto&) { return test::Fault::none; });
  IndexObjects objects(counting, chain.record.chain, "");
  PieceCursor scan(objects, kRuns[0], chain.record.pieces[0], true);
  expect_scan(scan, records, 0, records.size() + 1);
  CHECK(counting.calls() < blocks);
  for (const std::size_t i : {std::size_t{0}, records.size() / 2, records.size() - 1}) {
    const std::uint64_t before = counting.calls();
    IndexView::find(objects, chain.record, records[i].entry.path);
    CHECK(counting.calls() - before <= 2);
  }
}

TEST_CASE("pieces merge, and the newest word on a path counts", "[chain][piece]") {
  for (std::uint64_t seed = test::first_seed(), end = seed + 25; seed < end; ++seed) {
    CAPTURE(seed);
    Fixture chain;
    Chance chance(seed);
    const auto all = IndexSamples(seed).paths(chance.one_in(4) ? 1500 : 40);
    std::map<std::string, IndexRecord, ByPath> model;  // with removals
    std::map<std::string, IndexRecord, ByPath> from_second;
    const auto pieces = static_cast<std::uint32_t>(chance.between(1, 4));
    for (std::uint32_t run = 0; run < pieces; ++run) {
      IndexSamples random(seed * 10 + run);
      std::vector<IndexRecord> records;
      for (const std::string& path : all) {
        if (run > 0 ? !chance.one_in(4) : chance.one_in(5)) continue;
        IndexRecord record = random.record(path, 20);
        if (run == 0 && record.removed) continue;
        model[path] = record;
        if (run > 0) from_second[path] = record;
        records.push_back(std::move(record));
      }
      chain.write(run, records);
    }
    IndexObjects objects(chain.store, chain.record.chain, "");

    const auto expect = [&](IndexView& view, const auto& wanted, bool keep_removed,
                            const std::string& from) {
      IndexRecord record;
      for (auto row = wanted.lower_bound(from); row != wanted.end(); ++row) {
        if (row->second.removed && !keep_removed) continue;
        if (!view.next(record, keep_removed)) FAIL("the view ends before " << row->first);
        if (const auto what = difference(record, row->second); !what.empty()) {
          FAIL(row->first << ": " << what);
        }
      }
      if (view.next(record, keep_removed)) FAIL("the view does not end");
    };
    for (const bool keep_removed : {false, true}) {
      IndexView view(objects, chain.record, true);
      expect(view, model, keep_removed, "");
      if (pieces > 1) {
        IndexView newer(objects, chain.record, true, 1);
        expect(newer, from_second, keep_removed, "");
      }
    }
    IndexView view(objects, chain.record, false);
    for (int i = 0; i < 10; ++i) {
      const std::string from =
          chance.one_in(2) ? all[chance.below(all.size())] : IndexSamples(seed + 99).path();
      view.seek(from);
      expect(view, model, false, from);
    }
    for (std::size_t i = 0; i < all.size(); i += 1 + all.size() / 40) {
      const auto found = IndexView::find(objects, chain.record, all[i]);
      const auto wanted = model.find(all[i]);
      const bool there = wanted != model.end() && !wanted->second.removed;
      REQUIRE(found.has_value() == there);
      if (there) CHECK(difference(*found, wanted->second) == "");
      CHECK_FALSE(IndexView::find(objects, chain.record, all[i] + "/\x01none"));
    }
  }
}

TEST_CASE("local copies are read instead of the store", "[chain][piece]") {
  Fixture chain;
  const auto records = samples(7, 400, 30);
  chain.write(0, records);
  {
    IndexObjects objects(chain.store, chain.record.chain, chain.copies());
    objects.copy(kRuns[0], chain.record.pieces[0]);
  }
  test::FaultyStore gone(chain.store, [](const auto&) { return test::Fault::fail_before; });
  IndexObjects objects(gone, chain.record.chain, chain.copies());
  objects.copy(kRuns[0], chain.record.pieces[0]);  // all there
  PieceCursor cursor(objects, kRuns[0], chain.record.pieces[0], true);
  expect_scan(cursor, records, 0, records.size() + 1);
  CHECK(gone.calls() == 0);
}

TEST_CASE("a damaged local copy is removed and the store asked", "[chain][piece]") {
  Fixture chain;
  const auto records = samples(8, 800, 30);
  chain.write(0, records);
  const Piece& piece = chain.record.pieces[0];
  const auto spoil = [&](const auto& how) {
    IndexObjects objects(chain.store, chain.record.chain, chain.copies());
    objects.copy(kRuns[0], piece);
    REQUIRE(base::exists(chain.copy_path(0)));
    how(chain.copy_path(0));
    PieceCursor cursor(objects, kRuns[0], piece, true);
    expect_scan(cursor, records, 0, records.size() + 1);
    CHECK_FALSE(base::exists(chain.copy_path(0)));
  };
  for (const BlockRow& block : piece.blocks) {
    spoil([&](const std::string& path) { damage(path, block.position + block.size / 2); });
  }
  spoil([](const std::string& path) { test::write(path, test::read(path).substr(0, 1000)); });
  spoil([](const std::string& path) { test::write(path, ""); });
}

TEST_CASE("a local copy that cannot be read is no reason to fail", "[chain][piece]") {
  Fixture chain;
  const auto records = samples(8, 100, 30);
  chain.write(0, records);
  base::real_files().make_directories(chain.copy_path(0), 0700);  // reading it fails: EISDIR
  IndexObjects objects(chain.store, chain.record.chain, chain.copies());
  PieceCursor cursor(objects, kRuns[0], chain.record.pieces[0], true);
  expect_scan(cursor, records, 0, records.size() + 1);
}

TEST_CASE("damage in the store is corrupt and named", "[chain][piece]") {
  Fixture chain;
  const auto records = samples(9, 800, 30);
  chain.write(0, records);
  const Piece& piece = chain.record.pieces[0];
  const std::string name = index_name(chain.record.chain, kRuns[0], 0);
  const std::string good = test::read(chain.object_path(0, 0));
  const auto read_all = [&](const std::string& copies) {
    IndexObjects objects(chain.store, chain.record.chain, copies);
    PieceCursor cursor(objects, kRuns[0], piece, true);
    IndexRecord record;
    while (cursor.next(record)) {
    }
  };
  const auto expect_named = [&] {
    for (const std::string& copies : {std::string(), chain.copies()}) {
      CHECK(kind_of([&] { read_all(copies); }) == ErrorKind::corrupt);
      CHECK_THAT(message_of([&] { read_all(copies); }), Catch::Contains(name));
    }
    IndexObjects objects(chain.store, chain.record.chain, chain.copies());
    CHECK(kind_of([&] { objects.copy(kRuns[0], piece); }) == ErrorKind::corrupt);
    CHECK_THAT(message_of([&] { objects.copy(kRuns[0], piece); }), Catch::Contains(name));
    CHECK_FALSE(base::exists(chain.copy_path(0)));
  };
  for (const BlockRow& block : piece.blocks) {
    damage(chain.object_path(0, 0), block.position + block.size / 3);
    expect_named();
    test::write(chain.object_path(0, 0), good);
  }
  test::write(chain.object_path(0, 0), good.substr(0, good.size() - 1));
  expect_named();
  chain.store.remove(name);
  expect_named();
  test::write(chain.object_path(0, 0), good);
  CHECK_NOTHROW(read_all(""));
}

TEST_CASE("a piece goes on behind damaged blocks and tells which paths they hid",
          "[chain][piece][lost]") {
  const std::uint64_t seed = test::first_seed();
  CAPTURE(seed);
  for (const std::size_t max_extents : {std::size_t{30}, std::size_t{20'000}}) {
    Fixture chain;
    const auto records = samples(seed, max_extents == 30 ? 6000 : 800, max_extents);
    chain.write(0, records);
    const Piece& piece = chain.record.pieces[0];
    REQUIRE(piece.blocks.size() > 4);
    const std::string good = test::read(chain.object_path(0, 0));
    // In which block each record begins, and how many continue it: told by the cursor itself.
    std::vector<std::size_t> begins;
    {
      IndexObjects objects(chain.store, chain.record.chain, "");
      PieceCursor cursor(objects, kRuns[0], piece, true);
      IndexRecord record;
      while (cursor.next(record)) {
        begins.push_back(static_cast<std::size_t>(&cursor.block() - piece.blocks.data()));
      }
    }
    REQUIRE(begins.size() == records.size());
    Chance chance(seed);
    for (int round = 0; round < 30; ++round) {
      std::set<std::size_t> bad;
      for (std::size_t i = chance.between(1, 3); i > 0; --i) {
        bad.insert(chance.below(piece.blocks.size()));
        if (chance.one_in(2)) bad.insert(std::min(*bad.rbegin() + 1, piece.blocks.size() - 1));
      }
      std::string spoilt = good;
      for (const std::size_t block : bad) {
        const BlockRow& row = piece.blocks[block];
        const std::size_t at = row.position + row.size / 2;
        spoilt[at] = static_cast<char>(spoilt[at] ^ 0x10);
      }
      test::write(chain.object_path(0, 0), spoilt);
      IndexObjects objects(chain.store, chain.record.chain, "");
      PieceCursor cursor(objects, kRuns[0], piece, chance.one_in(2), true);
      std::map<std::string, IndexRecord, ByPath> came;
      std::vector<LostRange> lost;
      IndexRecord record;
      bool any = true;
      while (any) {
        any = cursor.next(record);
        for (LostRange& range : cursor.take_lost()) {
          // Told before what stands behind it.
          if (any) CHECK(range.ends_before(record.entry.path));
          lost.push_back(std::move(range));
        }
        if (any) came[record.entry.path] = record;
      }
      for (std::size_t i = 0; i < records.size(); ++i) {
        const std::string& path = records[i].entry.path;
        // Its extents go on through all blocks that begin with its path.
        bool hit = bad.contains(begins[i]);
        for (std::size_t b = begins[i] + 1;
             b < piece.blocks.size() && piece.blocks[b].first_path == path; ++b) {
          hit = hit || bad.contains(b);
        }
        const bool told =
            std::ranges::any_of(lost, [&](const LostRange& range) { return range.contains(path); });
        if (hit != told) FAIL(path << (hit ? " is lost and not told" : " is told to be lost"));
        if (hit == came.contains(path)) FAIL(path << (hit ? " came" : " did not come"));
        if (!hit) CHECK(difference(came[path], records[i]) == "");
      }
    }
    test::write(chain.object_path(0, 0), good);
  }
}

TEST_CASE("where a newer piece is damaged, older words are not believed", "[chain][piece][lost]") {
  const std::uint64_t seed = test::first_seed();
  CAPTURE(seed);
  Fixture chain;
  std::vector<std::vector<IndexRecord>> all;
  for (std::uint32_t run = 0; run < 3; ++run) {
    // Of the same paths in part, so that pieces speak of the same.
    IndexSamples random(seed);
    std::vector<IndexRecord> records;
    Chance chance(seed + run);
    for (const std::string& path : random.paths(4000)) {
      if (!chance.one_in(2)) continue;
      records.push_back(random.record(path, 500));
      if (run > 0 && chance.one_in(4)) {
        records.back() = IndexRecord();
        records.back().entry.path = path;
        records.back().removed = true;
      }
    }
    chain.write(run, records);
    all.push_back(std::move(records));
  }
  for (std::uint32_t hurt = 0; hurt < 3; ++hurt) {
    const Piece& piece = chain.record.pieces[hurt];
    REQUIRE(piece.blocks.size() > 2);
    const std::string good = test::read(chain.object_path(hurt, 0));
    for (std::size_t block = 0; block < piece.blocks.size(); ++block) {
      INFO("piece " << hurt << " block " << block);
      const BlockRow& row = piece.blocks[block];
      damage(chain.object_path(hurt, 0), row.position + row.size / 2);
      const auto is_hidden = [&](const std::string& path) {
        return tree::compare_paths(path, row.first_path) >= 0 &&
               (block + 1 == piece.blocks.size() ||
                tree::compare_paths(path, piece.blocks[block + 1].first_path) < 0);
      };
      std::map<std::string, const IndexRecord*, ByPath> model;
      for (std::uint32_t run = 0; run < 3; ++run) {
        for (const IndexRecord& record : all[run]) {
          if (run == hurt && is_hidden(record.entry.path)) continue;
          model[record.entry.path] = &record;
        }
        if (run == hurt) {
          std::erase_if(model, [&](const auto& entry) { return is_hidden(entry.first); });
        }
      }
      IndexObjects objects(chain.store, chain.record.chain, "");
      std::vector<LostRange> lost;
      IndexView view(objects, chain.record, true, 0,
                     [&](const LostRange& range) { lost.push_back(range); });
      IndexRecord record;
      for (const auto& [path, wanted] : model) {
        if (wanted->removed) continue;
        REQUIRE(view.next(record));
        if (const auto what = difference(record, *wanted); !what.empty()) FAIL(path << what);
      }
      CHECK_FALSE(view.next(record));
      REQUIRE(lost.size() == 1);
      CHECK(lost[0].first == row.first_path);
      CHECK(lost[0].what.find(index_name(chain.record.chain, kRuns[hurt], 0)) != std::string::npos);
      // One path alone: known, known to be gone, or hidden.
      for (std::size_t i = 0; i < all[hurt].size(); i += 7) {
        const std::string& path = all[hurt][i].entry.path;
        const auto known = model.find(path);
        if (is_hidden(path) && known == model.end()) {
          CHECK(kind_of([&] { IndexView::find(objects, chain.record, path); }) ==
                ErrorKind::corrupt);
        } else {
          const bool there = known != model.end() && !known->second->removed;
          CHECK(IndexView::find(objects, chain.record, path).has_value() == there);
        }
      }
      // Who does not ask for it gets no half answers.
      IndexView strict(objects, chain.record, true);
      CHECK(kind_of([&] {
              while (strict.next(record)) {
              }
            }) == ErrorKind::corrupt);
      test::write(chain.object_path(hurt, 0), good);
    }
  }
}

TEST_CASE("of a missing index object one request is made, and the rest is read",
          "[chain][piece][lost]") {
  Fixture chain;
  const auto records = samples(11, 800, 30);
  chain.write(0, records);
  chain.store.remove(index_name(chain.record.chain, kRuns[0], 0));
  test::FaultyStore counted(chain.store, [](const auto&) { return test::Fault::none; });
  IndexObjects objects(counted, chain.record.chain, "");
  PieceCursor cursor(objects, kRuns[0], chain.record.pieces[0], true, true);
  IndexRecord record;
  CHECK_FALSE(cursor.next(record));
  const std::vector<LostRange> lost = cursor.take_lost();
  REQUIRE(lost.size() == 1);
  CHECK(lost[0].first == chain.record.pieces[0].blocks[0].first_path);
  CHECK_FALSE(lost[0].end);
  CHECK(counted.calls() == 1);
}

TEST_CASE("an object that is held is not asked for", "[chain][piece]") {
  Fixture chain;
  const auto records = samples(12, 400, 30);
  chain.write(0, records);
  const base::Bytes object =
      chain.store.get(index_name(chain.record.chain, kRuns[0], 0), store::kMaxObject);
  test::FaultyStore gone(chain.store, [](const auto&) { return test::Fault::fail_before; });
  IndexObjects objects(gone, chain.record.chain, "");
  objects.hold(kRuns[2], 0, base::Bytes(100));
  objects.hold(kRuns[0], 0, object);
  PieceCursor cursor(objects, kRuns[0], chain.record.pieces[0], true);
  expect_scan(cursor, records, 0, records.size() + 1);
  CHECK(gone.calls() == 0);
  CHECK(kind_of([&] { objects.read(kRuns[2], 0, 50, 51); }) == ErrorKind::corrupt);
}

TEST_CASE("a whole frame that holds no block is corrupt and named", "[chain][piece]") {
  Fixture chain;
  const Bytes packed = Compressor(1).pack(base::as_bytes("no block at all, but well packed"));
  Bytes object = object_header(ObjectType::index);
  object.insert(object.end(), packed.begin(), packed.end());
  const std::string name = index_name(chain.record.chain, kRuns[0], 0);
  chain.store.put(name, object);
  Piece piece;
  piece.objects.push_back({ObjectType::index, 0, object.size(), base::sha256(object), ""});
  piece.blocks.push_back({0, 16, static_cast<std::uint32_t>(packed.size()), "a"});
  IndexObjects objects(chain.store, chain.record.chain, "");
  PieceCursor cursor(objects, kRuns[0], piece, true);
  IndexRecord record;
  const auto read = [&] {
    while (cursor.next(record)) {
    }
  };
  CHECK_THAT(message_of(read), Catch::Contains(name));
}

}  // namespace rota::chain
