#include <algorithm>
#include <catch2/catch.hpp>

#include "base/kind_of.h"
#include "chain/encryption.h"
#include "chain/key.h"
#include "chance.h"

namespace rota::chain {

namespace {

using base::ErrorKind;
using test::kind_of;
using test::message_of;

const std::string kRun = "20260104T030000Z-7f3a9c";
const std::string kOther = "20260105T030000Z-7f3a9d";
constexpr unsigned kCheap = 10;  // of a passphrase

struct People {
  std::vector<SecretKey> keys;
  std::vector<Recipient> recipients;
  explicit People(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      keys.push_back(SecretKey::generate());
      recipients.emplace_back(keys.back());
    }
  }
};

Envelope read_back(const Envelope& envelope) {
  base::Bytes bytes;
  base::ByteWriter out(bytes);
  envelope.encode(out);
  base::ByteReader in(bytes);
  Envelope again = Envelope::decode(in);
  REQUIRE(in.at_end());
  return again;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("each recipient opens a run, and nobody else", "[chain][key]") {
  for (const std::size_t count : {std::size_t{1}, std::size_t{3}, kMaxRecipients}) {
    CAPTURE(count);
    const People people(count);
    const RunKey key = RunKey::random();
    const Envelope envelope = wrap(key, people.recipients, kRun);
    CHECK(read_back(envelope) == envelope);
    for (const SecretKey& secret : people.keys) {
      const auto opened = unwrap(envelope, people.recipients, secret, kRun);
      REQUIRE(opened);
      CHECK(*opened == key);
    }
    CHECK_FALSE(unwrap(envelope, people.recipients, SecretKey::generate(), kRun));
  }
}

TEST_CASE("nothing in an envelope repeats", "[chain][key]") {
  const People people(2);
  const RunKey key = RunKey::random();
  const Envelope a = wrap(key, people.recipients, kRun);
  const Envelope b = wrap(key, people.recipients, kRun);
  CHECK(a.ephemeral != b.ephemeral);
  CHECK(a.wrapped[0] != b.wrapped[0]);
  CHECK(a.wrapped[0] != a.wrapped[1]);
}

TEST_CASE("a key wrapped for one run does not open another", "[chain][key]") {
  const People people(2);
  const Envelope envelope = wrap(RunKey::random(), people.recipients, kRun);
  for (const std::string& run : {kOther, std::string(), kRun + "0", kRun.substr(1)}) {
    CAPTURE(run);
    CHECK(kind_of([&] { unwrap(envelope, people.recipients, people.keys[0], run); }) ==
          ErrorKind::corrupt);
  }
}

TEST_CASE("no changed byte of an envelope gives a key", "[chain][key]") {
  const People people(3);
  base::Bytes bytes;
  base::ByteWriter out(bytes);
  wrap(RunKey::random(), people.recipients, kRun).encode(out);
  REQUIRE(bytes.size() == 1 + 32 + 3 * 48);
  // What each key gives, 'k' a key, 'c' corrupt, 'n' nothing.
  const auto outcome = [&](std::size_t person) {
    base::ByteReader in(bytes);
    try {
      const Envelope envelope = Envelope::decode(in);
      if (!in.at_end()) return 'c';
      return unwrap(envelope, people.recipients, people.keys[person], kRun) ? 'k' : 'n';
    } catch (const base::Error& error) {
      CHECK(error.kind() == ErrorKind::corrupt);
      return 'c';
    }
  };
  for (std::size_t person = 0; person < 3; ++person) REQUIRE(outcome(person) == 'k');
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      bytes[i] ^= static_cast<std::byte>(1U << bit);
      for (std::size_t person = 0; person < 3; ++person) {
        // Damage to what was wrapped for somebody else does not keep this one out.
        const bool own = i < 33 || (i - 33) / 48 == person;
        if (outcome(person) != (own ? 'c' : 'k')) FAIL_CHECK(i << " " << bit << " " << person);
      }
      bytes[i] ^= static_cast<std::byte>(1U << bit);
    }
  }
}

TEST_CASE("an envelope and its recipients must belong together", "[chain][key]") {
  const People people(2);
  const Envelope envelope = wrap(RunKey::random(), people.recipients, kRun);
  const std::vector<Recipient> swapped{people.recipients[1], people.recipients[0]};
  const std::vector<Recipient> fewer{people.recipients[0]};
  std::vector<Recipient> more = people.recipients;
  more.emplace_back(SecretKey::generate());
  for (const auto& recipients : {swapped, fewer, more}) {
    CHECK(kind_of([&] { unwrap(envelope, recipients, people.keys[0], kRun); }) ==
          ErrorKind::corrupt);
  }
}

TEST_CASE("an envelope whose ephemeral key is no key is damaged", "[chain][key]") {
  const People people(1);
  Envelope envelope = wrap(RunKey::random(), people.recipients, kRun);
  envelope.ephemeral = {};
  CHECK(kind_of([&] { unwrap(envelope, people.recipients, people.keys[0], kRun); }) ==
        ErrorKind::corrupt);
}

TEST_CASE("a run is encrypted for 1 to 16 recipients that can have a key", "[chain][key]") {
  const People people(kMaxRecipients + 1);
  const RunKey key = RunKey::random();
  CHECK(kind_of([&] { wrap(key, people.recipients, kRun); }) == ErrorKind::config);
  CHECK(kind_of([&] { wrap(key, {}, kRun); }) == ErrorKind::config);
  const base::Bytes zeros(33);
  base::ByteReader in(zeros);
  const std::vector<Recipient> nobody{Recipient::decode(in)};
  CHECK(kind_of([&] { wrap(key, nobody, kRun); }) == ErrorKind::config);
}

TEST_CASE("an envelope for nobody, for too many or cut off is refused", "[chain][key]") {
  base::Bytes bytes(33 + 17 * 48);
  const auto kind_with = [&](unsigned count, std::size_t size) {
    bytes[0] = static_cast<std::byte>(count);
    base::ByteReader in{std::span<const std::byte>(bytes).first(size)};
    return kind_of([&] { Envelope::decode(in); });
  };
  CHECK(kind_with(0, bytes.size()) == ErrorKind::corrupt);
  CHECK(kind_with(17, bytes.size()) == ErrorKind::corrupt);
  CHECK_FALSE(kind_with(16, bytes.size()));
  CHECK(kind_with(2, 33 + 2 * 48 - 1) == ErrorKind::corrupt);
  CHECK_FALSE(kind_with(2, 33 + 2 * 48));
  for (std::size_t size = 0; size < 81; ++size) CHECK(kind_with(1, size) == ErrorKind::corrupt);
}

TEST_CASE("a key ring opens with whatever fits", "[chain][key]") {
  const People people(1);
  const SecretKey behind = SecretKey::generate();
  std::vector<Recipient> recipients = people.recipients;
  recipients.push_back(Recipient::locked(behind, "correct horse", kCheap));
  const RunKey key = RunKey::random();
  const Envelope envelope = wrap(key, recipients, kRun);
  KeyRing ring;
  int asked = 0;
  ring.set_ask([&]() -> std::optional<std::string> {
    ++asked;
    return "correct horse";
  });
  SECTION("a key, although another was given too") {
    ring.add(SecretKey::generate());
    ring.add(people.keys[0]);
    CHECK(ring.open(envelope, recipients, kRun) == key);
    CHECK(asked == 0);
  }
  SECTION("the key behind the passphrase, if somebody has it") {
    ring.add(behind);
    CHECK(ring.open(envelope, recipients, kRun) == key);
    CHECK(asked == 0);
  }
  SECTION("a passphrase, although a wrong one was given too") {
    ring.add_passphrase("wrong");
    ring.add_passphrase("correct horse");
    CHECK(ring.open(envelope, recipients, kRun) == key);
    CHECK(asked == 0);
  }
  SECTION("the answer, which is asked for once and kept") {
    ring.add_passphrase("wrong");
    CHECK(ring.open(envelope, recipients, kRun) == key);
    const RunKey second = RunKey::random();
    CHECK(ring.open(wrap(second, recipients, kOther), recipients, kOther) == second);
    // The key behind it is kept: that costs no scrypt, and opens what has no lock.
    const std::vector<Recipient> open{Recipient(behind)};
    CHECK(ring.open(wrap(second, open, kOther), open, kOther) == second);
    CHECK(asked == 1);
  }
}

TEST_CASE("a key ring says who could open a run", "[chain][key]") {
  const People people(2);
  const RunKey key = RunKey::random();
  KeyRing ring;
  int asked = 0;
  ring.set_ask([&]() -> std::optional<std::string> {
    ++asked;
    return "wrong";
  });
  SECTION("without a lock nobody is asked") {
    const Envelope envelope = wrap(key, people.recipients, kRun);
    const std::string message = message_of([&] { ring.open(envelope, people.recipients, kRun); });
    CAPTURE(message);
    CHECK(contains(message, kRun));
    CHECK(contains(message, people.recipients[0].text().substr(0, 11 + 8) + "… and rota-pub-1-"));
    CHECK_FALSE(contains(message, people.recipients[0].text().substr(0, 11 + 9)));
    CHECK(contains(message, people.recipients[1].text().substr(0, 11 + 8)));
    CHECK(contains(message, "--key FILE"));
    CHECK_FALSE(contains(message, "passphrase"));
    CHECK(asked == 0);
    CHECK(kind_of([&] { ring.open(envelope, people.recipients, kRun); }) == ErrorKind::config);
    ring.add(SecretKey::generate());
    CHECK(contains(message_of([&] { ring.open(envelope, people.recipients, kRun); }),
                   "the key that was given is another"));
  }
  SECTION("a wrong answer is not asked for again") {
    const std::vector<Recipient> lock{Recipient::locked(people.keys[0], "right", kCheap)};
    const Envelope envelope = wrap(key, lock, kRun);
    CHECK(kind_of([&] { ring.open(envelope, lock, kRun); }) == ErrorKind::config);
    const std::string message = message_of([&] { ring.open(envelope, lock, kRun); });
    CAPTURE(message);
    CHECK(contains(message, "the passphrase does not fit"));
    CHECK(contains(message, lock[0].text().substr(0, 12 + 8)));
    CHECK(contains(message, "--passphrase-file FILE"));
    CHECK(asked == 1);
  }
}

TEST_CASE("a key ring tells damage only when nothing else opens", "[chain][key]") {
  const People people(2);
  const RunKey key = RunKey::random();
  Envelope envelope = wrap(key, people.recipients, kRun);
  envelope.wrapped[0][5] ^= std::byte{1};
  KeyRing ring;
  ring.add(people.keys[0]);
  CHECK(kind_of([&] { ring.open(envelope, people.recipients, kRun); }) == ErrorKind::corrupt);
  ring.add(people.keys[1]);
  CHECK(ring.open(envelope, people.recipients, kRun) == key);
}

TEST_CASE("one key may stand twice among the recipients", "[chain][key]") {
  const SecretKey secret = SecretKey::generate();
  const std::vector<Recipient> recipients{Recipient(secret),
                                          Recipient::locked(secret, "right", kCheap)};
  const RunKey key = RunKey::random();
  Envelope envelope = wrap(key, recipients, kRun);
  envelope.wrapped[0][5] ^= std::byte{1};
  const auto opened = unwrap(envelope, recipients, secret, kRun);
  REQUIRE(opened);
  CHECK(*opened == key);
}

TEST_CASE("an object of no run is opened by its recipients, under its own name", "[chain][key]") {
  const SecretKey key = SecretKey::generate();
  const std::vector<Recipient> recipients{Recipient(key)};
  const std::string text(100'000, 'x');
  const auto type = chain::ObjectType::ledger;
  const base::Bytes object = encrypt_alone(type, "ledger.json", recipients, base::as_bytes(text));
  CHECK(base::as_text(object).find("xxxx") == std::string_view::npos);
  chain::KeyRing ring;
  CHECK_THROWS_WITH(decrypt_alone(type, "ledger.json", ring, object),
                    Catch::StartsWith("ledger.json is encrypted for rota-pub-1-"));
  ring.add(key);
  CHECK(base::as_text(decrypt_alone(type, "ledger.json", ring, object)) == text);
  // Not for a run record, not under another name, and with no byte changed.
  CHECK(kind_of([&] { decrypt_alone(type, "other.json", ring, object); }) ==
        base::ErrorKind::corrupt);
  CHECK(kind_of([&] { decrypt_alone(chain::ObjectType::record, "ledger.json", ring, object); }) ==
        base::ErrorKind::corrupt);
  for (const std::size_t at : {std::size_t{20}, std::size_t{60}, object.size() - 1}) {
    base::Bytes changed = object;
    changed[at] ^= std::byte{1};
    CHECK(kind_of([&] { decrypt_alone(type, "ledger.json", ring, changed); }).has_value());
  }
  CHECK(encrypt_alone(type, "ledger.json", recipients, base::as_bytes(text)) != object);
}

}  // namespace rota::chain
