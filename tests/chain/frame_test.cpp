#include "chain/frame.h"

#include <zstd.h>

#include <catch2/catch.hpp>
#include <optional>

#include "base/error.h"
#include "base/kind_of.h"
#include "chain/chance.h"

namespace rota::chain {

using base::Bytes;
using base::ErrorKind;
using test::Chance;
using test::kind_of;

namespace {

Bytes pack(const Bytes& raw, int level = 3) { return Compressor(level).pack(raw); }

/// What unpacking gives; nothing when it is refused as corrupt. Any other error fails the test.
std::optional<Bytes> unpacked(std::span<const std::byte> packed, std::size_t limit = kFrameRaw) {
  try {
    return unpack(packed, limit);
  } catch (const base::Error& error) {
    if (error.kind() != ErrorKind::corrupt) throw;
    return std::nullopt;
  }
}

/// Content as files have it: some of it repeats.
Bytes content(Chance& chance, std::size_t size) {
  Bytes raw = chance.bytes(size);
  for (std::size_t i = 0; i + 64 < size; i += 64) {
    if (chance.one_in(2))
      std::copy_n(raw.begin(), 64, raw.begin() + static_cast<std::ptrdiff_t>(i));
  }
  return raw;
}

}  // namespace

TEST_CASE("an object's header says what it is", "[chain][frame]") {
  for (const ObjectType type : {ObjectType::volume, ObjectType::index, ObjectType::record}) {
    Bytes header = object_header(type);
    REQUIRE(header.size() == kHeaderSize);
    CHECK_NOTHROW(check_header(header, type));
    header.push_back(std::byte{9});  // more may follow
    CHECK_NOTHROW(check_header(header, type));
    // `zstd -d` skips it.
    CHECK(ZSTD_findFrameCompressedSize(header.data(), header.size()) == kHeaderSize);
  }
  CHECK(kind_of([] { check_header(object_header(ObjectType::volume), ObjectType::index); }) ==
        ErrorKind::corrupt);
}

TEST_CASE("a header that lacks bytes or has a wrong one is corrupt", "[chain][frame]") {
  const Bytes good = object_header(ObjectType::index);
  for (std::size_t size = 0; size < kHeaderSize; ++size) {
    CAPTURE(size);
    CHECK(kind_of([&] { check_header(std::span(good).first(size), ObjectType::index); }) ==
          ErrorKind::corrupt);
  }
  constexpr std::size_t kVersionAt = 13;
  constexpr std::size_t kFlagsAt = 14;
  for (std::size_t at = 0; at < kHeaderSize; ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      CAPTURE(at, bit);
      Bytes bad = good;
      bad[at] ^= static_cast<std::byte>(1U << bit);
      if (at == kFlagsAt && bit == 0) {
        CHECK(check_header(bad, ObjectType::index) == kFlagEncrypted);
        continue;
      }
      const bool newer =
          at == kVersionAt && std::to_integer<unsigned>(bad[at]) > unsigned{kFormatVersion};
      CHECK(kind_of([&] { check_header(bad, ObjectType::index); }) ==
            (newer ? ErrorKind::config : ErrorKind::corrupt));
    }
  }
}

TEST_CASE("what is packed is unpacked", "[chain][frame]") {
  Chance chance(7);
  Compressor compressor(3);  // one for all: what is left of a larger frame must not matter
  for (const std::size_t size : {std::size_t{1}, kFrameRaw, std::size_t{0}, std::size_t{1000},
                                 kLiteralFrameRaw, std::size_t{3}}) {
    CAPTURE(size);
    const Bytes raw = content(chance, size);
    CHECK(unpack(compressor.pack(raw), kFrameRaw) == raw);
    CHECK(unpack(pack(raw, 9), kFrameRaw) == raw);
  }
}

TEST_CASE("content over the limit is refused before it is unpacked", "[chain][frame]") {
  const Bytes packed = pack(Bytes(1000));
  CHECK(unpack(packed, 1000).size() == 1000);
  CHECK(kind_of([&] { unpack(packed, 999); }) == ErrorKind::corrupt);
}

TEST_CASE("a frame must say its size", "[chain][frame]") {
  const Bytes raw(1000, std::byte{5});
  Bytes packed(ZSTD_compressBound(raw.size()));
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
  packed.resize(ZSTD_compress2(context, packed.data(), packed.size(), raw.data(), raw.size()));
  ZSTD_freeCCtx(context);
  CHECK(kind_of([&] { unpack(packed, kFrameRaw); }) == ErrorKind::corrupt);
}

TEST_CASE("every truncation of a frame is corrupt", "[chain][frame]") {
  Chance chance(3);
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{3000}}) {
    const Bytes packed = pack(content(chance, size));
    for (std::size_t left = 0; left < packed.size(); ++left) {
      CAPTURE(size, left);
      REQUIRE_FALSE(unpacked(std::span(packed).first(left)));
    }
  }
}

TEST_CASE("a frame fills its bytes exactly", "[chain][frame]") {
  const Bytes raw(100, std::byte{1});
  const Bytes packed = pack(raw);
  const auto with = [&](const Bytes& more) {
    Bytes both = packed;
    both.insert(both.end(), more.begin(), more.end());
    return both;
  };
  CHECK_FALSE(unpacked(with({std::byte{0}})));
  CHECK_FALSE(unpacked(with(packed)));
  CHECK_FALSE(unpacked(with(pack({}))));
  CHECK_FALSE(unpacked(with(object_header(ObjectType::volume))));
  // A skippable frame alone holds no content.
  CHECK_FALSE(unpacked(object_header(ObjectType::volume)));
}

TEST_CASE("a flipped bit never gives wrong data", "[chain][frame]") {
  for (std::uint64_t seed = test::first_seed(), end = seed + 8; seed < end; ++seed) {
    CAPTURE(seed);
    Chance chance(seed);
    const Bytes raw = content(chance, chance.between(1, 6000));
    const Bytes packed = pack(raw, static_cast<int>(chance.between(1, 9)));
    std::size_t refused = 0;
    std::size_t flips = 0;
    for (std::size_t at = 0; at < packed.size(); ++at) {
      for (unsigned bit = at < 32 ? 0 : static_cast<unsigned>(chance.below(8)); bit < 8;
           bit += at < 32 ? 1 : 8) {
        Bytes bad = packed;
        bad[at] ^= static_cast<std::byte>(1U << bit);
        const auto got = unpacked(bad);
        ++flips;
        if (!got) ++refused;
        if (got && *got != raw) FAIL("byte " << at << " bit " << bit << " gave wrong data");
      }
    }
    // zstd's header has a bit without a meaning and a window size that need not be exact.
    CHECK(refused + 40 > flips);
  }
}

TEST_CASE("random bytes are no frame", "[chain][frame]") {
  Chance chance(11);
  for (int i = 0; i < 500; ++i) {
    Bytes junk = chance.bytes(chance.below(200));
    if (junk.size() >= 4 && chance.one_in(2)) {  // with zstd's magic in front
      const unsigned char magic[] = {0x28, 0xb5, 0x2f, 0xfd};
      for (std::size_t k = 0; k < 4; ++k) junk[k] = static_cast<std::byte>(magic[k]);
    }
    REQUIRE_FALSE(unpacked(junk));
  }
}

}  // namespace rota::chain
