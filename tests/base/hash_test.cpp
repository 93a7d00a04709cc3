#include "base/hash.h"

#include <catch2/catch.hpp>
#include <vector>

#include "base/bytes.h"
#include "base/kind_of.h"

using namespace rota::base;
using rota::test::kind_of;

namespace {

template <typename Hash>
std::string hash_of(std::string_view text) {
  Hash hash;
  hash.update(as_bytes(text));
  return to_hex(hash.finish());
}

}  // namespace

TEST_CASE("hashes are those of the standards", "[hash]") {
  // FIPS 180-2, appendices A and B; RFC 1321, appendix A.5.
  CHECK(hash_of<Sha256>("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(hash_of<Sha256>("abc") ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(hash_of<Sha256>("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(hash_of<Sha1>("abc") == "a9993e364706816aba3e25717850c26c9cd0d89d");
  CHECK(hash_of<Sha1>("") == "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  CHECK(hash_of<Md5>("") == "d41d8cd98f00b204e9800998ecf8427e");
  CHECK(hash_of<Md5>("message digest") == "f96b697d7cb7938d525a2f31aaf161d0");
}

TEST_CASE("a hash of a million bytes does not depend on the pieces", "[hash]") {
  const std::string piece(1000, 'a');
  Sha256 hash;
  for (int i = 0; i < 1000; ++i) hash.update(as_bytes(piece));
  const std::string expected = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
  CHECK(to_hex(hash.finish()) == expected);
  CHECK(to_hex(sha256(as_bytes(std::string(1'000'000, 'a')))) == expected);
}

TEST_CASE("a hasher starts afresh when it has finished", "[hash]") {
  Sha256 hash;
  hash.update(as_bytes("something else"));
  hash.finish();
  hash.update(as_bytes("abc"));
  CHECK(hash.finish() == sha256(as_bytes("abc")));
  CHECK(hash.finish() == sha256({}));
}

TEST_CASE("hexadecimal is read back and anything else is corrupt", "[hash]") {
  std::array<std::byte, 3> out{};
  from_hex("00a9ff", out);
  CHECK(to_hex(out) == "00a9ff");
  CHECK(to_hex({}) == "");
  for (const char* text :
       {"", "00a9f", "00a9ff0", "00a9ff00", "00A9FF", "00a9fg", "0x00a9", "00 a9f", "-0a9ff"}) {
    CAPTURE(text);
    CHECK(kind_of([&] { from_hex(text, out); }) == ErrorKind::corrupt);
  }
}

TEST_CASE("random bytes fill the whole buffer and differ", "[hash]") {
  // getrandom() may give less than asked above 256 bytes. 1000 zero bytes at the end would take a
  // generator that forgot them.
  std::vector<std::byte> a(100'000);
  std::vector<std::byte> b(100'000);
  random_bytes(a);
  random_bytes(b);
  CHECK(a != b);
  const std::vector<std::byte> tail(a.end() - 1000, a.end());
  CHECK(tail != std::vector<std::byte>(1000));
  CHECK_NOTHROW(random_bytes({}));
}
