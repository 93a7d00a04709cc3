#include "chain/index_record.h"

#include <catch2/catch.hpp>
#include <vector>

#include "base/error.h"
#include "base/kind_of.h"
#include "chain/frame.h"
#include "chain/index_samples.h"

namespace rota::chain {

using base::Bytes;
using base::ErrorKind;
using test::Chance;
using test::difference;
using test::IndexSamples;
using test::kind_of;

namespace {

/// The blocks of these records.
std::vector<Bytes> encode(const std::vector<IndexRecord>& records,
                          const BlockEncoder::Resolve& resolve = nullptr) {
  std::vector<Bytes> blocks;
  BlockEncoder encoder;
  const auto flush = [&] { blocks.push_back(encoder.take()); };
  for (const IndexRecord& record : records) {
    encoder.add(record, resolve, flush);
    if (encoder.full()) flush();
  }
  if (!encoder.empty()) flush();
  return blocks;
}

/// All records of blocks that follow each other, read as PieceCursor does. Corrupt when they break
/// off inside a file.
std::vector<IndexRecord> decode(const std::vector<Bytes>& blocks) {
  std::vector<IndexRecord> records;
  bool more = false;
  for (const Bytes& block : blocks) {
    BlockDecoder decoder(block);
    for (;;) {
      while (more && decoder.continue_extents(records.back(), more)) {
      }
      if (more) break;
      IndexRecord record;
      if (!decoder.next(record, more)) break;
      records.push_back(std::move(record));
    }
  }
  if (more) throw base::Error(ErrorKind::corrupt, "breaks off");
  return records;
}

std::vector<IndexRecord> random_records(std::uint64_t seed, std::size_t count,
                                        std::size_t max_extents) {
  IndexSamples samples(seed);
  std::vector<IndexRecord> records;
  for (const std::string& path : samples.paths(count)) {
    records.push_back(samples.record(path, max_extents));
  }
  return records;
}

void compare(const std::vector<IndexRecord>& a, const std::vector<IndexRecord>& b) {
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (const std::string what = difference(a[i], b[i]); !what.empty()) {
      FAIL("record " << i << ": " << what);
    }
  }
}

/// Decodes bytes that nobody vouches for; anything but Error(corrupt) fails the test.
void decode_hostile(const std::vector<Bytes>& blocks) {
  const auto kind = kind_of([&] {
    for (const IndexRecord& record : decode(blocks)) {
      tree::check_path(record.entry.path);
      for (std::size_t i = 0; record.extents && i < record.extents->size(); ++i) {
        const Extent extent = record.extents->at(i);
        if (!extent.hole() &&
            (extent.pending() || extent.length == 0 || extent.offset + extent.length > kFrameRaw)) {
          FAIL("an extent leaves its frame");
        }
      }
    }
  });
  if (kind && *kind != ErrorKind::corrupt) FAIL("another error than corrupt");
}

}  // namespace

TEST_CASE("records of all kinds come back as they went in", "[chain][index]") {
  for (std::uint64_t seed = test::first_seed(), end = seed + 60; seed < end; ++seed) {
    CAPTURE(seed);
    const auto records = random_records(seed, 60, 50);
    compare(decode(encode(records)), records);
  }
}

TEST_CASE("a file of many extents goes through continuation records and blocks", "[chain][index]") {
  IndexSamples samples(test::first_seed());
  for (const std::size_t count :
       {std::size_t{1}, kExtentsPerRecord - 1, kExtentsPerRecord, kExtentsPerRecord + 1,
        2 * kExtentsPerRecord, 2 * kExtentsPerRecord + 1, std::size_t{60'000}}) {
    CAPTURE(count);
    std::vector<IndexRecord> records(3);
    records[0].entry.path = "a";
    records[0].removed = true;
    records[1].entry.path = "b";
    records[1].entry.kind = tree::EntryKind::file;
    records[1].entry.digest = base::sha256({});
    records[1].extents = samples.extents(count);
    for (std::size_t i = 0; i < count; ++i) {
      records[1].entry.size += records[1].extents->at(i).length;
    }
    records[2].entry.path = "c";
    records[2].entry.kind = tree::EntryKind::directory;
    const auto blocks = encode(records);
    if (count == 60'000) CHECK(blocks.size() > 3);
    for (const Bytes& block : blocks) CHECK(block.size() < kBlockRaw + 64 * kExtentsPerRecord);
    compare(decode(blocks), records);

    // Whoever begins at a later block finds what stands behind the file.
    BlockDecoder last(blocks.back());
    IndexRecord found;
    bool more = false;
    while (last.next(found, more) && found.entry.path != "c") {
    }
    CHECK(found.entry.path == "c");
    CHECK_FALSE(more);
    // And whoever has only the first blocks knows that some are missing.
    if (blocks.size() > 1) {
      CHECK(kind_of([&] { decode({blocks.begin(), blocks.end() - 1}); }) == ErrorKind::corrupt);
      CHECK(kind_of([&] { decode({blocks.front(), Bytes()}); }) == ErrorKind::corrupt);
    }
  }
}

TEST_CASE("pending extents are written with the place that their frame got", "[chain][index]") {
  IndexRecord record;
  record.entry.path = "f";
  record.entry.kind = tree::EntryKind::file;
  record.entry.size = 30;
  record.entry.digest = base::sha256({});
  record.extents = std::make_shared<ExtentTable>();
  record.extents->push({Extent::kPending, 0, 0, 0, 7, 10});
  record.extents->push({1, 2, 300, 40, 5, 10});
  record.extents->push({Extent::kPending, 0, 1, 0, 0, 10});
  unsigned asked = 0;
  const auto blocks = encode({record}, [&](Extent extent) {
    ++asked;
    extent.run = 9;
    extent.volume = 1;
    extent.frame_size = 77;
    extent.frame = 1000 + extent.frame;
    return extent;
  });
  CHECK(asked == 2);
  const auto read = decode(blocks);
  REQUIRE(read.size() == 1);
  REQUIRE(read[0].extents->size() == 3);
  CHECK(read[0].extents->at(0) == Extent{9, 1, 1000, 77, 7, 10});
  CHECK(read[0].extents->at(1) == Extent{1, 2, 300, 40, 5, 10});
  CHECK(read[0].extents->at(2) == Extent{9, 1, 1001, 77, 0, 10});
}

TEST_CASE("a file with content needs its hash", "[chain][index]") {
  IndexRecord record;
  record.entry.kind = tree::EntryKind::file;
  record.entry.size = 1;
  record.extents = std::make_shared<ExtentTable>();
  BlockEncoder encoder;
  CHECK(kind_of([&] { encoder.add(record, nullptr, nullptr); }) == ErrorKind::io);
}

TEST_CASE("a block of the longest paths and most xattrs stays below its limit", "[chain][index]") {
  IndexSamples samples(3);
  std::string path(255, 'p');
  while (path.size() + 256 <= tree::kMaxPath) path += "/" + std::string(255, 'p');
  IndexRecord record;
  record.entry.path = path;
  record.entry.kind = tree::EntryKind::hard_link;
  record.entry.target = path;
  std::size_t room = tree::kMaxXattrs;
  for (int i = 0; room > 70'000; ++i) {
    record.entry.xattrs.push_back({"user." + std::to_string(i), std::string(65'536, 'v')});
    room -= 65'536 + record.entry.xattrs.back().name.size();
  }
  std::vector<IndexRecord> records;
  while (true) {  // a block that is nearly full already
    IndexRecord file;
    file.entry.path = "a" + std::to_string(records.size());
    file.entry.kind = tree::EntryKind::fifo;
    records.push_back(file);
    BlockEncoder probe;
    if (records.size() * 25 > kBlockRaw - 1000) break;
  }
  records.push_back(record);
  const auto blocks = encode(records);
  for (const Bytes& block : blocks) CHECK(block.size() <= kMaxBlock);
  compare(decode(blocks), records);
}

TEST_CASE("every truncation of a block is corrupt or ends between records", "[chain][index]") {
  const auto records = random_records(test::first_seed(), 12, 20);
  const Bytes block = encode(records).front();
  std::size_t whole = 0;
  for (std::size_t size = 0; size < block.size(); ++size) {
    CAPTURE(size);
    const std::vector<Bytes> cut{
        Bytes(block.begin(), block.begin() + static_cast<std::ptrdiff_t>(size))};
    std::vector<IndexRecord> read;
    const auto kind = kind_of([&] { read = decode(cut); });
    if (kind) {
      CHECK(*kind == ErrorKind::corrupt);
      continue;
    }
    ++whole;
    REQUIRE(read.size() <= records.size());
    for (std::size_t i = 0; i < read.size(); ++i) {
      // The last file may lose its extents only by being refused.
      CHECK(difference(read[i], records[i]) == "");
    }
  }
  CHECK(whole == records.size());  // cut behind each record but the last, and before the first
}

TEST_CASE("damaged blocks are corrupt or harmless", "[chain][index]") {
  for (std::uint64_t seed = test::first_seed(), end = seed + 3000; seed < end; ++seed) {
    CAPTURE(seed);
    const auto records = random_records(seed % 7, 15, 1500);
    auto blocks = encode(records);
    Chance chance(seed);
    Bytes& block = blocks[chance.below(blocks.size())];
    for (std::uint64_t n = chance.between(1, 4); n > 0; --n) {
      block[chance.below(block.size())] ^= static_cast<std::byte>(1U << chance.below(8));
    }
    decode_hostile(blocks);
  }
}

TEST_CASE("random bytes are no block", "[chain][index]") {
  for (std::uint64_t seed = test::first_seed(), end = seed + 5000; seed < end; ++seed) {
    CAPTURE(seed);
    Chance chance(seed);
    Bytes block = chance.bytes(chance.below(80));
    for (std::byte& byte : block) {
      if (chance.one_in(2)) byte &= std::byte{0x0f};  // small numbers get further
    }
    decode_hostile({block, block});
  }
}

TEST_CASE("what the encoder would not write is corrupt", "[chain][index]") {
  const auto kind = [](auto write) {
    Bytes block;
    base::ByteWriter out(block);
    write(out);
    return kind_of([&] { decode({block}); });
  };
  const auto head = [](base::ByteWriter& out, unsigned flags) {  // path "f", same owner
    out.varint(0);
    out.string("f");
    out.u8(static_cast<std::uint8_t>(flags | 0x10));
    out.varint(0644);
    for (int i = 0; i < 6; ++i) out.varint(0);
  };
  const auto file = [&](base::ByteWriter& out, unsigned flags = 1) {
    head(out, flags);
    out.varint(100);
    out.raw(base::sha256({}));
    out.varint(0);
    out.varint(0);
  };
  using W = base::ByteWriter&;
  CHECK_FALSE(kind([&](W out) { head(out, 2); }));
  CHECK_FALSE(kind([&](W out) { file(out), out.varint(0); }));
  CHECK_FALSE(kind([&](W out) { file(out), out.varint(1), out.varint(100 << 2 | 3); }));
  const ErrorKind corrupt = ErrorKind::corrupt;
  CHECK(kind([&](W out) { out.varint(1), out.string("f"), out.u8(0); }) == corrupt);
  CHECK(kind([&](W out) { out.varint(0), out.string("/f"), out.u8(0); }) == corrupt);
  CHECK(kind([&](W out) { out.varint(0), out.string("../f"), out.u8(0); }) == corrupt);
  CHECK(kind([&](W out) { head(out, 8); }) == corrupt);  // an unknown kind
  CHECK(kind([&](W out) { head(out, 14); }) == corrupt);
  CHECK(kind([&](W out) { file(out), out.varint(kExtentsPerRecord + 1); }) == corrupt);
  CHECK(kind([&](W out) { file(out), out.varint(1), out.varint(3); }) == corrupt);  // empty
  CHECK(kind([&](W out) {  // a frame beyond a frame's size
          file(out), out.varint(1), out.varint(10 << 2 | 2);
          for (const std::uint64_t n : {0, 0, 16, 99}) out.varint(n);
          out.varint(kFrameRaw - 9);
        }) == corrupt);
  CHECK(kind([&](W out) {  // a run that no number has
          file(out), out.varint(1), out.varint(10 << 2 | 2);
          for (const std::uint64_t n : {std::uint64_t{Extent::kPending}, 0UL, 16UL, 99UL, 0UL}) {
            out.varint(n);
          }
        }) == corrupt);
  CHECK(kind([&](W out) { file(out), out.varint(1), out.varint((kFrameRaw + 1) << 2); }) ==
        corrupt);
  // Extents that go on where nothing said that they would, or go on elsewhere.
  CHECK(kind([&](W out) {
          file(out, 0x81), out.varint(0), out.varint(0), out.string("g"), out.u8(15);
          out.varint(0);
        }) == corrupt);
  CHECK(kind([&](W out) {
          head(out, 0x82), out.varint(1), out.string(""), out.u8(15), out.varint(0);
        }) == corrupt);
  CHECK(kind([&](W out) { file(out, 0x81), out.varint(0); }) == corrupt);
  CHECK(kind([&](W out) {  // too many xattrs
          head(out, 0x22), out.varint(20);
          for (int i = 0; i < 20; ++i) out.string("n"), out.string(std::string(65'536, 'v'));
        }) == corrupt);
}

}  // namespace rota::chain
