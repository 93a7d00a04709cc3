#include "chain/frame_filler.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>
#include <vector>

#include "chain/chance.h"

namespace rota::chain {

using base::Bytes;
using test::Chance;

namespace {

/// Keeps the frames that a filler fills.
struct Frames {
  FrameFiller::Full taker() {
    return [this](RawBuffer full) {
      frames.emplace_back(full.data().begin(), full.data().end());
      std::memset(full.bytes.get(), 0xee, full.capacity);  // what is left in it must not matter
      return full;
    };
  }
  Bytes read(const ExtentTable& extents) const {
    Bytes all;
    for (std::size_t i = 0; i < extents.size(); ++i) {
      const Extent extent = extents.at(i);
      REQUIRE(extent.pending());
      const Bytes& frame = frames.at(extent.frame);
      REQUIRE(extent.offset + extent.length <= frame.size());
      const auto from = frame.begin() + extent.offset;
      all.insert(all.end(), from, from + static_cast<std::ptrdiff_t>(extent.length));
    }
    return all;
  }
  std::vector<Bytes> frames;
};

}  // namespace

TEST_CASE("content is cut into frames of the limit", "[chain][filler]") {
  Chance chance(1);
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{9}, std::size_t{10},
                                 std::size_t{11}, std::size_t{95}, std::size_t{100}}) {
    CAPTURE(size);
    Frames frames;
    FrameFiller filler(10, frames.taker());
    ExtentTable extents;
    const Bytes data = chance.bytes(size);
    filler.append(data, extents);
    filler.flush();
    filler.flush();  // nothing is left: no empty frame
    CHECK(frames.frames.size() == (size + 9) / 10);
    for (std::size_t i = 0; i + 1 < frames.frames.size(); ++i) {
      CHECK(frames.frames[i].size() == 10);
    }
    CHECK(frames.read(extents) == data);
  }
}

TEST_CASE("many contents share frames and each finds its own bytes", "[chain][filler]") {
  for (std::uint64_t seed = test::first_seed(), end = seed + 100; seed < end; ++seed) {
    CAPTURE(seed);
    Chance chance(seed);
    Frames frames;
    FrameFiller filler(chance.between(1, 50), frames.taker());
    std::vector<Bytes> contents(chance.below(20));
    std::vector<ExtentTable> tables(contents.size());
    for (std::size_t i = 0; i < contents.size(); ++i) {
      for (std::uint64_t parts = chance.below(4); parts > 0; --parts) {
        const Bytes part = chance.bytes(chance.below(60));
        contents[i].insert(contents[i].end(), part.begin(), part.end());
        filler.append(part, tables[i]);
      }
      if (chance.one_in(5)) filler.flush();
    }
    filler.flush();
    for (std::size_t i = 0; i < contents.size(); ++i) {
      CHECK(frames.read(tables[i]) == contents[i]);
      CHECK(tables[i].packed_size() == contents[i].size());
    }
  }
}

TEST_CASE("frames are counted from 0 again after a restart", "[chain][filler]") {
  Frames frames;
  FrameFiller filler(10, frames.taker());
  ExtentTable first;
  filler.append(Bytes(25), first);
  filler.flush();
  CHECK(first.at(first.size() - 1).frame == 2);
  filler.restart();
  ExtentTable second;
  filler.append(Bytes(3), second);
  CHECK(second.at(0).frame == 0);
  CHECK(second.at(0).offset == 0);
}

TEST_CASE("content that was read into the frame is appended from where it lies",
          "[chain][filler]") {
  for (std::uint64_t seed = test::first_seed(), end = seed + 200; seed < end; ++seed) {
    CAPTURE(seed);
    Chance chance(seed);
    Frames frames;
    const std::size_t limit = chance.between(1, 60);
    FrameFiller filler(limit, frames.taker());
    Bytes expected;
    ExtentTable extents;
    for (std::uint64_t n = chance.below(20); n > 0; --n) {
      const Bytes data = chance.bytes(chance.below(70));
      const std::span<std::byte> room = filler.reserve(data.size());
      if (room.size() < data.size()) {
        REQUIRE(room.empty());
        expected.insert(expected.end(), data.begin(), data.end());
        filler.append(data, extents);
        continue;
      }
      std::ranges::copy(data, room.begin());
      // Only some parts of it, in order, are wanted.
      for (std::size_t at = 0; at < data.size();) {
        const std::size_t part = chance.between(1, data.size() - at);
        if (chance.one_in(2)) {
          filler.append(room.subspan(at, part), extents);
          const auto from = data.begin() + static_cast<std::ptrdiff_t>(at);
          expected.insert(expected.end(), from, from + static_cast<std::ptrdiff_t>(part));
        }
        at += part;
      }
    }
    filler.flush();
    if (frames.read(extents) != expected) FAIL("other bytes");
  }
}

}  // namespace rota::chain
