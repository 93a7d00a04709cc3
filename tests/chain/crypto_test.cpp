#include "chain/crypto.h"

#include <catch2/catch.hpp>

#include "base/bytes.h"
#include "base/hash.h"
#include "chance.h"

namespace rota::chain {

namespace {

base::Bytes bytes_of(std::string_view hex) {
  base::Bytes bytes(hex.size() / 2);
  base::from_hex(hex, bytes);
  return bytes;
}

template <std::size_t Size>
std::array<std::byte, Size> array_of(std::string_view hex) {
  std::array<std::byte, Size> bytes{};
  base::from_hex(hex, bytes);
  return bytes;
}

// RFC 7748, section 6.1.
const auto kAlice =
    array_of<32>("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
const auto kBob = array_of<32>("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
constexpr const char* kShared = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";

}  // namespace

TEST_CASE("X25519 is that of RFC 7748", "[chain][crypto]") {
  const auto alice = x25519_public(kAlice);
  const auto bob = x25519_public(kBob);
  CHECK(base::to_hex(alice) == "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
  CHECK(base::to_hex(bob) == "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
  std::array<std::byte, 32> shared{};
  REQUIRE(x25519_shared(kAlice, bob, shared));
  CHECK(base::to_hex(shared) == kShared);
  shared.fill(std::byte{0});
  REQUIRE(x25519_shared(kBob, alice, shared));
  CHECK(base::to_hex(shared) == kShared);
}

TEST_CASE("a public key that gives everybody the same secret is refused", "[chain][crypto]") {
  // Points of small order: https://cr.yp.to/ecdh.html, "validate"
  for (const char* point : {"0000000000000000000000000000000000000000000000000000000000000000",
                            "0100000000000000000000000000000000000000000000000000000000000000",
                            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
                            "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
                            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"}) {
    CAPTURE(point);
    std::array<std::byte, 32> shared{};
    shared.fill(std::byte{1});
    CHECK_FALSE(x25519_shared(kAlice, array_of<32>(point), shared));
    CHECK(shared == std::array<std::byte, 32>{});
  }
}

TEST_CASE("HKDF is that of RFC 5869", "[chain][crypto]") {
  // Test case 1, the first 32 of its 42 bytes.
  const base::Bytes secret = bytes_of("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b");
  const base::Bytes salt = bytes_of("000102030405060708090a0b0c");
  const base::Bytes info = bytes_of("f0f1f2f3f4f5f6f7f8f9");
  std::array<std::byte, 32> out{};
  hkdf_sha256(secret, salt, base::as_text(info), out);
  CHECK(base::to_hex(out) == "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf");
}

TEST_CASE("scrypt is that of RFC 7914", "[chain][crypto]") {
  // Section 12, the third vector, the first 32 of its 64 bytes.
  std::array<std::byte, 32> out{};
  scrypt("pleaseletmein", base::as_bytes("SodiumChloride"), 14, out);
  CHECK(base::to_hex(out) == "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2");
}

TEST_CASE("the highest cost of a passphrase fits the library's limit", "[chain][crypto]") {
  std::array<std::byte, 32> out{};
  CHECK_NOTHROW(scrypt("", base::as_bytes("SodiumChloride"), 15, out));
  CHECK(out != std::array<std::byte, 32>{});
}

TEST_CASE("AES-256-GCM is that of its authors", "[chain][crypto]") {
  // McGrew and Viega, "The Galois/Counter Mode of Operation", test case 16.
  const auto key = array_of<32>("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
  const auto nonce = array_of<12>("cafebabefacedbaddecaf888");
  const base::Bytes authenticated = bytes_of("feedfacedeadbeeffeedfacedeadbeefabaddad2");
  const base::Bytes plain = bytes_of(
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6"
      "b525b16aedf5aa0de657ba637b39");
  base::Bytes sealed(plain.size() + kGcmTag);
  gcm_encrypt(key, nonce, authenticated, plain, sealed);
  CHECK(
      base::to_hex(sealed) ==
      "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b10568"
      "28838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b");
  base::Bytes opened(plain.size());
  REQUIRE(gcm_decrypt(key, nonce, authenticated, sealed, opened));
  CHECK(opened == plain);
}

TEST_CASE("what was sealed opens only unchanged and with what belongs to it", "[chain][crypto]") {
  test::Chance chance(test::first_seed());
  for (const std::size_t size : {0U, 1U, 15U, 16U, 17U, 32U, 1000U}) {
    CAPTURE(size);
    std::array<std::byte, 32> key{};
    std::ranges::copy(chance.bytes(32), key.begin());
    std::array<std::byte, 12> nonce{};
    base::Bytes authenticated = chance.bytes(20);
    const base::Bytes plain = chance.bytes(size);
    base::Bytes sealed(size + kGcmTag);
    gcm_encrypt(key, nonce, authenticated, plain, sealed);
    base::Bytes opened(size, std::byte{1});
    REQUIRE(gcm_decrypt(key, nonce, authenticated, sealed, opened));
    CHECK(opened == plain);
    const auto refused = [&](std::byte& byte) {
      const std::byte before = byte;
      byte ^= static_cast<std::byte>(1U << chance.below(8));
      opened.assign(size, std::byte{1});
      const bool ok = !gcm_decrypt(key, nonce, authenticated, sealed, opened) &&
                      opened == base::Bytes(size);  // nothing of it is given away
      byte = before;
      return ok;
    };
    for (std::byte& byte : sealed) REQUIRE(refused(byte));
    for (std::byte& byte : authenticated) REQUIRE(refused(byte));
    for (std::byte& byte : key) REQUIRE(refused(byte));
    for (std::byte& byte : nonce) REQUIRE(refused(byte));
  }
}

}  // namespace rota::chain
