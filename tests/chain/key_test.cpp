#include "chain/key.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <new>

#include "base/hash.h"
#include "base/kind_of.h"
#include "chance.h"

namespace rota::chain {

namespace {

using base::ErrorKind;
using test::kind_of;
using test::message_of;

const std::string kRun = "20260104T030000Z-7f3a9c";
constexpr unsigned kCheap = 10;  // of a passphrase

// Made with Python's hashlib, base64 and cryptography, from RFC 7748's keys (section 6.1).
const std::string kAlice =
    "ROTA-SECRET-KEY-1-O4DW-2CTT-DCSX-2PAW-YFZF-DMTG-IXPU-YL4H-5PAJ-SKVR-O752-KHNZ-FQVH-6TLK-NE";
const std::string kAlicePublic =
    "rota-pub-1-quqpacmjgctvi5elpxolipxxlig36oqney4bv5hlusuy5ku3jzvmco2pie";
const std::string kAliceLock =
    "rota-lock-1-quqpacmjgctvi5elpxolipxxlig36oqney4bv5hlusuy5ku3jzvauaabaibqibiga4eascqlbqgq4dy5k"
    "niyrzyzwef4wqo6czsodibofjyjcyt3yy6rzaniplfoilsznyjeeyziv775yh3lf2whm3p5rbma7p44se";
const std::string kAlicePassphrase = "correct horse b\xc3\xa4ttery";
const std::string kEnvelope =
    "01de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4fd608080345fa7844b24390b753a8"
    "a41de42d14dda79ef2529a56553a8b9677cf83c6aba295630a4c2bb9e9ab75f008c6";

base::Bytes bytes_of(std::string_view hex) {
  base::Bytes bytes(hex.size() / 2);
  base::from_hex(hex, bytes);
  return bytes;
}

template <typename Encodable>
base::Bytes encoded(const Encodable& value) {
  base::Bytes bytes;
  base::ByteWriter out(bytes);
  value.encode(out);
  return bytes;
}

template <typename Decodable>
Decodable decoded(const base::Bytes& bytes) {
  base::ByteReader in(bytes);
  Decodable value = Decodable::decode(in);
  if (!in.at_end()) throw base::Error(ErrorKind::corrupt, "bytes are left over");
  return value;
}

}  // namespace

TEST_CASE("secret bytes are overwritten when they go", "[chain][key]") {
  alignas(SecretBytes) std::array<std::byte, sizeof(SecretBytes)> room{};
  const auto used = [&] {
    return std::ranges::count_if(room, [](std::byte b) { return b != std::byte{0}; }) > 16;
  };
  auto* secret = new (room.data()) SecretBytes(SecretBytes::random());
  CHECK(used());
  const SecretBytes other = std::move(*secret);
  CHECK_FALSE(used());
  CHECK(other != SecretBytes());
  *secret = other;
  CHECK(*secret == other);
  secret->~SecretBytes();
  CHECK_FALSE(used());
  CHECK(SecretBytes::random() != SecretBytes::random());
}

TEST_CASE("a secret key gives the public key of RFC 7748", "[chain][key]") {
  const SecretKey alice = SecretKey::parse(kAlice);
  CHECK(base::to_hex(alice.public_key()) ==
        "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
  CHECK(alice.text() == kAlice);
  CHECK(Recipient(alice).text() == kAlicePublic);
  CHECK(Recipient(alice) == Recipient::parse(kAlicePublic));
}

TEST_CASE("an envelope of another implementation opens", "[chain][key]") {
  const auto envelope = decoded<Envelope>(bytes_of(kEnvelope));
  const std::vector<Recipient> recipients{Recipient::parse(kAlicePublic)};
  const auto key = unwrap(envelope, recipients, SecretKey::parse(kAlice), kRun);
  REQUIRE(key);
  std::array<std::byte, 32> expected{};
  for (std::size_t i = 0; i < 32; ++i) expected[i] = static_cast<std::byte>(100 + i);
  CHECK(*key == SecretBytes(expected));
  CHECK(encoded(envelope) == bytes_of(kEnvelope));
}

TEST_CASE("a lock of another implementation opens with its passphrase", "[chain][key]") {
  const Recipient lock = Recipient::parse(kAliceLock);
  REQUIRE(lock.has_lock());
  CHECK(lock.text() == kAliceLock);
  const auto key = lock.unlock(kAlicePassphrase);
  REQUIRE(key);
  CHECK(key->text() == kAlice);
}

TEST_CASE("keys and recipients come back from their texts however they are typed", "[chain][key]") {
  for (int i = 0; i < 50; ++i) {
    const SecretKey key = SecretKey::generate();
    const std::string text = key.text();
    CHECK(SecretKey::parse(text).bytes() == key.bytes());
    std::string typed = text;
    for (char& c : typed) {
      if (c == '-') c = "- \n\t"[i % 4];
      if (i % 3 == 0 && c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    CHECK(SecretKey::parse("  " + typed + "\r\n").bytes() == key.bytes());
    typed.erase(std::remove(typed.begin(), typed.end(), '-'), typed.end());
    CHECK(SecretKey::parse(typed).bytes() == key.bytes());
    for (const Recipient& recipient : {Recipient(key), Recipient::locked(key, "a", kCheap)}) {
      std::string shouted = recipient.text();
      for (char& c : shouted) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
      CHECK(Recipient::parse(recipient.text()) == recipient);
      CHECK(Recipient::parse(shouted) == recipient);
      CHECK(decoded<Recipient>(encoded(recipient)) == recipient);
    }
  }
}

TEST_CASE("a key's text can be typed in from paper", "[chain][key]") {
  const std::string text = SecretKey::generate().text();
  CHECK(text.starts_with("ROTA-SECRET-KEY-1-"));
  std::size_t group = 0;
  for (const char c : text.substr(std::string("ROTA-SECRET-KEY-1-").size())) {
    group = c == '-' ? 0 : group + 1;
    CHECK(group <= 4);
    CHECK((c == '-' || (c >= 'A' && c <= 'Z') || (c >= '2' && c <= '7')));
  }
}

TEST_CASE("a wrong character anywhere in a text is found", "[chain][key]") {
  const auto each_change = [](const std::string& text, auto parse) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '-') continue;
      CAPTURE(i);
      for (const char wrong : {'A', 'Q', '2', '7'}) {
        std::string changed = text;
        changed[i] = wrong;
        // Capital or small is no difference.
        if (std::toupper(text[i]) == wrong) continue;
        REQUIRE(kind_of([&] { parse(changed); }) == ErrorKind::config);
      }
      std::string shorter = text;
      shorter.erase(i, 1);
      REQUIRE(kind_of([&] { parse(shorter); }) == ErrorKind::config);
      std::string longer = text;
      longer.insert(i, 1, text[i]);
      REQUIRE(kind_of([&] { parse(longer); }) == ErrorKind::config);
      std::string swapped = text;
      if (i + 1 < text.size() && text[i + 1] != '-' && text[i] != text[i + 1]) {
        std::swap(swapped[i], swapped[i + 1]);
        REQUIRE(kind_of([&] { parse(swapped); }) == ErrorKind::config);
      }
    }
  };
  each_change(kAlice, [](const std::string& text) { SecretKey::parse(text); });
  each_change(kAlicePublic, [](const std::string& text) { Recipient::parse(text); });
  each_change(kAliceLock, [](const std::string& text) { Recipient::parse(text); });
}

TEST_CASE("the last letter has one spelling", "[chain][key]") {
  // 36 bytes take 57.6 letters: the last has two bits that mean nothing and must be zero.
  std::string other = kAlice;
  REQUIRE(other.back() == 'E');
  other.back() = 'F';
  CHECK(kind_of([&] { SecretKey::parse(other); }) == ErrorKind::config);
}

TEST_CASE("what is said about a wrong text does not show it", "[chain][key]") {
  std::string zero = kAlice;
  zero[18] = '0';  // for its letter O
  std::string wrong = kAlice;
  wrong[20] = wrong[20] == 'D' ? 'E' : 'D';
  std::string umlaut = kAlice;
  umlaut.replace(20, 1, "\xc3\xa4");
  for (const std::string& text :
       {zero, wrong, umlaut, kAlice.substr(0, 60), kAlice + "AAAA", kAlice + kAlice, kAlicePublic,
        std::string("hunter2 is my secret"), std::string()}) {
    const std::string message = message_of([&] { SecretKey::parse(text); });
    CAPTURE(message);
    CHECK_FALSE(message.empty());
    CHECK(message.find("2CTT") == std::string::npos);
    CHECK(message.find("hunter2") == std::string::npos);
  }
  CHECK(message_of([&] { SecretKey::parse(zero); }).find("it is an O") != std::string::npos);
  // A person who pastes the secret into the profile learns what it is.
  const std::string message = message_of([] { Recipient::parse(kAlice); });
  CHECK(message.find("secret key, which belongs on paper") != std::string::npos);
  CHECK(message.find("2CTT") == std::string::npos);
}

TEST_CASE("a passphrase unlocks, and no other does", "[chain][key]") {
  const SecretKey key = SecretKey::generate();
  const Recipient lock = Recipient::locked(key, "correct horse");
  CHECK(encoded(lock).at(33) == std::byte{15});  // the cost that is meant where nothing is said
  const auto opened = lock.unlock("correct horse");
  REQUIRE(opened);
  CHECK(opened->bytes() == key.bytes());
  for (const char* wrong : {"", "correct hors", "correct horse ", "Correct horse"}) {
    CAPTURE(wrong);
    CHECK_FALSE(lock.unlock(wrong));
  }
  CHECK_FALSE(Recipient(key).unlock("correct horse"));
  CHECK(Recipient::locked(key, "correct horse", kCheap).text() !=
        Recipient::locked(key, "correct horse", kCheap).text());
}

TEST_CASE("no changed byte of a lock gives a key", "[chain][key]") {
  test::Chance chance(test::first_seed());
  const SecretKey key = SecretKey::generate();
  base::Bytes bytes = encoded(Recipient::locked(key, "correct horse", kCheap));
  REQUIRE(bytes.size() == 1 + 32 + 1 + 16 + 48);
  REQUIRE(decoded<Recipient>(bytes).unlock("correct horse"));
  int opened = 0;
  for (std::byte& byte : bytes) {
    const std::byte before = byte;
    byte ^= static_cast<std::byte>(1U << chance.below(8));
    try {
      if (decoded<Recipient>(bytes).unlock("correct horse")) ++opened;
    } catch (const base::Error& error) {
      CHECK(error.kind() == ErrorKind::corrupt);
    }
    byte = before;
  }
  CHECK(opened == 0);
  // The public half's highest bit means nothing to X25519, but is authenticated.
  bytes[32] ^= std::byte{0x80};
  CHECK_FALSE(decoded<Recipient>(bytes).unlock("correct horse"));
}

TEST_CASE("recipients that cost memory or are cut off are refused", "[chain][key]") {
  const base::Bytes good = encoded(Recipient::locked(SecretKey::generate(), "a", kCheap));
  for (int log_n = 0; log_n < 256; ++log_n) {
    CAPTURE(log_n);
    base::Bytes bytes = good;
    bytes[33] = static_cast<std::byte>(log_n);
    const bool allowed = log_n >= 10 && log_n <= 15;
    CHECK(kind_of([&] { decoded<Recipient>(bytes); }) ==
          (allowed ? std::nullopt : std::optional(ErrorKind::corrupt)));
  }
  for (int flags = 2; flags < 256; ++flags) {
    base::Bytes bytes = good;
    bytes[0] = static_cast<std::byte>(flags);
    CHECK(kind_of([&] { decoded<Recipient>(bytes); }) == ErrorKind::corrupt);
  }
  for (std::size_t size = 0; size < good.size(); ++size) {
    const base::Bytes bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size));
    CHECK(kind_of([&] { decoded<Recipient>(bytes); }) == ErrorKind::corrupt);
  }
  CHECK(kind_of([] { Recipient::locked(SecretKey::generate(), "a", 16); }) == ErrorKind::usage);
}

}  // namespace rota::chain
