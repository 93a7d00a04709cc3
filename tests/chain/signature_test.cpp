#include "chain/signature.h"

#include <librsync.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>

#include "base/error.h"
#include "base/hash.h"
#include "base/kind_of.h"
#include "chain/chance.h"

namespace rota::chain {

using base::Bytes;
using base::ErrorKind;
using test::Chance;
using test::kind_of;

namespace {

/// Applies a delta to the old bytes.
class Patcher final : public DeltaSink {
 public:
  explicit Patcher(const Bytes& old) : old_(old) {}
  void copy(std::uint64_t offset, std::uint64_t length) override {
    REQUIRE(length > 0);
    REQUIRE(offset + length <= old_.size());
    const auto from = old_.begin() + static_cast<std::ptrdiff_t>(offset);
    result.insert(result.end(), from, from + static_cast<std::ptrdiff_t>(length));
    copied += length;
  }
  void literal(std::span<const std::byte> data) override {
    result.insert(result.end(), data.begin(), data.end());
  }
  Bytes result;
  std::uint64_t copied = 0;

 private:
  const Bytes& old_;
};

/// Writes commands down as text, literal bytes joined.
class Recorder final : public DeltaSink {
 public:
  void copy(std::uint64_t offset, std::uint64_t length) override {
    text += "C" + std::to_string(offset) + "+" + std::to_string(length) + " ";
    literal_ = false;
  }
  void literal(std::span<const std::byte> data) override {
    if (!literal_) text += "L";
    literal_ = true;
    text += base::as_text(data);
  }
  std::string text;

 private:
  bool literal_ = false;
};

/// Gives `data` to `taker` in random pieces.
template <typename Taker>
void in_pieces(Chance& chance, std::span<const std::byte> data, Taker&& taker) {
  while (!data.empty()) {
    const std::size_t n =
        static_cast<std::size_t>(chance.between(1, chance.one_in(2) ? 100 : 70'000));
    const auto part = data.first(std::min(n, data.size()));
    taker.update(part);
    data = data.subspan(part.size());
  }
}

Bytes sign(Chance& chance, const Bytes& data) {
  SignatureBuilder builder(data.size());
  in_pieces(chance, data, builder);
  return builder.finish();
}

std::uint32_t big_endian(const Bytes& data, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    value = value << 8 | std::to_integer<std::uint32_t>(data[at + i]);
  }
  return value;
}

Bytes edited(Chance& chance, Bytes data) {
  for (std::uint64_t n = chance.below(6); n > 0; --n) {
    const auto at = data.begin() + static_cast<std::ptrdiff_t>(chance.below(data.size() + 1));
    const auto left = static_cast<std::uint64_t>(data.end() - at);
    const Bytes more = chance.bytes(chance.below(2000));
    switch (chance.below(3)) {
      case 0:
        data.insert(at, more.begin(), more.end());
        break;
      case 1:
        data.erase(at, at + static_cast<std::ptrdiff_t>(chance.below(left + 1)));
        break;
      default:
        std::copy_n(more.begin(), std::min<std::size_t>(more.size(), left), at);
    }
  }
  return data;
}

Bytes hex(std::string_view text) {
  Bytes out(text.size() / 2);
  base::from_hex(text, out);
  return out;
}

}  // namespace

TEST_CASE("a signature's header says rolling sum, block size and strong sum", "[chain][delta]") {
  const auto header = [](std::uint64_t size) {
    SignatureBuilder builder(size);
    const Bytes bytes = builder.finish();
    REQUIRE(bytes.size() == 12);
    CHECK(big_endian(bytes, 0) == RS_RK_BLAKE2_SIG_MAGIC);
    CHECK(big_endian(bytes, 8) == 16);
    return big_endian(bytes, 4);
  };
  CHECK(header(0) == 512);
  CHECK(header(1 << 20) == 512);
  // A 64 MiB signature of 20 bytes a block: the largest file with blocks of 512 bytes.
  const std::uint64_t most = kMaxSignature / 20 * 512;
  CHECK(header(most) == 512);
  CHECK(header(most + 1) == 1024);
  for (const std::uint64_t size : {10ULL << 30, 1ULL << 40, 16ULL << 40}) {
    CAPTURE(size);
    const std::uint64_t block = header(size);
    CHECK(block % 512 == 0);
    CHECK((size + block - 1) / block * 20 <= kMaxSignature);
    CHECK((size + block - 513) / (block - 512) * 20 > kMaxSignature);  // no larger than needed
  }
}

TEST_CASE("a signature has 20 bytes a block and its pieces make the whole", "[chain][delta]") {
  Chance chance(4);
  const Bytes data = chance.bytes(100'001);
  const Bytes whole = sign(chance, data);
  CHECK(whole.size() == 12 + 20 * ((data.size() + 511) / 512));
  SignatureBuilder builder(data.size());
  Bytes taken;
  for (std::size_t at = 0; at < data.size(); at += 997) {
    builder.update(std::span(data).subspan(at, std::min<std::size_t>(997, data.size() - at)));
    const Bytes part = builder.take();
    taken.insert(taken.end(), part.begin(), part.end());
  }
  const Bytes rest = builder.finish();
  taken.insert(taken.end(), rest.begin(), rest.end());
  CHECK(taken == whole);
}

TEST_CASE("copies and literals give the new content", "[chain][delta]") {
  for (std::uint64_t seed = test::first_seed(), end = seed + 150; seed < end; ++seed) {
    CAPTURE(seed);
    Chance chance(seed);
    Bytes old = chance.bytes(chance.one_in(10) ? chance.below(3) : chance.below(300'000));
    if (chance.one_in(4)) std::fill(old.begin(), old.end(), std::byte{7});  // all blocks equal
    const Bytes now = edited(chance, old);
    const Bytes signature = sign(chance, old);
    Patcher patcher(old);
    Matcher matcher(signature, old.size(), patcher);
    in_pieces(chance, now, matcher);
    matcher.finish();
    if (patcher.result != now) FAIL("the delta gives other bytes");
    if (old == now && old.size() >= 512) CHECK(patcher.copied == old.size());
  }
}

TEST_CASE("a small edit costs few new bytes", "[chain][delta]") {
  Chance chance(9);
  const Bytes old = chance.bytes(1 << 20);
  Bytes now = old;
  now[500'000] ^= std::byte{1};
  now.insert(now.begin() + 700'000, std::byte{3});
  Patcher patcher(old);
  Matcher matcher(sign(chance, old), old.size(), patcher);
  matcher.update(now);
  matcher.finish();
  CHECK(patcher.result == now);
  CHECK(now.size() - patcher.copied <= 2 * 513);
}

TEST_CASE("what is no signature is corrupt", "[chain][delta]") {
  Chance chance(5);
  Recorder sink;
  const auto kind = [&](std::span<const std::byte> bytes) {
    return kind_of([&] { Matcher(bytes, 1000, sink); });
  };
  CHECK(kind({}) == ErrorKind::corrupt);
  for (int i = 0; i < 200; ++i) CHECK(kind(chance.bytes(chance.below(300))) == ErrorKind::corrupt);
  const Bytes good = sign(chance, chance.bytes(5000));
  for (std::size_t size = 0; size < good.size(); ++size) {
    CAPTURE(size);
    // Cut behind a block it is the signature of a shorter file (to librsync also with less than a
    // rolling sum behind it).
    const bool whole = size >= 12 && (size - 12) % 20 < 4;
    CHECK(kind(std::span(good).first(size)) ==
          (whole ? std::nullopt : std::optional(ErrorKind::corrupt)));
  }
  for (std::size_t at = 0; at < 12; ++at) {  // the header, in which each byte counts
    Bytes bad = good;
    bad[at] ^= std::byte{0x80};
    CAPTURE(at);
    const auto result = kind(bad);
    CHECK((!result || *result == ErrorKind::corrupt || *result == ErrorKind::io));
  }
}

TEST_CASE("a damaged signature never leads beyond the old file", "[chain][delta]") {
  for (std::uint64_t seed = test::first_seed(), end = seed + 200; seed < end; ++seed) {
    CAPTURE(seed);
    Chance chance(seed);
    const Bytes old = chance.bytes(20'000);
    Bytes bad = sign(chance, old);
    for (std::uint64_t n = chance.between(1, 20); n > 0; --n) {
      bad[12 + chance.below(bad.size() - 12)] = static_cast<std::byte>(chance.below(256));
    }
    Patcher patcher(old);
    const auto kind = kind_of([&] {
      Matcher matcher(bad, old.size(), patcher);
      matcher.update(old);
      matcher.finish();
    });
    CHECK((!kind || *kind == ErrorKind::corrupt));
  }
}

TEST_CASE("a signature of a longer file than the extents cover is corrupt", "[chain][delta]") {
  Chance chance(6);
  const Bytes old = chance.bytes(20'000);
  Recorder sink;
  CHECK(kind_of([&] {
          Matcher matcher(sign(chance, old), 10'000, sink);
          matcher.update(old);
          matcher.finish();
        }) == ErrorKind::corrupt);
}

TEST_CASE("every command of a delta is understood, whole or byte by byte", "[chain][delta]") {
  // Magic, then one of each kind of command.
  std::string text = "72730236";
  text +=
      "01"
      "61";  // 1 literal byte
  text +=
      "03"
      "626364";  // 3
  text +=
      "41"
      "02"
      "6566";  // N1
  text +=
      "42"
      "0001"
      "67";  // N2
  text +=
      "43"
      "00000002"
      "6869";  // N4
  text +=
      "44"
      "0000000000000001"
      "6a";  // N8
  const char* offsets[] = {"05", "0102", "00000304", "0000000000000506"};
  const char* lengths[] = {"07", "0008", "00000009", "000000000000000a"};
  for (unsigned i = 0; i < 16; ++i) {
    text += base::to_hex(Bytes{static_cast<std::byte>(0x45 + i)});
    text += offsets[i / 4];
    text += lengths[i % 4];
  }
  text += "40";
  for (int i = 0; i < 64; ++i) text += "7a";
  text += "00";
  const Bytes delta = hex(text);

  std::string expected = "Labcdefghij";
  for (const char* offset : {"5", "258", "772", "1286"}) {
    for (const char* length : {"7", "8", "9", "10"}) {
      expected += std::string("C") + offset + "+" + length + " ";
    }
  }
  expected += "L" + std::string(64, 'z');

  Recorder whole;
  DeltaParser parser(2000, whole);
  parser.feed(delta);
  parser.finish();
  CHECK(whole.text == expected);

  Recorder bytewise;
  DeltaParser slow(2000, bytewise);
  for (const std::byte& byte : delta) slow.feed(std::span(&byte, 1));
  slow.finish();
  CHECK(bytewise.text == expected);

  for (std::uint64_t seed = test::first_seed(), end = seed + 100; seed < end; ++seed) {
    CAPTURE(seed);
    Chance chance(seed);
    Recorder pieces;
    DeltaParser some(2000, pieces);
    for (std::span<const std::byte> left(delta); !left.empty();) {
      const std::size_t n = std::min<std::size_t>(chance.between(1, 12), left.size());
      some.feed(left.first(n));
      left = left.subspan(n);
    }
    some.finish();
    CHECK(pieces.text == expected);
  }

  for (std::size_t size = 0; size < delta.size(); ++size) {
    CAPTURE(size);
    Recorder sink;
    DeltaParser cut(2000, sink);
    cut.feed(std::span(delta).first(size));
    CHECK(kind_of([&] { cut.finish(); }) == ErrorKind::corrupt);
  }
}

TEST_CASE("hostile deltas are corrupt", "[chain][delta]") {
  for (const char* bad : {
           "72730237",                                    // another magic
           "00000000",                                    //
           "7273023655",                                  // no such command
           "72730236ff",                                  //
           "727302360000",                                // more behind the end
           "72730236000161",                              //
           "72730236450065",                              // a copy of more than there is
           "72730236456401",                              // from the end
           "7273023645ff01",                              // from beyond
           "72730236450000",                              // of nothing
           "7273023654ffffffffffffffff0000000000000002",  // that overflows
           "72730236540000000000000002ffffffffffffffff",  //
       }) {
    CAPTURE(bad);
    Recorder sink;
    DeltaParser parser(100, sink);
    CHECK(kind_of([&] {
            parser.feed(hex(bad));
            parser.finish();
          }) == ErrorKind::corrupt);
    CHECK(sink.text.empty());
  }
}

TEST_CASE("random deltas are corrupt or stay inside the old file", "[chain][delta]") {
  for (std::uint64_t seed = test::first_seed(), end = seed + 2000; seed < end; ++seed) {
    CAPTURE(seed);
    Chance chance(seed);
    const Bytes old(100);
    Bytes delta = hex("72730236");
    const Bytes junk = chance.bytes(chance.below(60));
    for (const std::byte byte : junk) {
      delta.push_back(chance.one_in(2) ? byte : byte & std::byte{0x5f});
    }
    Patcher patcher(old);
    DeltaParser parser(old.size(), patcher);
    const auto kind = kind_of([&] {
      parser.feed(delta);
      parser.finish();
    });
    CHECK((!kind || *kind == ErrorKind::corrupt));
  }
}

}  // namespace rota::chain
