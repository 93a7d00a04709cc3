#include "chain/chunker.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "base/hash.h"
#include "chain/chance.h"

namespace rota::chain {

using base::Bytes;
using test::Chance;

namespace {

/// The lengths of the chunks; `data` comes in pieces of random sizes up to `piece`.
std::vector<std::size_t> cut(std::span<const std::byte> data, std::uint32_t average,
                             Chance* chance = nullptr, std::size_t piece = 0) {
  Chunker chunker(average);
  std::vector<std::size_t> lengths;
  std::size_t length = 0;
  while (!data.empty()) {
    std::size_t size = data.size();
    if (chance != nullptr) size = std::min<std::size_t>(size, chance->between(1, piece));
    bool ends = false;
    const std::size_t taken = chunker.feed(data.first(size), ends);
    if (taken > size || (!ends && taken != size)) FAIL("bytes were skipped");
    length += taken;
    data = data.subspan(taken);
    if (ends) lengths.push_back(std::exchange(length, 0));
  }
  if (length > 0) lengths.push_back(length);
  return lengths;
}

std::set<base::Sha256Digest> hashes(std::span<const std::byte> data, std::uint32_t average) {
  std::set<base::Sha256Digest> all;
  for (const std::size_t length : cut(data, average)) {
    all.insert(base::sha256(data.first(length)));
    data = data.subspan(length);
  }
  return all;
}

}  // namespace

TEST_CASE("content is cut in the same places in whatever pieces it comes", "[chain][chunker]") {
  Chance chance(1);
  const Bytes data = chance.bytes(1 << 20);
  const auto whole = cut(data, 8192);
  for (const std::size_t piece : {1, 100, 5000, 100'000}) {
    CHECK(cut(data, 8192, &chance, piece) == whole);
  }
}

TEST_CASE("the same content is cut in the same places by every rota", "[chain][chunker]") {
  Chance chance(1);
  auto lengths = cut(chance.bytes(100'000), 8192);
  lengths.resize(6);
  CHECK(lengths == std::vector<std::size_t>{6994, 17'501, 4893, 3461, 11'392, 2359});
}

TEST_CASE("chunks keep to their limits, and their mean to the average", "[chain][chunker]") {
  Chance chance(2);
  const Bytes data = chance.bytes(16 << 20);
  for (const std::uint32_t average : {1024U, 8192U, 65'536U}) {
    CAPTURE(average);
    auto lengths = cut(data, average);
    lengths.pop_back();
    const auto [least, most] = std::ranges::minmax(lengths);
    CHECK(least > Chunker::min(average));
    CHECK(most <= Chunker::max(average));
    const double mean = static_cast<double>(data.size()) / static_cast<double>(lengths.size());
    CHECK(mean == Approx(average).epsilon(0.1));
  }
}

TEST_CASE("content without a place to cut is cut at the longest length", "[chain][chunker]") {
  for (const int value : {0, 7, 255}) {
    const Bytes data(200'000, static_cast<std::byte>(value));
    const auto lengths = cut(data, 8192);
    CAPTURE(value);
    CHECK(std::all_of(lengths.begin(), lengths.end() - 1,
                      [&](std::size_t length) { return length == lengths[0]; }));
    CHECK((lengths[0] == Chunker::max(8192) || lengths[0] == Chunker::min(8192) + 1));
  }
}

TEST_CASE("an edit changes the chunks around it and no others", "[chain][chunker]") {
  Chance chance(3);
  const Bytes data = chance.bytes(2 << 20);
  const auto before = hashes(data, 8192);
  std::size_t lost = 0;
  constexpr int kEdits = 50;
  for (int i = 0; i < kEdits; ++i) {
    Bytes now = data;
    const auto at = now.begin() + static_cast<std::ptrdiff_t>(chance.below(now.size() - 1000));
    if (chance.one_in(2)) {
      const Bytes more = chance.bytes(chance.between(1, 1000));
      now.insert(at, more.begin(), more.end());
    } else {
      now.erase(at, at + static_cast<std::ptrdiff_t>(chance.between(1, 1000)));
    }
    const auto after = hashes(now, 8192);
    const auto kept =
        std::ranges::count_if(before, [&](auto& hash) { return after.contains(hash); });
    lost += before.size() - static_cast<std::size_t>(kept);
  }
  // Of 256: the one that holds the edit, and seldom the next.
  CHECK(lost >= kEdits / 2);
  CHECK(lost <= kEdits * 5 / 2);
}

}  // namespace rota::chain
