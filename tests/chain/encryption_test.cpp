// Encryption as a layer around objects, and of whole chains.

#include "chain/encryption.h"

#include <catch2/catch.hpp>
#include <filesystem>

#include "base/error.h"
#include "base/kind_of.h"
#include "chain/chain_fixture.h"
#include "chain/clear_store.h"
#include "chain/verify.h"

namespace rota::chain {

using base::Bytes;
using base::ErrorKind;
using test::Backups;
using test::MemoryStore;

namespace {

const std::string kName = "data/20260101T000000Z-aaaaaa/20260101T000000Z-aaaaaa/v000000";

Bytes bytes_of(const std::string& text) {
  const auto bytes = base::as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

std::string text_of(const Bytes& bytes) { return std::string(base::as_text(bytes)); }

bool decrypts(const std::string& name, const RunKey& key, const Bytes& object) {
  const auto kind = test::kind_of([&] { decrypt_object(ObjectType::volume, name, key, object); });
  if (kind) CHECK(*kind == ErrorKind::corrupt);
  return !kind;
}

}  // namespace

TEST_CASE("an object of any size is decrypted as it was, and shows nothing of itself",
          "[chain][encryption]") {
  const RunKey key = RunKey::random();
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kChunkRaw - 1, kChunkRaw,
                                 kChunkRaw + 1, 3 * kChunkRaw, 100'000UL}) {
    CAPTURE(size);
    const std::string plain = std::string(size, 'x');
    const Bytes object = encrypt_object(ObjectType::volume, kName, key, bytes_of(plain));
    CHECK(object.size() > size);
    CHECK(text_of(object).find("xxxxxxxx") == std::string::npos);
    CHECK(text_of(decrypt_object(ObjectType::volume, kName, key, object)) == plain);
    CHECK(encrypt_object(ObjectType::volume, kName, key, bytes_of(plain)) != object);
  }
}

TEST_CASE("an object that was changed, cut, or belongs elsewhere is not decrypted",
          "[chain][encryption]") {
  const RunKey key = RunKey::random();
  const Bytes plain = bytes_of(test::noise(2 * kChunkRaw + 500, 1));
  const Bytes object = encrypt_object(ObjectType::volume, kName, key, plain);
  REQUIRE(decrypts(kName, key, object));
  CHECK_FALSE(decrypts(kName, RunKey::random(), object));
  CHECK_FALSE(decrypts(kName.substr(0, kName.size() - 1) + "1", key, object));
  for (std::size_t at = 0; at < object.size(); at += at < 200 ? 1 : 97) {
    CAPTURE(at);
    Bytes bad = object;
    bad[at] ^= std::byte{1};
    const auto kind = test::kind_of([&] { decrypt_object(ObjectType::volume, kName, key, bad); });
    REQUIRE(kind);
    CHECK((*kind == ErrorKind::corrupt || at == 13));  // a newer version
  }
  for (std::size_t size = kHeaderSize; size < object.size(); size += 61) {
    CAPTURE(size);
    CHECK_FALSE(decrypts(kName, key, Bytes(object.begin(), object.begin() + long(size))));
  }
  const auto chunk = [&](std::size_t i) {
    return std::span(object).subspan(
        kHeaderSize + i * kChunkStored,
        i < 2 ? kChunkStored : object.size() - kHeaderSize - 2 * kChunkStored);
  };
  const auto made_of = [&](std::initializer_list<std::size_t> chunks) {
    Bytes made(object.begin(), object.begin() + long(kHeaderSize));
    for (const std::size_t i : chunks) made.insert(made.end(), chunk(i).begin(), chunk(i).end());
    return made;
  };
  REQUIRE(made_of({0, 1, 2}) == object);
  CHECK_FALSE(decrypts(kName, key, made_of({1, 0, 2})));
  CHECK_FALSE(decrypts(kName, key, made_of({0, 2})));
  CHECK_FALSE(decrypts(kName, key, made_of({0, 0, 2})));
  CHECK_FALSE(decrypts(kName, key, made_of({0, 1})));  // cut where a chunk ends
  CHECK_FALSE(decrypts(kName, key, made_of({2})));
}

TEST_CASE("any part of an encrypted object is read as it was", "[chain][encryption]") {
  MemoryStore store;
  const SecretKey secret = SecretKey::generate();
  RunRecord record;
  record.run = record.chain = "20260101T000000Z-aaaaaa";
  record.runs = {record.run};
  record.recipients = {Recipient(secret)};
  const RunKey key = RunKey::random();
  record.envelopes = {wrap(key, record.recipients, record.run)};
  KeyRing keys;
  keys.add(secret);
  for (const std::size_t size : {2 * kChunkRaw, 2 * kChunkRaw + 100}) {
    const std::string plain = test::noise(size, 2);
    store.put(kName, encrypt_object(ObjectType::volume, kName, key, bytes_of(plain)));
    ClearStore clear(store, record, &keys);
    CHECK(text_of(clear.get(kName, store::kMaxObject)) == plain);
    for (const std::size_t at :
         {std::size_t{0}, std::size_t{16}, kChunkRaw - 1, kChunkRaw, kChunkRaw + 5, size - 1}) {
      for (const std::size_t length : {std::size_t{1}, std::size_t{40}, kChunkRaw, size}) {
        CAPTURE(size, at, length);
        if (at + length > size) {
          Bytes part(length);
          part.resize(clear.read_some(kName, at, part));
          CHECK(text_of(part) == plain.substr(at));
          part.resize(length);
          CHECK(test::kind_of([&] { clear.read(kName, at, part); }) == ErrorKind::corrupt);
          continue;
        }
        Bytes part(length);
        clear.read(kName, at, part);
        CHECK(text_of(part) == plain.substr(at, length));
      }
    }
    store.objects.at(kName).resize(kHeaderSize + kChunkStored + 50);
    Bytes part(100);
    CHECK(test::kind_of([&] { clear.read(kName, kChunkRaw + 10, part); }) == ErrorKind::corrupt);
  }
}

TEST_CASE("a record is opened by those it names, and only under its own name",
          "[chain][encryption]") {
  const SecretKey secret = SecretKey::generate();
  const RunKey key = RunKey::random();
  const std::string run = "20260101T000000Z-aaaaaa";
  const std::vector<Recipient> recipients = {Recipient(SecretKey::generate()), Recipient(secret)};
  const Lock lock{recipients, wrap(key, recipients, run)};
  const Bytes object = encrypt_record("runs/x", key, lock, bytes_of("the record"));
  REQUIRE(is_encrypted(object, ObjectType::record));
  const Lock read = read_lock(object);
  CHECK(read.recipients == recipients);
  const auto opened = unwrap(read.envelope, read.recipients, secret, run);
  REQUIRE(opened);
  CHECK(text_of(decrypt_record("runs/x", *opened, object)) == "the record");
  CHECK(test::kind_of([&] { decrypt_record("runs/y", key, object); }) == ErrorKind::corrupt);
  for (std::size_t at = kHeaderSize; at < object.size(); ++at) {
    CAPTURE(at);
    Bytes bad = object;
    bad[at] ^= std::byte{4};
    CHECK(test::kind_of([&] {
            const Lock damaged = read_lock(bad);
            decrypt_record("runs/x", key, bad);
          }) == ErrorKind::corrupt);
  }
}

TEST_CASE("an encrypted chain is restored with its key and with nothing else",
          "[chain][encryption]") {
  MemoryStore store;
  Backups backups(store);
  backups.encrypt();
  test::write(backups.path("secret-name"), "secret-content secret-content");
  test::write(backups.path("big"), test::noise(9 << 20, 3));
  const std::string first = backups.run().run;
  for (int i = 0; i < 5; ++i) {
    std::string big = test::noise(9 << 20, 3);
    big.replace(1'000'000 * (static_cast<std::size_t>(i) + 1), 5, "edits");
    test::write(backups.path("big"), big);
    test::write(backups.path("new" + std::to_string(i)), "more");
    CHECK(backups.run().kind == RunKind::increment);
  }
  CHECK(backups.quick_check_all() == "");
  CHECK(test::orphans(store, &backups.keys) == std::vector<std::string>());
  for (const auto& [name, object] : store.objects) {
    CHECK(text_of(object).find("secret") == std::string::npos);
  }
  const auto with = [&](KeyRing& keys) {
    return test::kind_of([&] {
      const Catalog catalog(store, nullptr, &keys);
      catalog.record(*catalog.newest());
    });
  };
  KeyRing none;
  CHECK(with(none) == ErrorKind::config);
  KeyRing wrong;
  wrong.add(SecretKey::generate());
  CHECK(with(wrong) == ErrorKind::config);
  CHECK_FALSE(with(backups.keys));
  // Without a key there is still a list of the runs.
  CHECK(Catalog(store, nullptr).chains().at(0).runs.size() == 6);

  base::Progress progress;
  const auto verified = verify(store, backups.state.get(), true, progress, {});
  CHECK(verified.problems == std::vector<std::string>());
  CHECK(verified.runs == 6);
}

TEST_CASE("runs of one second are in order for those who have no key", "[chain][encryption]") {
  // Names alone do not say which came first; that the full did is always known.
  for (int i = 0; i < 8; ++i) {
    MemoryStore store;
    Backups backups(store);
    backups.encrypt();
    test::write(backups.path("file"), "content");
    backups.backup(store);
    test::write(backups.path("file"), "other");
    backups.backup(store);
    const Catalog catalog(store, nullptr);
    REQUIRE(catalog.chains().size() == 1);
    CHECK(catalog.chains()[0].runs.size() == 2);
    CHECK(catalog.chains()[0].runs[0].kind == RunKind::full);
    KeyRing none;
    CHECK(test::kind_of([&] { catalog.record(*catalog.newest()); }) == ErrorKind::config);
  }
}

TEST_CASE("volumes of an encrypted chain that were exchanged are never restored",
          "[chain][encryption]") {
  MemoryStore store;
  Backups backups(store);
  backups.encrypt();
  test::write(backups.path("big"), test::noise(9 << 20, 3));
  const RunRecord one = backups.run();
  test::write(backups.path("big"), test::noise(9 << 20, 4));
  const RunRecord two = backups.full();
  REQUIRE(one.chain != two.chain);
  std::swap(store.objects.at(volume_name(one.chain, one.run, 0)),
            store.objects.at(volume_name(two.chain, two.run, 0)));
  for (const RunRecord& run : {one, two}) {
    const std::string target = backups.temp / ("to" + run.run);
    backups.restore(run.run, target);
    CHECK(backups.damaged == 1);
    CHECK_FALSE(std::filesystem::exists(target + "/big"));
  }
}

TEST_CASE("when the cache of an encrypted chain is lost, only its key continues it",
          "[chain][encryption]") {
  MemoryStore store;
  Backups backups(store);
  backups.encrypt();
  test::write(backups.path("file"), "content");
  backups.run();
  const bool has_key = GENERATE(true, false);
  CAPTURE(has_key);
  std::filesystem::remove_all(backups.cache());
  backups.reopen_state();
  backups.settings.keys = has_key ? &backups.keys : nullptr;
  const RunRecord next = backups.run();
  CHECK(next.kind == (has_key ? RunKind::increment : RunKind::full));
  CHECK(backups.warnings.size() == (has_key ? 0 : 1));
  if (!has_key) CHECK_THAT(test::lines(backups.warnings), Catch::Contains("this run is a full"));
  CHECK(backups.quick_check_all() == "");
  CHECK(backups.run().kind == RunKind::increment);
  CHECK(backups.warnings.empty());
}

TEST_CASE("a chain has the same recipients throughout", "[chain][encryption]") {
  MemoryStore store;
  Backups backups(store);
  test::write(backups.path("file"), "content");
  CHECK(backups.run().kind == RunKind::full);
  backups.encrypt();
  CHECK(backups.run().kind == RunKind::full);
  CHECK(backups.run().kind == RunKind::increment);
  backups.settings.recipients.push_back(Recipient(SecretKey::generate()));
  CHECK(backups.run().kind == RunKind::full);
  CHECK(backups.run().kind == RunKind::increment);
  backups.settings.recipients.clear();
  const RunRecord clear = backups.run();
  CHECK(clear.kind == RunKind::full);
  CHECK_FALSE(clear.encrypted());
  CHECK(backups.quick_check_all() == "");
}

}  // namespace rota::chain
