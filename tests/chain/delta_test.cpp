#include "chain/delta.h"

#include <catch2/catch.hpp>
#include <string>

#include "base/error.h"
#include "base/kind_of.h"
#include "chain/delta_samples.h"

namespace rota::chain {

using base::Bytes;
using base::ErrorKind;
using test::Chance;
using test::edited;
using test::kind_of;
using test::opened;
using test::Patcher;
using test::SampleContent;

namespace {

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

Bytes hex(std::string_view text) {
  Bytes out(text.size() / 2);
  base::from_hex(text, out);
  return out;
}

/// 8 KiB chunks, or all in one.
SignatureShape any_shape(Chance& chance, std::uint64_t size) {
  return chance.one_in(3) ? SignatureShape::whole(size) : SignatureShape::cut(size);
}

}  // namespace

TEST_CASE("copies and literals give the new content", "[chain][delta]") {
  for (std::uint64_t seed = test::first_seed(), end = seed + 200; seed < end; ++seed) {
    CAPTURE(seed);
    Chance chance(seed);
    Bytes old = chance.bytes(chance.one_in(10) ? chance.below(3) : chance.below(300'000));
    if (chance.one_in(4)) std::fill(old.begin(), old.end(), std::byte{7});  // all blocks equal
    const Bytes now = edited(chance, old, chance.one_in(2) ? 2000 : 100'000);
    const SignatureShape shape = any_shape(chance, old.size());
    const Bytes signature = test::sign(chance, old, shape);
    const OldSignature sums = opened(signature);
    REQUIRE(sums.packed_size() == old.size());
    Matcher::Limits limits;
    if (chance.one_in(2)) limits = {static_cast<std::uint32_t>(chance.between(1, 100)), 50'000};
    Patcher patcher(old);
    Matcher matcher(sums, patcher, limits);
    SampleContent content(chance, now, true);
    const auto written = test::write(content, any_shape(chance, now.size()), &sums, &matcher);
    if (patcher.result != now) FAIL("the delta gives other bytes");
    if (written.result.digest != content.digest()) FAIL("the digest is of other bytes");
    if (old == now && shape.average != 0) CHECK(written.result.signed_bytes <= now.size());
  }
}

TEST_CASE("what did not change is copied", "[chain][delta]") {
  Chance chance(8);
  for (const std::size_t size : {1UL, 511UL, 512UL, 513UL, 30'000UL, 3'000'000UL}) {
    CAPTURE(size);
    const Bytes data = chance.bytes(size);
    for (const auto shape : {SignatureShape::cut(size), SignatureShape::whole(size)}) {
      const Bytes signature = test::sign(chance, data, shape);
      const OldSignature sums = opened(signature);
      Patcher patcher(data);
      Matcher matcher(sums, patcher);
      SampleContent content(chance, data);
      const auto written = test::write(content, shape, &sums, &matcher);
      CHECK(patcher.result == data);
      CHECK(patcher.copied == size);
      CHECK(written.signature == signature);
      CHECK(written.result.signed_bytes == (shape.average == 0 ? size : 0));
    }
  }
}

TEST_CASE("a small edit costs few new bytes", "[chain][delta]") {
  Chance chance(9);
  const Bytes old = chance.bytes(1 << 20);
  Bytes now = old;
  now[500'000] ^= std::byte{1};
  now.insert(now.begin() + 700'000, std::byte{3});
  for (const auto shape : {SignatureShape::cut(old.size()), SignatureShape::whole(old.size())}) {
    const Bytes signature = test::sign(chance, old, shape);
    const OldSignature sums = opened(signature);
    Patcher patcher(old);
    Matcher matcher(sums, patcher);
    SampleContent content(chance, now);
    test::write(content, shape, &sums, &matcher);
    CHECK(patcher.result == now);
    // The block that the edit is in, and not the rest of the chunk, whose last block is short.
    CHECK(now.size() - patcher.copied <= 2 * 513);
  }
}

TEST_CASE("an edit in one place signs only what is there", "[chain][delta]") {
  Chance chance(10);
  const Bytes old = chance.bytes(4 << 20);
  Bytes now = old;
  const Bytes fresh = chance.bytes(20'000);
  std::ranges::copy(fresh, now.begin() + 1'000'000);
  now.insert(now.end(), fresh.begin(), fresh.begin() + 5000);
  const SignatureShape shape = SignatureShape::cut(old.size());
  const Bytes signature = test::sign(chance, old, shape);
  const OldSignature sums = opened(signature);
  Patcher patcher(old);
  Matcher matcher(sums, patcher);
  SampleContent content(chance, now);
  const auto written = test::write(content, shape, &sums, &matcher);
  CHECK(patcher.result == now);
  CHECK(written.result.signed_bytes >= 25'000);
  CHECK(written.result.signed_bytes <= 25'000 + 4 * Chunker::max(shape.average));
}

TEST_CASE("a signature with chunks of an older one is as if made afresh", "[chain][delta]") {
  std::uint64_t copied = 0;
  for (std::uint64_t seed = test::first_seed(), end = seed + 60; seed < end; ++seed) {
    CAPTURE(seed);
    Chance chance(seed);
    const Bytes old = chance.bytes(chance.below(400'000));
    const Bytes now = edited(chance, old, 20'000);
    const SignatureShape shape = SignatureShape::cut(old.size());
    const Bytes signature = test::sign(chance, old, shape);
    const OldSignature sums = opened(signature);
    Patcher patcher(old);
    Matcher matcher(sums, patcher);
    SampleContent content(chance, now);
    const auto written = test::write(content, shape, &sums, &matcher);
    copied += now.size() - written.result.signed_bytes;
    if (written.signature != test::sign(chance, now, shape)) FAIL("another signature");
  }
  CHECK(copied > 0);
}

TEST_CASE("sums of other blocks than the new signature has are not copied", "[chain][delta]") {
  Chance chance(13);
  const Bytes data = chance.bytes(300'000);
  const Bytes signature = test::sign(chance, data, {512, 8192});
  const OldSignature sums = opened(signature);
  Patcher patcher(data);
  Matcher matcher(sums, patcher);
  SampleContent content(chance, data);
  const auto written = test::write(content, {1024, 8192}, &sums, &matcher);
  CHECK(patcher.copied == data.size());
  CHECK(written.signature == test::sign(chance, data, {1024, 8192}));
}

TEST_CASE("blocks that moved far are found when windows do not find enough", "[chain][delta]") {
  Chance chance(11);
  const Bytes old = chance.bytes(1'000'000);
  Bytes now;  // pieces of 4,000 bytes, too small for whole chunks, in another order
  for (std::size_t i = 0; i < 250; ++i) {
    const auto from = old.begin() + static_cast<std::ptrdiff_t>((i * 97) % 250 * 4000);
    now.insert(now.end(), from, from + 4000);
  }
  const SignatureShape shape = SignatureShape::cut(old.size());
  const Bytes signature = test::sign(chance, old, shape);
  const OldSignature sums = opened(signature);
  const auto new_bytes = [&](Matcher::Limits limits) {
    Patcher patcher(old);
    Matcher matcher(sums, patcher, limits);
    SampleContent content(chance, now);
    test::write(content, shape, &sums, &matcher);
    CHECK(patcher.result == now);
    return now.size() - patcher.copied;
  };
  const std::size_t all = new_bytes({1 << 20, 0});
  CHECK(all < now.size() / 2);
  CHECK(new_bytes({64, 1 << 20}) > now.size() * 3 / 4);
  CHECK(new_bytes({64, 50'000}) < all + 300'000);
}

TEST_CASE("a window of blocks goes along with the content", "[chain][delta]") {
  Chance chance(12);
  const Bytes old = chance.bytes(1'000'000);
  Bytes now = old;
  for (std::size_t at = 1000; at < now.size(); at += 3000) now[at] ^= std::byte{1};
  const SignatureShape shape = SignatureShape::cut(old.size());
  const Bytes signature = test::sign(chance, old, shape);
  const OldSignature sums = opened(signature);
  Patcher patcher(old);
  Matcher matcher(sums, patcher, {256, 1 << 30});
  SampleContent content(chance, now);
  test::write(content, shape, &sums, &matcher);
  CHECK(patcher.result == now);
  CHECK(now.size() - patcher.copied <= (now.size() / 3000 + 1) * 1024);
}

TEST_CASE("a damaged signature never leads beyond the old file", "[chain][delta]") {
  int refused = 0;
  for (std::uint64_t seed = test::first_seed(), end = seed + 300; seed < end; ++seed) {
    CAPTURE(seed);
    Chance chance(seed);
    const Bytes old = chance.bytes(40'000);
    Bytes bad = test::sign(chance, old, any_shape(chance, old.size()));
    const std::size_t from = chance.one_in(2) ? 8 : bad.size() - 150;  // behind the magic
    for (std::uint64_t n = chance.between(1, 20); n > 0; --n) {
      bad[from + chance.below(bad.size() - from)] = static_cast<std::byte>(chance.below(256));
    }
    Bytes now = old;
    now[chance.below(now.size())] ^= std::byte{1};
    std::uint64_t size = 0;
    const auto kind = kind_of([&] {
      const auto sums = OldSignature::open(signature_bytes(bad));
      if (!sums || sums->packed_size() != old.size()) return;
      Patcher patcher(old);
      Matcher matcher(*sums, patcher);
      SampleContent content(chance, now);
      test::write(content, SignatureShape::cut(now.size()), &*sums, &matcher);
      size = patcher.result.size();
      CHECK(size == now.size());
    });
    if (kind) ++refused;
    CHECK((!kind || *kind == ErrorKind::corrupt));
  }
  CHECK(refused > 50);
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

  whole.text.clear();  // after one another may come
  parser.feed(delta);
  parser.finish();
  CHECK(whole.text == expected.substr(1));  // the literals go on
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
