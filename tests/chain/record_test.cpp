#include "chain/record.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>

#include "base/error.h"
#include "base/kind_of.h"
#include "chain/chance.h"
#include "tree/entry.h"

namespace rota::chain {

using base::Bytes;
using base::ErrorKind;
using test::Chance;
using test::kind_of;
using test::message_of;

namespace {

const std::string kFull = "20260104T030000Z-7f3a9c";
const std::string kSecond = "20260105T030000Z-00ab12";
const std::string kThird = "20260106T030000Z-ffffff";

base::Sha256Digest digest(unsigned seed) {
  return base::sha256(base::as_bytes(std::to_string(seed)));
}

ObjectRow object(ObjectType type, std::uint32_t number, std::uint64_t size) {
  return {type, number, size, digest(number), base::to_hex(digest(number)).substr(0, 40)};
}

RunRecord full() {
  RunRecord record;
  record.run = record.chain = kFull;
  record.kind = RunKind::full;
  record.time = *run_time(kFull);
  record.runs = {kFull};
  record.source = "/srv";
  record.host = "web1";
  record.program = "rota 0.1.0";
  record.files = 12;
  record.bytes = 1ULL << 50;
  record.stored = 99;
  record.warnings = 1;
  record.store_hash = store::HashKind::sha1;
  record.objects = {object(ObjectType::volume, 0, 5000), object(ObjectType::index, 0, 500)};
  Piece piece;
  piece.entries = 12;
  piece.objects = {object(ObjectType::index, 0, 500), object(ObjectType::index, 1, 300)};
  piece.blocks = {{0, 16, 200, ""}, {0, 216, 284, "a/b"}, {1, 16, 284, "a.b"}};
  record.pieces = {piece};
  return record;
}

RunRecord increment() {
  RunRecord record = full();
  record.run = kThird;
  record.time = *run_time(kThird);
  record.kind = RunKind::increment;
  record.runs = {kFull, kSecond, kThird};
  record.parent = kSecond;
  record.parent_sha256 = digest(77);
  Piece piece;
  piece.run = 2;
  piece.span = 2;
  piece.entries = 1;
  piece.objects = {object(ObjectType::index, 0, 100)};
  piece.blocks = {{0, 16, 84, "etc"}};
  record.pieces.push_back(piece);
  return record;
}

void compare(const ObjectRow& a, const ObjectRow& b) {
  CHECK(a.type == b.type);
  CHECK(a.number == b.number);
  CHECK(a.size == b.size);
  CHECK(a.sha256 == b.sha256);
  CHECK(a.store_hash == b.store_hash);
}

void compare(const RunRecord& a, const RunRecord& b) {
  CHECK(a.run == b.run);
  CHECK(a.chain == b.chain);
  CHECK(a.kind == b.kind);
  CHECK(a.time == b.time);
  CHECK(a.runs == b.runs);
  CHECK(a.parent == b.parent);
  CHECK(a.parent_sha256 == b.parent_sha256);
  CHECK(a.source == b.source);
  CHECK(a.host == b.host);
  CHECK(a.program == b.program);
  CHECK(a.files == b.files);
  CHECK(a.bytes == b.bytes);
  CHECK(a.stored == b.stored);
  CHECK(a.warnings == b.warnings);
  CHECK(a.store_hash == b.store_hash);
  REQUIRE(a.objects.size() == b.objects.size());
  for (std::size_t i = 0; i < a.objects.size(); ++i) compare(a.objects[i], b.objects[i]);
  REQUIRE(a.pieces.size() == b.pieces.size());
  for (std::size_t i = 0; i < a.pieces.size(); ++i) {
    CHECK(a.pieces[i].run == b.pieces[i].run);
    CHECK(a.pieces[i].span == b.pieces[i].span);
    CHECK(a.pieces[i].entries == b.pieces[i].entries);
    REQUIRE(a.pieces[i].objects.size() == b.pieces[i].objects.size());
    for (std::size_t k = 0; k < a.pieces[i].objects.size(); ++k) {
      compare(a.pieces[i].objects[k], b.pieces[i].objects[k]);
    }
    REQUIRE(a.pieces[i].blocks.size() == b.pieces[i].blocks.size());
    for (std::size_t k = 0; k < a.pieces[i].blocks.size(); ++k) {
      const BlockRow& x = a.pieces[i].blocks[k];
      const BlockRow& y = b.pieces[i].blocks[k];
      CHECK(x.object == y.object);
      CHECK(x.position == y.position);
      CHECK(x.size == y.size);
      CHECK(x.first_path == y.first_path);
    }
  }
}

std::string text_of(const RunRecord& record) {
  const Bytes bytes = encode(record);
  return std::string(base::as_text(unpack(std::span(bytes).subspan(kHeaderSize), 64 << 20)));
}

Bytes object_of(const std::string& text) {
  Bytes bytes = object_header(ObjectType::record);
  const Bytes packed = Compressor(1).pack(base::as_bytes(text));
  bytes.insert(bytes.end(), packed.begin(), packed.end());
  return bytes;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  INFO(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("a record is read as it was written", "[chain][record]") {
  compare(decode_record(encode(full())), full());
  compare(decode_record(encode(increment())), increment());
  CHECK(decode_record(encode(increment())).number() == 2);
}

TEST_CASE("a record holds paths of any bytes", "[chain][record]") {
  RunRecord record = full();
  record.pieces[0].blocks.clear();
  record.pieces[0].objects = {object(ObjectType::index, 0, 1 << 20)};
  std::vector<std::string> paths;
  for (int c = 1; c < 256; ++c) {
    if (c != '/' && c != '.') paths.push_back("d" + std::string(1, static_cast<char>(c)));
  }
  paths.emplace_back("%41");
  paths.emplace_back("z/\xff\xfe/ new\nline\"\\");
  std::ranges::sort(paths, [](const std::string& a, const std::string& b) {
    return tree::compare_paths(a, b) < 0;
  });
  std::uint32_t at = 16;
  for (const std::string& path : paths) {
    record.pieces[0].blocks.push_back({0, at, 10, path});
    at += 10;
  }
  record.source = "/srv/\xff \n%";
  compare(decode_record(encode(record)), record);
}

TEST_CASE("percent encoding is printable and reversible", "[chain][record]") {
  CHECK(percent_encode("a b%\xff\n") == "a%20b%25%FF%0A");
  std::string all;
  for (int c = 0; c < 256; ++c) all.push_back(static_cast<char>(c));
  CHECK(percent_decode(percent_encode(all)) == all);
  for (const char* bad : {"%", "%4", "a%", "%zz", "%4g", "%aa"}) {
    CAPTURE(bad);
    CHECK(kind_of([&] { percent_decode(bad); }) == ErrorKind::corrupt);
  }
}

TEST_CASE("a field that is no text is refused when it is written", "[chain][record]") {
  RunRecord record = full();
  record.host = "\xff";
  CHECK(kind_of([&] { encode(record); }) == ErrorKind::usage);
}

TEST_CASE("every truncation of a record is corrupt", "[chain][record]") {
  const Bytes good = encode(increment());
  for (std::size_t size = 0; size < good.size(); ++size) {
    CAPTURE(size);
    REQUIRE(kind_of([&] { decode_record(std::span(good).first(size)); }) == ErrorKind::corrupt);
  }
  // Whole frames of text that breaks off.
  const std::string text = text_of(increment());
  for (std::size_t size = 0; size < text.size(); ++size) {
    CAPTURE(size);
    REQUIRE(kind_of([&] { decode_record(object_of(text.substr(0, size))); }) == ErrorKind::corrupt);
  }
  CHECK(kind_of([&] { decode_record(object_of(text + "{}\n")); }) == ErrorKind::corrupt);
}

TEST_CASE("a record of a newer rota says so", "[chain][record]") {
  Bytes bytes = encode(full());
  bytes[13] = std::byte{kFormatVersion + 1};
  CHECK(kind_of([&] { decode_record(bytes); }) == ErrorKind::config);
  const std::string newer = replaced(text_of(full()), "\"version\":1", "\"version\":2");
  CHECK(kind_of([&] { decode_record(object_of(newer)); }) == ErrorKind::config);
  CHECK_THAT(message_of([&] { decode_record(object_of(newer)); }),
             Catch::Contains("install a newer rota"));
}

TEST_CASE("lines of unknown kinds are for later versions", "[chain][record]") {
  std::string text = text_of(increment());
  text.insert(text.find('\n') + 1, "{\"novelty\":[1,2,{\"a\":null}]}\n");
  text.insert(text.find("{\"end\""), "{\"other\":true}\n");
  compare(decode_record(object_of(text)), increment());
}

TEST_CASE("fields of the wrong type or without sense are corrupt", "[chain][record]") {
  const std::string text = text_of(increment());
  const std::pair<const char*, const char*> changes[] = {
      {"\"format\":\"rota-run\"", "\"format\":\"other\""},
      {"\"format\":\"rota-run\"", "\"format\":7"},
      {"\"version\":1", "\"version\":0"},
      {"\"version\":1", "\"version\":-1"},
      {"\"version\":1", "\"version\":\"1\""},
      {"\"files\":12", "\"files\":-12"},
      {"\"files\":12", "\"files\":1e300"},
      {"\"files\":12", "\"files\":1.5"},
      {"\"files\":12", "\"files\":null"},
      {"\"files\":12", "\"files\":[12]"},
      {"\"files\":12", "\"files\":99999999999999999999999"},
      {"\"files\":12", "\"file\":12"},
      {"\"stored\":99", "\"stored\":true"},
      {"\"warnings\":1", "\"warnings\":{}"},
      {"\"kind\":\"increment\"", "\"kind\":\"full\""},
      {"\"kind\":\"increment\"", "\"kind\":\"differential\""},
      {"\"kind\":\"increment\"", "\"kind\":3"},
      {"\"runs\":[", "\"runs\":[7,"},
      {"\"runs\":[", "\"runs\":[\"x\","},
      {"\"runs\":[", "\"runs\":\"x\",\"was\":["},
      {"\"source\":\"/srv\"", "\"source\":\"/srv%\""},
      {"\"source\":\"/srv\"", "\"source\":{}"},
      {"\"host\":\"web1\"", "\"host\":1"},
      {"\"store_hash\":\"sha1\"", "\"store_hash\":\"sha9\""},
      {"\"parent_sha256\":\"", "\"parent_sha256\":\"0"},
      {"\"parent_sha256\":\"", "\"parent_sha256\":\"\",\"x\":\""},
      {"\"object\":\"v000000\"", "\"object\":\"x000000\""},
      {"\"object\":\"v000000\"", "\"object\":\"v\""},
      {"\"object\":\"v000000\"", "\"object\":\"v00000a\""},
      {"\"object\":\"v000000\"", "\"object\":\"v9999999999\""},
      {"\"object\":\"v000000\"", "\"object\":\"v99999999999999999999999\""},
      {"\"object\":\"v000000\"", "\"object\":5"},
      {"\"size\":5000", "\"size\":\"5000\""},
      {"\"size\":5000", "\"size\":-5000"},
      {"\"index\":\"i000000\"", "\"index\":\"v000000\""},
      {"\"index\":\"i000001\"", "\"index\":\"i000002\""},
      {"\"piece\":0", "\"piece\":1"},
      {"\"piece\":2", "\"piece\":0"},
      {"\"piece\":2", "\"piece\":3"},
      {"\"piece\":2", "\"piece\":-1"},
      {"\"piece\":2", "\"piece\":4294967298"},
      {"\"span\":2", "\"span\":4294967296"},
      {"\"at\":[0,16,200]", "\"at\":[0,16]"},
      {"\"at\":[0,16,200]", "\"at\":{}"},
      {"\"at\":[0,16,200]", "\"at\":[\"0\",16,200]"},
      {"\"block\":\"a/b\"", "\"block\":\"a/../b\""},
      {"\"block\":\"a/b\"", "\"block\":\"/a/b\""},
      {"\"block\":\"a/b\"", "\"block\":\"a%00b\""},
      {"\"block\":\"a/b\"", "\"block\":\"a%2\""},
      {"\"block\":\"a/b\"", "\"block\":4"},
      {"{\"end\":true}", "{\"end\":true"},
      {"{\"end\":true}", "[\"end\"]"},
      {"{\"end\":true}", ""},
  };
  for (const auto& [from, to] : changes) {
    CAPTURE(from, to);
    const base::Bytes object = object_of(replaced(text, from, to));
    CHECK(kind_of([&] { decode_record(object); }) == ErrorKind::corrupt);
  }
}

TEST_CASE("blocks that lie nowhere are corrupt", "[chain][record]") {
  const std::string text = text_of(full());
  for (const char* at :
       {"[2,16,200]", "[1,216,200]", "[0,4294967295,200]", "[0,16,4294967295]", "[0,4294967290,16]",
        "[0,400,101]", "[0,500,1]", "[0,16,0]", "[0,0,200]", "[0,15,20]"}) {
    CAPTURE(at);
    CHECK(kind_of([&] { decode_record(object_of(replaced(text, "[0,16,200]", at))); }) ==
          ErrorKind::corrupt);
  }
  CHECK(decode_record(object_of(replaced(text, "[0,16,200]", "[0,16,484]"))).files == 12);
}

TEST_CASE("blocks that are not sorted are corrupt", "[chain][record]") {
  RunRecord record = full();
  std::swap(record.pieces[0].blocks[1].first_path, record.pieces[0].blocks[2].first_path);
  CHECK(kind_of([&] { decode_record(encode(record)); }) == ErrorKind::corrupt);
  record.pieces[0].blocks[2].first_path = record.pieces[0].blocks[1].first_path;  // a long file
  CHECK(decode_record(encode(record)).files == 12);
}

TEST_CASE("a record that is larger than other objects is read again", "[chain][record]") {
  RunRecord record = full();
  Chance chance(7);
  Piece& piece = record.pieces[0];
  piece.blocks.clear();
  piece.objects[0].size = store::kMaxObject;
  for (unsigned i = 0; i < 5'000; ++i) {
    std::string path = std::to_string(100'000 + i);
    for (int part = 0; part < 30; ++part) {
      path += "/";
      for (int k = 0; k < 240; ++k) path += static_cast<char>('0' + chance.below(70));
    }
    piece.blocks.push_back({0, 16 + i, 1, path});
  }
  const Bytes bytes = encode(record);
  CHECK(bytes.size() > store::kMaxObject);
  CHECK(bytes.size() < store::kMaxPut);
  compare(decode_record(bytes), record);
}

TEST_CASE("an index object too large to fetch is corrupt", "[chain][record]") {
  RunRecord record = full();
  record.pieces[0].objects[0].size = store::kMaxObject + 1;
  CHECK(kind_of([&] { decode_record(encode(record)); }) == ErrorKind::corrupt);
}

TEST_CASE("runs that do not fit each other are corrupt", "[chain][record]") {
  const std::function<void(RunRecord&)> changes[] = {
      [](RunRecord& r) { r.runs.clear(); },
      [](RunRecord& r) {
        r.runs = {kFull, kThird};
      },  // the parent is not among them
      [](RunRecord& r) {
        r.runs = {kSecond, kFull, kThird};
      },  // not its chain's full first
      [](RunRecord& r) {
        r.runs = {kFull, kThird, kSecond};
      },
      [](RunRecord& r) {
        r.runs = {kFull, kSecond, kSecond, kThird};
      },
      [](RunRecord& r) {
        r.runs = {kFull, kThird, kSecond, kThird};
      },
      [](RunRecord& r) { r.runs[1] = "../../x"; },
      [](RunRecord& r) { r.run = kSecond; },
      [](RunRecord& r) { r.chain = kSecond; },
      [](RunRecord& r) { r.chain = "x"; },
      [](RunRecord& r) { r.parent = kFull; },
      [](RunRecord& r) { r.parent.clear(); },
      [](RunRecord& r) { r.kind = RunKind::full; },
      [](RunRecord& r) { r.pieces.clear(); },
      [](RunRecord& r) { r.pieces.erase(r.pieces.begin()); },
      [](RunRecord& r) { std::swap(r.pieces[0], r.pieces[1]); },
      [](RunRecord& r) { r.pieces[1].run = 0; },
      [](RunRecord& r) { r.pieces[1].run = 3; },
      [](RunRecord& r) { r.pieces[1].objects.clear(); },
  };
  for (std::size_t i = 0; i < std::size(changes); ++i) {
    CAPTURE(i);
    RunRecord record = increment();
    changes[i](record);
    CHECK(kind_of([&] { decode_record(encode(record)); }) == ErrorKind::corrupt);
  }
}

TEST_CASE("parts of the index belong to a piece", "[chain][record]") {
  const std::string text = text_of(full());
  std::string without = text;
  const std::size_t at = without.find("{\"entries\"");
  REQUIRE(at != std::string::npos);
  without.erase(at, without.find('\n', at) + 1 - at);
  CHECK(kind_of([&] { decode_record(object_of(without)); }) == ErrorKind::corrupt);
}

TEST_CASE("a record that nests deeply is corrupt and costs little", "[chain][record]") {
  std::string text = text_of(full());
  text.insert(text.find('\n') + 1, "{\"novelty\":" + std::string(5'000'000, '[') + "\n");
  CHECK(kind_of([&] { decode_record(object_of(text)); }) == ErrorKind::corrupt);
  std::string whole = text_of(full());
  whole.insert(whole.find('\n') + 1,
               "{\"novelty\":" + std::string(100'000, '[') + std::string(100'000, ']') + "}\n");
  CHECK(kind_of([&] { decode_record(object_of(whole)); }) == ErrorKind::corrupt);
}

TEST_CASE("random damage to a record's text never crashes", "[chain][record]") {
  const std::string text = text_of(increment());
  for (std::uint64_t seed = test::first_seed(), end = seed + 3000; seed < end; ++seed) {
    CAPTURE(seed);
    Chance chance(seed);
    std::string bad = text;
    for (std::uint64_t n = chance.between(1, 3); n > 0; --n) {
      static constexpr std::string_view kLikely = "\"{}[]:,0123456789-.evi%\n\\";
      bad[chance.below(bad.size())] = chance.one_in(2) ? static_cast<char>(chance.below(256))
                                                       : kLikely[chance.below(kLikely.size())];
    }
    const auto kind = kind_of([&] { decode_record(object_of(bad)); });
    REQUIRE((!kind || kind == ErrorKind::corrupt || kind == ErrorKind::config));
  }
}

}  // namespace rota::chain
