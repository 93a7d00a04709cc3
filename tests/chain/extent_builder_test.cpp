#include "chain/extent_builder.h"

#include <catch2/catch.hpp>
#include <cstring>
#include <map>
#include <tuple>
#include <vector>

#include "base/error.h"
#include "base/kind_of.h"
#include "chain/chance.h"

namespace rota::chain {

using base::Bytes;
using base::ErrorKind;
using test::Chance;
using test::kind_of;

namespace {

using Key = std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>;

/// A store without a store: the raw content of every frame, by place; and of pending ones.
class FrameMap {
 public:
  FrameFiller::Full taker() {
    return [this](RawBuffer full) {
      pending_.emplace_back(full.data().begin(), full.data().end());
      std::memset(full.bytes.get(), 0xee, full.capacity);
      return full;
    };
  }

  void put(const Extent& place, Bytes raw) { stored_[key(place)] = std::move(raw); }

  /// The file that extents describe, byte by byte: -1 in a hole.
  std::vector<int> materialise(const ExtentTable& extents) const {
    std::vector<int> bytes;
    for (std::size_t i = 0; i < extents.size(); ++i) {
      const Extent extent = extents.at(i);
      if (extent.hole()) {
        bytes.insert(bytes.end(), extent.length, -1);
        continue;
      }
      const Bytes& frame = extent.pending() ? pending_.at(extent.frame) : stored_.at(key(extent));
      if (extent.offset + extent.length > frame.size()) FAIL("an extent leaves its frame");
      for (std::uint64_t k = 0; k < extent.length; ++k) {
        bytes.push_back(std::to_integer<int>(frame[extent.offset + k]));
      }
    }
    return bytes;
  }

  /// The pending frames of `extents` are stored at places of `run`: what a commit does.
  ExtentTable settle(const ExtentTable& extents, std::uint32_t run) {
    ExtentTable settled;
    for (std::size_t i = 0; i < extents.size(); ++i) {
      Extent extent = extents.at(i);
      if (extent.pending()) {
        const Bytes& raw = pending_.at(extent.frame);
        extent = {run, extent.frame % 3, 16 + 100 * extent.frame, 50, extent.offset, extent.length};
        stored_[key(extent)] = raw;
      }
      settled.push(extent);
    }
    pending_.clear();
    return settled;
  }

  std::size_t pending() const { return pending_.size(); }

 private:
  static Key key(const Extent& extent) { return {extent.run, extent.volume, extent.frame}; }
  std::map<Key, Bytes> stored_;
  std::vector<Bytes> pending_;
};

std::vector<int> packed_of(const std::vector<int>& file) {
  std::vector<int> packed;
  for (const int byte : file) {
    if (byte >= 0) packed.push_back(byte);
  }
  return packed;
}

ExtentTable random_old(Chance& chance, FrameMap& frames) {
  ExtentTable old;
  for (std::uint64_t n = chance.below(12); n > 0; --n) {
    if (chance.one_in(4)) {
      Extent hole;
      hole.run = Extent::kHole;
      hole.length = chance.between(1, 20);
      old.push(hole);
      continue;
    }
    Extent extent{static_cast<std::uint32_t>(chance.below(2)),
                  static_cast<std::uint32_t>(chance.below(2)),
                  static_cast<std::uint32_t>(16 + chance.below(3)),
                  40,
                  0,
                  0};
    Chance content(extent.run * 100 + extent.volume * 10 + extent.frame);  // one for each place
    frames.put(extent, content.bytes(64));
    extent.offset = static_cast<std::uint32_t>(chance.below(60));
    extent.length = chance.between(1, 64 - extent.offset);
    old.push(extent);
  }
  return old;
}

/// One random new version of `old`, built in random steps; checks it against plain bytes.
ExtentTable random_version(Chance& chance, FrameMap& frames, const ExtentTable& old) {
  const std::vector<int> old_packed = packed_of(frames.materialise(old));
  FrameFiller filler(chance.between(1, 40), frames.taker());
  ExtentTable extents;
  ExtentBuilder builder(chance.one_in(20) && old.empty() ? nullptr : &old, filler, extents);

  // The delta: copies and literals; the same as bytes.
  struct Command {
    bool copy;
    std::uint64_t offset;
    std::uint64_t length;
    Bytes data;
  };
  std::vector<Command> commands;
  std::vector<int> new_packed;
  std::uint64_t literals = 0;
  for (std::uint64_t n = chance.below(12); n > 0; --n) {
    if (!old_packed.empty() && chance.one_in(2)) {
      const std::uint64_t offset = chance.below(old_packed.size());
      const std::uint64_t length = chance.one_in(3) ? old_packed.size() - offset
                                                    : chance.between(1, old_packed.size() - offset);
      commands.push_back({true, offset, length, {}});
      for (std::uint64_t k = 0; k < length; ++k) new_packed.push_back(old_packed[offset + k]);
    } else {
      commands.push_back({false, 0, 0, chance.bytes(chance.below(30))});
      literals += commands.back().data.size();
      for (const std::byte b : commands.back().data) new_packed.push_back(std::to_integer<int>(b));
    }
  }

  // Holes at random packed offsets, the ends included; several at one place join.
  std::multimap<std::uint64_t, std::uint64_t> holes;
  for (std::uint64_t n = chance.below(6); n > 0; --n) {
    holes.emplace(chance.below(new_packed.size() + 1), chance.between(1, 9));
  }
  std::vector<int> expected;
  for (std::uint64_t at = 0; at <= new_packed.size(); ++at) {
    for (auto [hole, last] = holes.equal_range(at); hole != last; ++hole) {
      expected.insert(expected.end(), hole->second, -1);
    }
    if (at < new_packed.size()) expected.push_back(new_packed[at]);
  }

  // The reader is ahead of the matcher by any amount, at least by what is given now.
  auto next_hole = holes.begin();
  std::uint64_t given = 0;
  for (const Command& command : commands) {
    given += command.copy ? command.length : command.data.size();
    const std::uint64_t ahead = given + chance.below(40);
    for (; next_hole != holes.end() && next_hole->first <= ahead; ++next_hole) {
      builder.hole(next_hole->first, next_hole->second);
    }
    if (command.copy) {
      builder.copy(command.offset, command.length);
    } else {
      builder.literal(command.data);
    }
  }
  for (; next_hole != holes.end(); ++next_hole) builder.hole(next_hole->first, next_hole->second);
  builder.finish();
  filler.flush();

  CHECK(builder.literal_bytes() == literals);
  CHECK(extents.packed_size() == new_packed.size());
  if (frames.materialise(extents) != expected) FAIL("the extents do not give the new bytes");
  for (std::size_t i = 1; i < extents.size(); ++i) {  // bounded fragments: nothing left to join
    const Extent a = extents.at(i - 1);
    const Extent b = extents.at(i);
    if (a.hole() ? b.hole() : a.same_frame(b) && a.offset + a.length == b.offset) {
      FAIL("extents " << i - 1 << " and " << i << " are one stretch");
    }
  }
  return extents;
}

}  // namespace

TEST_CASE("copies and new bytes become extents that give the new file", "[chain][builder]") {
  for (std::uint64_t seed = test::first_seed(), end = seed + 5000; seed < end; ++seed) {
    CAPTURE(seed);
    Chance chance(seed);
    FrameMap frames;
    const ExtentTable old = random_old(chance, frames);
    random_version(chance, frames, old);
  }
}

TEST_CASE("versions built on versions still give their bytes", "[chain][builder]") {
  for (std::uint64_t seed = test::first_seed(), end = seed + 300; seed < end; ++seed) {
    CAPTURE(seed);
    Chance chance(seed);
    FrameMap frames;
    ExtentTable version = random_old(chance, frames);
    for (std::uint32_t run = 2; run < 12; ++run) {
      version = frames.settle(random_version(chance, frames, version), run);
    }
  }
}

TEST_CASE("a copy is cut at frames, at holes of the old file and of the new", "[chain][builder]") {
  FrameMap frames;
  ExtentTable old;
  old.push({0, 0, 16, 9, 4, 10});
  Extent hole;
  hole.run = Extent::kHole;
  hole.length = 7;
  old.push(hole);
  old.push({0, 0, 60, 9, 0, 10});
  FrameFiller filler(10, frames.taker());
  ExtentTable extents;
  ExtentBuilder builder(&old, filler, extents);
  builder.hole(0, 3);
  builder.hole(4, 5);
  builder.hole(12, 6);
  builder.copy(6, 12);
  builder.finish();
  REQUIRE(extents.size() == 5);
  CHECK(extents.at(0).length == 3);
  CHECK(extents.at(1) == Extent{0, 0, 16, 9, 10, 4});
  CHECK(extents.at(2).length == 5);
  CHECK(extents.at(3) == Extent{0, 0, 60, 9, 0, 8});
  CHECK(extents.at(4).length == 6);
  CHECK(extents.at(4).hole());
  CHECK(frames.pending() == 0);
}

TEST_CASE("a copy from where the old file has nothing is corrupt", "[chain][builder]") {
  FrameMap frames;
  FrameFiller filler(10, frames.taker());
  ExtentTable old;
  old.push({0, 0, 16, 9, 0, 10});
  Extent hole;
  hole.run = Extent::kHole;
  hole.length = 100;  // takes no packed bytes
  old.push(hole);
  const auto copy = [&](const ExtentTable* from, std::uint64_t offset, std::uint64_t length) {
    ExtentTable extents;
    ExtentBuilder builder(from, filler, extents);
    return kind_of([&] { builder.copy(offset, length); });
  };
  CHECK_FALSE(copy(&old, 0, 10));
  CHECK_FALSE(copy(&old, 9, 1));
  CHECK(copy(&old, 0, 11) == ErrorKind::corrupt);
  CHECK(copy(&old, 10, 1) == ErrorKind::corrupt);
  CHECK(copy(&old, 11, 0) == ErrorKind::corrupt);
  CHECK(copy(&old, 5, UINT64_MAX) == ErrorKind::corrupt);
  CHECK(copy(&old, UINT64_MAX, 2) == ErrorKind::corrupt);
  CHECK(copy(nullptr, 0, 1) == ErrorKind::corrupt);
  const ExtentTable empty;
  CHECK(copy(&empty, 0, 1) == ErrorKind::corrupt);
}

TEST_CASE("a file that is all hole has one extent", "[chain][builder]") {
  FrameMap frames;
  FrameFiller filler(10, frames.taker());
  ExtentTable extents;
  ExtentBuilder builder(nullptr, filler, extents);
  builder.hole(0, 1ULL << 40);
  builder.finish();
  REQUIRE(extents.size() == 1);
  CHECK(extents.at(0).hole());
  CHECK(extents.at(0).length == 1ULL << 40);
  CHECK(extents.packed_size() == 0);
}

}  // namespace rota::chain
