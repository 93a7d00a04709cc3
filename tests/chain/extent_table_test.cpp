#include "chain/extent_table.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <iterator>
#include <vector>

#include "chain/chance.h"

namespace rota::chain {

using test::Chance;

namespace {

Extent data(std::uint32_t frame, std::uint32_t offset, std::uint64_t length) {
  return {1, 2, frame, 100, offset, length};
}

Extent hole(std::uint64_t length) {
  Extent extent;
  extent.run = Extent::kHole;
  extent.length = length;
  return extent;
}

/// The same as ExtentTable, in the plainest way.
class Model {
 public:
  void push(const Extent& extent) {
    if (extent.length == 0) return;
    if (!rows.empty()) {
      Extent& last = rows.back();
      const bool follows = !extent.hole() && !last.hole() && last.run == extent.run &&
                           last.volume == extent.volume && last.frame == extent.frame &&
                           last.offset + last.length == extent.offset;
      if (follows || (extent.hole() && last.hole())) {
        last.length += extent.length;
        return;
      }
    }
    rows.push_back(extent);
  }
  std::vector<Extent> rows;
};

Extent random_extent(Chance& chance, const Extent& last) {
  if (chance.one_in(5)) return hole(chance.between(0, 3));
  if (!last.hole() && chance.one_in(3)) {
    return data(last.frame, last.offset + static_cast<std::uint32_t>(last.length),
                chance.between(0, 5));
  }
  return data(static_cast<std::uint32_t>(chance.below(4)),
              static_cast<std::uint32_t>(chance.below(50)), chance.between(0, 5));
}

void compare_rows(const ExtentTable& table, const Model& model) {
  REQUIRE(table.size() == model.rows.size());
  CHECK(table.empty() == model.rows.empty());
  for (std::size_t i = 0; i < model.rows.size(); ++i) {
    if (!(table.at(i) == model.rows[i])) FAIL("extent " << i << " differs");
  }
}

/// Looks every `step`th packed byte up, the first and last of each extent always.
void compare_find(const ExtentTable& table, const Model& model, std::uint64_t step) {
  std::uint64_t start = 0;
  for (std::size_t i = 0; i < model.rows.size(); ++i) {
    if (model.rows[i].hole()) continue;
    const std::uint64_t end = start + model.rows[i].length;
    for (std::uint64_t offset = start; offset < end;
         offset = offset + step < end || offset == end - 1 ? offset + step : end - 1) {
      const auto place = table.find(offset);
      if (place.index != i || place.start != start) {
        FAIL("byte " << offset << " found in " << place.index << " from " << place.start
                     << ", is in " << i << " from " << start);
      }
    }
    start = end;
  }
  CHECK(table.packed_size() == start);
}

}  // namespace

TEST_CASE("extents that follow each other in a frame become one", "[chain][extents]") {
  ExtentTable table;
  table.push(data(16, 0, 10));
  table.push(data(16, 10, 5));
  CHECK(table.size() == 1);
  CHECK(table.at(0) == data(16, 0, 15));
  table.push(data(16, 16, 1));  // a gap
  table.push(data(17, 17, 1));  // another frame
  Extent other_run = data(17, 18, 1);
  other_run.run = 3;
  table.push(other_run);
  Extent other_volume = other_run;
  other_volume.offset = 19;
  other_volume.volume = 7;
  table.push(other_volume);
  CHECK(table.size() == 5);
  CHECK(table.packed_size() == 19);
}

TEST_CASE("holes join, take no packed bytes and are never found", "[chain][extents]") {
  ExtentTable table;
  table.push(hole(4));
  table.push(hole(6));
  table.push(data(16, 0, 3));
  table.push(hole(1));
  table.push(data(16, 3, 2));  // contiguous in its frame, but a hole lies between
  table.push(hole(9));
  REQUIRE(table.size() == 5);
  CHECK(table.at(0).length == 10);
  CHECK(table.packed_size() == 5);
  CHECK(table.find(0).index == 1);
  CHECK(table.find(2).index == 1);
  CHECK(table.find(3).index == 3);
  CHECK(table.find(3).start == 3);
  CHECK(table.find(4).index == 3);
}

TEST_CASE("an empty extent changes nothing", "[chain][extents]") {
  ExtentTable table;
  table.push(data(16, 0, 0));
  table.push(hole(0));
  CHECK(table.empty());
  table.push(data(16, 0, 1));
  table.clear();
  CHECK(table.empty());
  CHECK(table.packed_size() == 0);
}

TEST_CASE("pending frames join like others", "[chain][extents]") {
  Extent pending{Extent::kPending, 0, 3, 0, 0, 8};
  ExtentTable table;
  table.push(pending);
  pending.offset = 8;
  table.push(pending);
  CHECK(table.size() == 1);
  pending.frame = 4;
  pending.offset = 16;
  table.push(pending);
  CHECK(table.size() == 2);
}

TEST_CASE("a random table is what a plain list is", "[chain][extents]") {
  for (std::uint64_t seed = test::first_seed(), end = seed + 300; seed < end; ++seed) {
    CAPTURE(seed);
    Chance chance(seed);
    ExtentTable table;
    Model model;
    for (std::uint64_t pushes = chance.below(60); pushes > 0; --pushes) {
      const Extent extent =
          random_extent(chance, model.rows.empty() ? Extent{} : model.rows.back());
      table.push(extent);
      model.push(extent);
    }
    compare_rows(table, model);
    compare_find(table, model, 1);
  }
}

TEST_CASE("a table that outgrows memory is what a plain list is", "[chain][extents]") {
  for (std::uint64_t seed = test::first_seed(), end = seed + 3; seed < end; ++seed) {
    CAPTURE(seed);
    Chance chance(seed);
    ExtentTable table;
    Model model;
    const std::size_t rows = 3 * ExtentTable::kInMemory + chance.below(ExtentTable::kChunk * 2);
    while (model.rows.size() < rows) {
      const Extent extent =
          random_extent(chance, model.rows.empty() ? Extent{} : model.rows.back());
      table.push(extent);
      model.push(extent);
    }
    compare_rows(table, model);
    compare_find(table, model, 2);
    // Far apart, so that the cached chunk changes.
    for (int i = 0; i < 2000; ++i) {
      const auto index = static_cast<std::size_t>(chance.below(rows));
      if (!(table.at(index) == model.rows[index])) FAIL("extent " << index << " differs");
    }
  }
}

TEST_CASE("only a table that outgrows memory takes a temporary file", "[chain][extents]") {
  const auto open_files = [] {
    const std::filesystem::directory_iterator files("/proc/self/fd");
    return std::distance(begin(files), end(files));
  };
  const auto before = open_files();
  ExtentTable table;
  for (std::uint32_t i = 0; i <= ExtentTable::kInMemory; ++i) table.push(data(i, 0, 1));
  CHECK(open_files() == before);
  table.push(data(1, 0, 1));
  CHECK(open_files() == before + 1);
  table.clear();
  CHECK(open_files() == before);
}

TEST_CASE("joining goes on across the border to the temporary file", "[chain][extents]") {
  // Around each border: the last extent of a full table, the one that makes it spill, the next.
  for (const std::size_t before : {ExtentTable::kInMemory - 1, ExtentTable::kInMemory,
                                   ExtentTable::kInMemory + 1, 2 * ExtentTable::kInMemory}) {
    CAPTURE(before);
    ExtentTable table;
    Model model;
    const auto push = [&](const Extent& extent) {
      table.push(extent);
      model.push(extent);
    };
    for (std::size_t i = 0; i < before; ++i) push(data(static_cast<std::uint32_t>(i), 0, 4));
    for (std::uint32_t i = 1; i < 6; ++i) {
      push(data(static_cast<std::uint32_t>(before - 1), 4 * i, 4));
    }
    push(hole(3));
    push(hole(4));
    push(data(7, 0, 1));
    push(data(7, 1, 1));
    compare_rows(table, model);
    compare_find(table, model, 1);
    CHECK(table.find(table.packed_size() - 1).start == table.packed_size() - 2);
  }
}

TEST_CASE("a hole that begins a chunk of the temporary file hides nothing", "[chain][extents]") {
  // Chunks that begin with a hole, and chunks that begin with the data behind one.
  for (const std::size_t shift : {std::size_t{0}, std::size_t{1}}) {
    CAPTURE(shift);
    ExtentTable table;
    Model model;
    if (shift == 1) {
      table.push(data(9, 9, 2));
      model.push(data(9, 9, 2));
    }
    for (std::uint32_t i = 0; i < 2 * ExtentTable::kInMemory; ++i) {
      const Extent extent = i % 2 == 0 ? hole(1) : data(i, 0, 2);
      table.push(extent);
      model.push(extent);
    }
    compare_rows(table, model);
    compare_find(table, model, 1);
  }
}

}  // namespace rota::chain
