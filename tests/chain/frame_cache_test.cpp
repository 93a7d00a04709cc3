#include "chain/frame_cache.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/kind_of.h"
#include "chain/chain_fixture.h"
#include "chain/chance.h"
#include "chain/frame.h"
#include "support/faulty_store.h"

namespace rota::chain {

using base::Bytes;
using base::ErrorKind;
using test::Chance;
using test::Fault;
using test::FaultyStore;
using test::kind_of;
using test::MemoryStore;
using test::message_of;
using test::StoreCall;

namespace {

const std::string kRun = "20260104T030000Z-7f3a9c";

/// A run with one volume of frames.
struct Volume {
  explicit Volume(std::size_t frames, std::size_t size) {
    record.run = record.chain = kRun;
    record.runs = {kRun};
    Bytes object = object_header(ObjectType::volume);
    Compressor compressor(1);
    for (std::size_t i = 0; i < frames; ++i) {
      const Bytes raw(size, static_cast<std::byte>(i));
      const Bytes packed = compressor.pack(raw);
      extents.push_back({0, 0, static_cast<std::uint32_t>(object.size()),
                         static_cast<std::uint32_t>(packed.size()), 0, size});
      object.insert(object.end(), packed.begin(), packed.end());
    }
    store.put(name, object);
  }
  RunRecord record;
  MemoryStore store;
  std::vector<Extent> extents;
  std::string name = volume_name(kRun, kRun, 0);
};

FaultyStore::Rule count(std::atomic<unsigned>& reads) {
  return [&reads](const StoreCall&) {
    ++reads;
    return Fault::none;
  };
}

}  // namespace

TEST_CASE("a frame is read once while it is in use", "[chain][frames]") {
  Volume volume(3, 1000);
  std::atomic<unsigned> reads{0};
  FaultyStore store(volume.store, count(reads));
  FrameCache cache(store, volume.record);
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i < 3; ++i) {
      CHECK(*cache.get(volume.extents[i]) == Bytes(1000, static_cast<std::byte>(i)));
    }
  }
  CHECK(reads == 3);
}

TEST_CASE("the least recently used frames make room", "[chain][frames]") {
  constexpr std::size_t kFit = FrameCache::kCapacity / kFrameRaw;
  Volume volume(kFit + 2, kFrameRaw);
  std::atomic<unsigned> reads{0};
  FaultyStore store(volume.store, count(reads));
  FrameCache cache(store, volume.record);
  const FrameCache::Frame held = cache.get(volume.extents[1]);
  for (std::size_t i = 0; i < kFit; ++i) cache.get(volume.extents[i]);
  CHECK(reads == kFit);
  cache.get(volume.extents[0]);  // used again: 1 is now the oldest
  cache.get(volume.extents[2]);
  CHECK(reads == kFit);
  cache.get(volume.extents[kFit]);
  CHECK(reads == kFit + 1);
  for (const std::size_t i : {std::size_t{0}, std::size_t{2}, kFit - 1, kFit}) {
    cache.get(volume.extents[i]);
  }
  CHECK(reads == kFit + 1);
  cache.get(volume.extents[1]);
  CHECK(reads == kFit + 2);
  CHECK((*held)[0] == std::byte{1});  // who holds a frame keeps it
}

TEST_CASE("threads that want the same frame share one read", "[chain][frames]") {
  Volume volume(2, 1000);
  std::atomic<unsigned> reads{0};
  FaultyStore store(volume.store, [&](const StoreCall&) {
    ++reads;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    return Fault::none;
  });
  FrameCache cache(store, volume.record);
  std::atomic<unsigned> right{0};
  {
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < 8; ++i) {
      threads.emplace_back([&, i] {
        const Bytes expected(1000, static_cast<std::byte>(i % 2));
        if (*cache.get(volume.extents[i % 2]) == expected) ++right;
      });
    }
  }
  CHECK(right == 8);
  CHECK(reads == 2);
}

TEST_CASE("different frames are read at once", "[chain][frames]") {
  Volume volume(2, 1000);
  std::atomic<unsigned> inside{0};
  std::atomic<bool> together{false};
  FaultyStore store(volume.store, [&](const StoreCall&) {
    ++inside;
    for (int i = 0; i < 500 && inside < 2; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    if (inside == 2) together = true;
    return Fault::none;
  });
  FrameCache cache(store, volume.record);
  {
    std::jthread one([&] { cache.get(volume.extents[0]); });
    std::jthread two([&] { cache.get(volume.extents[1]); });
  }
  CHECK(together);
}

TEST_CASE("random readers always get the right frame", "[chain][frames]") {
  const std::uint64_t seed = test::first_seed();
  CAPTURE(seed);
  Volume volume(20, FrameCache::kCapacity / 10);  // twice what fits
  FrameCache cache(volume.store, volume.record);
  std::atomic<unsigned> wrong{0};
  {
    std::vector<std::jthread> threads;
    for (unsigned t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        Chance chance(seed * 10 + t);
        for (int i = 0; i < 60; ++i) {
          const std::size_t frame = chance.below(volume.extents.size());
          const auto got = cache.get(volume.extents[frame]);
          if (got->front() != static_cast<std::byte>(frame) ||
              got->size() != FrameCache::kCapacity / 10) {
            ++wrong;
          }
        }
      });
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("an error reaches each waiter, and the next caller tries again", "[chain][frames]") {
  Volume volume(1, 1000);
  std::atomic<bool> broken{true};
  FaultyStore store(volume.store, [&](const StoreCall&) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return broken ? Fault::fail_before : Fault::none;
  });
  FrameCache cache(store, volume.record);
  std::atomic<unsigned> unavailable{0};
  {
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        if (kind_of([&] { cache.get(volume.extents[0]); }) == ErrorKind::unavailable) {
          ++unavailable;
        }
      });
    }
  }
  CHECK(unavailable == 4);
  broken = false;
  CHECK(cache.get(volume.extents[0])->size() == 1000);
}

TEST_CASE("a volume that is missing or damaged is corrupt and named", "[chain][frames]") {
  Volume volume(2, 1000);
  const auto expect_named = [&](const Extent& extent) {
    FrameCache cache(volume.store, volume.record);
    CHECK(kind_of([&] { cache.get(extent); }) == ErrorKind::corrupt);
    CHECK_THAT(message_of([&] { cache.get(extent); }), Catch::Contains(volume.name));
  };
  Bytes& object = volume.store.objects.at(volume.name);
  const Extent second = volume.extents[1];
  object[second.frame + 6] ^= std::byte{4};
  expect_named(second);
  CHECK_THAT(message_of([&] { FrameCache(volume.store, volume.record).get(second); }),
             Catch::Contains(std::to_string(second.frame)));
  FrameCache cache(volume.store, volume.record);
  CHECK(cache.get(volume.extents[0])->size() == 1000);  // the other frame is whole
  object.resize(object.size() - 1);
  expect_named(second);
  volume.store.objects.clear();
  expect_named(second);
  Extent elsewhere = second;
  elsewhere.volume = 7;
  CHECK_THAT(message_of([&] { FrameCache(volume.store, volume.record).get(elsewhere); }),
             Catch::Contains(volume_name(kRun, kRun, 7)));
}

TEST_CASE("an extent of a run that the chain does not have is corrupt", "[chain][frames]") {
  Volume volume(1, 10);
  FrameCache cache(volume.store, volume.record);
  Extent extent = volume.extents[0];
  for (const std::uint32_t run : {1U, Extent::kHole, Extent::kPending}) {
    extent.run = run;
    CHECK(kind_of([&] { cache.get(extent); }) == ErrorKind::corrupt);
  }
}

}  // namespace rota::chain
