#include "base/bytes.h"

#include <catch2/catch.hpp>
#include <functional>

#include "base/hash.h"
#include "base/kind_of.h"

using namespace rota::base;
using rota::test::kind_of;

namespace {

std::string written(const std::function<void(ByteWriter&)>& write) {
  Bytes bytes;
  ByteWriter writer(bytes);
  write(writer);
  return to_hex(bytes);
}

Bytes bytes(std::initializer_list<int> values) {
  Bytes out;
  for (const int value : values) out.push_back(static_cast<std::byte>(value));
  return out;
}

template <typename Read>
bool is_corrupt(const Bytes& data, Read read) {
  return kind_of([&] {
           ByteReader reader(data);
           read(reader);
         }) == ErrorKind::corrupt;
}

}  // namespace

TEST_CASE("numbers have the bytes that the format says", "[bytes]") {
  CHECK(written([](auto& w) { w.u8(0xab); }) == "ab");
  CHECK(written([](auto& w) { w.u32(0x12345678); }) == "78563412");
  CHECK(written([](auto& w) { w.u64(0x0123456789abcdef); }) == "efcdab8967452301");
  CHECK(written([](auto& w) { w.varint(0); }) == "00");
  CHECK(written([](auto& w) { w.varint(127); }) == "7f");
  CHECK(written([](auto& w) { w.varint(128); }) == "8001");
  CHECK(written([](auto& w) { w.varint(300); }) == "ac02");
  CHECK(written([](auto& w) { w.varint(UINT64_MAX); }) == "ffffffffffffffffff01");
  CHECK(written([](auto& w) { w.zigzag(0); }) == "00");
  CHECK(written([](auto& w) { w.zigzag(-1); }) == "01");
  CHECK(written([](auto& w) { w.zigzag(1); }) == "02");
  CHECK(written([](auto& w) { w.zigzag(INT64_MIN); }) == "ffffffffffffffffff01");
  CHECK(written([](auto& w) { w.string("abc"); }) == "03616263");
  CHECK(written([](auto& w) { w.string(""); }) == "00");
}

TEST_CASE("what was written is read back, to the last byte", "[bytes]") {
  const std::string text("nul \0 and \xff", 11);
  Bytes data;
  ByteWriter writer(data);
  writer.u8(255);
  writer.u32(UINT32_MAX - 1);
  writer.u64(UINT64_MAX - 1);
  for (const std::uint64_t n : {0ULL, 127ULL, 128ULL, 16383ULL, 16384ULL, 1ULL << 63}) {
    writer.varint(n);
  }
  writer.varint(UINT32_MAX);
  for (const std::int64_t n : {INT64_MIN, INT64_C(-65), INT64_C(0), INT64_C(64), INT64_MAX}) {
    writer.zigzag(n);
  }
  writer.string(text);
  writer.raw(as_bytes("tail"));

  ByteReader reader(data);
  CHECK(reader.u8() == 255);
  CHECK(reader.u32() == UINT32_MAX - 1);
  CHECK(reader.u64() == UINT64_MAX - 1);
  for (const std::uint64_t n : {0ULL, 127ULL, 128ULL, 16383ULL, 16384ULL, 1ULL << 63}) {
    CHECK(reader.varint() == n);
  }
  CHECK(reader.varint32() == UINT32_MAX);
  for (const std::int64_t n : {INT64_MIN, INT64_C(-65), INT64_C(0), INT64_C(64), INT64_MAX}) {
    CHECK(reader.zigzag() == n);
  }
  CHECK(reader.string(text.size()) == text);
  CHECK(reader.left() == 4);
  CHECK_FALSE(reader.at_end());
  CHECK(as_text(reader.raw(4)) == "tail");
  CHECK(reader.at_end());
}

TEST_CASE("data that was cut off at any place is corrupt", "[bytes]") {
  const auto read = [](ByteReader& r) {
    r.u8();
    r.u32();
    r.u64();
    r.varint();
    r.zigzag();
    r.string(100);
    r.raw(3);
  };
  Bytes whole;
  ByteWriter writer(whole);
  writer.u8(1);
  writer.u32(2);
  writer.u64(3);
  writer.varint(1 << 20);
  writer.zigzag(-(1 << 20));
  writer.string("some text");
  writer.raw(as_bytes("raw"));

  CHECK_FALSE(is_corrupt(whole, read));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    // A vector of exactly this size, so that the address sanitizer sees a byte too many.
    const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    CHECK(is_corrupt(cut, read));
  }
}

TEST_CASE("a variable number of more than 64 bits is corrupt", "[bytes]") {
  const auto read = [](ByteReader& r) { r.varint(); };
  CHECK_FALSE(
      is_corrupt(bytes({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}), read));
  CHECK(is_corrupt(bytes({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02}), read));
  CHECK(
      is_corrupt(bytes({0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00}), read));
  CHECK(is_corrupt(Bytes(1000, std::byte{0xff}), read));
}

TEST_CASE("a number beyond its limit is corrupt", "[bytes]") {
  Bytes data;
  ByteWriter writer(data);
  writer.varint(std::uint64_t{UINT32_MAX} + 1);
  CHECK(is_corrupt(data, [](ByteReader& r) { r.varint32(); }));
  CHECK(is_corrupt(data, [](ByteReader& r) { r.varint_max(UINT32_MAX); }));
  CHECK_FALSE(is_corrupt(data, [](ByteReader& r) { r.varint_max(std::uint64_t{1} << 32); }));
}

TEST_CASE("a length that lies is corrupt, however large", "[bytes]") {
  const auto string = [](std::size_t limit) { return [limit](ByteReader& r) { r.string(limit); }; };
  CHECK(is_corrupt(bytes({5, 'a', 'b'}), string(100)));
  CHECK(is_corrupt(bytes({3, 'a', 'b', 'c'}), string(2)));
  CHECK_FALSE(is_corrupt(bytes({3, 'a', 'b', 'c'}), string(3)));
  CHECK(is_corrupt(bytes({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 'a'}),
                   string(SIZE_MAX)));
  CHECK(is_corrupt(bytes({1, 2, 3}), [](ByteReader& r) { r.raw(SIZE_MAX); }));
}
