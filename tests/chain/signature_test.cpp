#include "chain/signature.h"

#include <librsync.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "base/error.h"
#include "base/kind_of.h"
#include "chain/chunker.h"
#include "chain/delta_samples.h"

namespace rota::chain {

using base::Bytes;
using base::ErrorKind;
using test::Chance;
using test::kind_of;

namespace {

constexpr std::size_t kHeader = 16;
constexpr std::size_t kSum = 20;
constexpr std::size_t kRow = 24;
constexpr std::size_t kFooter = 8;

/// What librsync itself makes of it.
Bytes rdiff(Bytes data, std::size_t block) {
  Bytes out(100 + data.size());
  rs_buffers_t buffers{};
  buffers.next_in = reinterpret_cast<char*>(data.data());
  buffers.avail_in = data.size();
  buffers.eof_in = 1;
  buffers.next_out = reinterpret_cast<char*>(out.data());
  buffers.avail_out = out.size();
  rs_job_t* job = rs_sig_begin(block, 16, RS_RK_BLAKE2_SIG_MAGIC);
  CHECK(rs_job_iter(job, &buffers) == RS_DONE);
  rs_job_free(job);
  out.resize(out.size() - buffers.avail_out);
  return out;
}

Bytes part(const Bytes& data, std::size_t from, std::size_t size) {
  const auto at = data.begin() + static_cast<std::ptrdiff_t>(from);
  return Bytes(at, at + static_cast<std::ptrdiff_t>(size));
}

Bytes number(std::uint64_t value) {
  Bytes bytes;
  base::ByteWriter(bytes).u64(value);
  return bytes;
}

}  // namespace

TEST_CASE("blocks and chunks grow with the content, so that its signature stays bounded",
          "[chain][signature]") {
  CHECK(SignatureShape::whole(0) == SignatureShape{512, 0});
  CHECK(SignatureShape::cut(0) == SignatureShape{512, 8192});
  CHECK(SignatureShape::cut(1ULL << 30) == SignatureShape{512, 8192});
  CHECK(SignatureShape::cut((1ULL << 31) - 1).average == 8192);
  CHECK(SignatureShape::cut(1ULL << 31).average == 16'384);
  CHECK(SignatureShape::cut((128ULL << 30) - 1).average == 512 << 10);
  CHECK(SignatureShape::cut(128ULL << 30).average == 0);
  for (int bits = 10; bits < 45; ++bits) {
    for (const std::uint64_t size : {1ULL << bits, 3ULL << (bits - 1), (1ULL << bits) - 1}) {
      CAPTURE(size);
      for (const auto shape : {SignatureShape::whole(size), SignatureShape::cut(size)}) {
        CHECK(shape.block % 512 == 0);
        const std::uint64_t chunks = shape.average == 0 ? 1 : size / shape.average + 1;
        CHECK(chunks <= kMaxChunks);
        const auto fits = [&](std::uint64_t block) {
          const std::uint64_t blocks = (size + block - 1) / block + chunks;
          return blocks <= kMaxBlocks &&
                 kHeader + blocks * kSum + chunks * kRow + kFooter <= kMaxSignature;
        };
        CHECK(fits(shape.block));
        if (shape.block > 512) CHECK_FALSE(fits(shape.block - 512));  // no larger than needed
        if (shape.average != 0) CHECK(shape.block <= Chunker::min(shape.average));
      }
    }
  }
}

TEST_CASE("a signature has the sums that librsync makes of each chunk", "[chain][signature]") {
  Chance chance(4);
  for (const std::size_t size : {0UL, 1UL, 512UL, 100'001UL}) {
    CAPTURE(size);
    const Bytes data = chance.bytes(size);
    const Bytes whole = sign_whole(data);
    const Bytes sums = rdiff(data, 512);
    CHECK(part(whole, kHeader, sums.size() - 12) == part(sums, 12, sums.size() - 12));
    CHECK(whole.size() == kHeader + sums.size() - 12 + (size > 0 ? kRow : 0) + kFooter);
    CHECK(test::sign(chance, data, SignatureShape::whole(size)) == whole);

    const Bytes cut = test::sign(chance, data, SignatureShape::cut(size));
    const OldSignature old = test::opened(cut);
    CHECK(old.packed_size() == size);
    CHECK(old.chunks() >= size / Chunker::max(8192));
    base::Sha256 hasher;
    for (std::uint32_t i = 0; i < old.chunks(); ++i) {
      const auto from = static_cast<std::size_t>(old.chunk(i).offset);
      const Bytes chunk = part(data, from, static_cast<std::size_t>(old.length(i)));
      CHECK(old.chunk(i).hash == chunk_hash(hasher, chunk));
      const Bytes of_chunk = rdiff(chunk, 512);
      Bytes stored(of_chunk.size() - 12);
      old.read_sums(old.chunk(i).first, stored);
      CHECK(stored == part(of_chunk, 12, stored.size()));
      CHECK(old.chunk_of_block(old.chunk(i).first) == i);
      CHECK(old.chunk_of_block(old.chunk(i + 1).first - 1) == i);
    }
  }
}

TEST_CASE("what is taken on the way and the rest make the whole signature", "[chain][signature]") {
  Chance chance(5);
  const Bytes data = chance.bytes(100'001);
  SignatureWriter writer(SignatureShape::whole(data.size()));
  Bytes taken;
  const auto take = [&](const Bytes& more) { taken.insert(taken.end(), more.begin(), more.end()); };
  for (std::size_t at = 0; at < data.size(); at += 997) {
    writer.update(std::span(data).subspan(at, std::min<std::size_t>(997, data.size() - at)));
    take(writer.take());
  }
  CHECK(taken.size() > 3000);
  writer.end_chunk({});
  take(writer.finish());
  CHECK(taken == sign_whole(data));
  CHECK(writer.signed_bytes() == data.size());
}

TEST_CASE("of chunks that are the same, the one that is expected is found", "[chain][signature]") {
  Chance chance(6);
  const Bytes one = chance.bytes(1000);
  const Bytes two = chance.bytes(1000);
  base::Sha256 hasher;
  const ChunkHash first = chunk_hash(hasher, one);
  const ChunkHash second = chunk_hash(hasher, two);
  SignatureWriter writer({512, 8192});
  for (const bool is_first : {true, false, true, true, false}) {
    writer.update(is_first ? one : two);
    writer.end_chunk(is_first ? first : second);
  }
  const Bytes signature = writer.finish();
  const OldSignature old = test::opened(signature);
  CHECK(old.find(first, 1000, 0) == 0);
  CHECK(old.find(first, 1000, 1) == 2);
  CHECK(old.find(first, 1000, 3) == 3);
  CHECK(old.find(first, 1000, 4) == 0);
  CHECK(old.find(second, 1000, 2) == 4);
  CHECK(old.find(second, 1000, 5) == 1);
  CHECK_FALSE(old.find(first, 999, 0));
  CHECK_FALSE(old.find(chunk_hash(hasher, {}), 1000, 0));
}

TEST_CASE("a signature of another layout is none", "[chain][signature]") {
  Chance chance(7);
  const auto is_none = [](std::span<const std::byte> bytes) {
    return !OldSignature::open(signature_bytes(bytes));
  };
  CHECK(is_none({}));
  CHECK(is_none(rdiff(chance.bytes(5000), 512)));
  for (int i = 0; i < 200; ++i) CHECK(is_none(chance.bytes(chance.below(300))));
}

TEST_CASE("a signature that does not hang together is corrupt", "[chain][signature]") {
  Chance chance(8);
  const auto kind = [&](const Bytes& bytes) {
    return kind_of([&] { OldSignature::open(signature_bytes(bytes)); });
  };
  const Bytes good = test::sign(chance, chance.bytes(50'000), SignatureShape::cut(50'000));
  CHECK_FALSE(kind(good));
  for (std::size_t size = 8; size < good.size(); ++size) {
    CAPTURE(size);
    CHECK(kind(part(good, 0, size)) == ErrorKind::corrupt);
  }
  const auto changed = [&](std::size_t at, const Bytes& bytes) {
    Bytes bad = good;
    std::ranges::copy(bytes, bad.begin() + static_cast<std::ptrdiff_t>(at));
    return kind(bad);
  };
  const std::uint64_t rows = test::opened(good).chunks();
  const std::size_t footer = good.size() - kFooter;
  for (const std::uint64_t count : std::initializer_list<std::uint64_t>{
           0, 1, rows - 1, rows + 1, 1ULL << 40, ~0ULL, 1ULL << 61}) {
    CAPTURE(count);
    CHECK(changed(footer, number(count)) == ErrorKind::corrupt);
  }
  const std::size_t last_row = footer - kRow;
  for (const std::uint64_t length : {0ULL, 100'000ULL, 1ULL << 32, ~0ULL}) {
    CAPTURE(length);
    CHECK(changed(last_row, number(length)) == ErrorKind::corrupt);
  }
  CHECK(changed(8, Bytes(4)) == ErrorKind::corrupt);  // blocks of no bytes

  const OldSignature old = test::opened(good);
  Bytes sums(2 * kSum);
  CHECK(kind_of([&] { old.read_sums(old.blocks() - 1, sums); }) == ErrorKind::corrupt);
  CHECK(kind_of([&] { old.read_sums(UINT32_MAX, sums); }) == ErrorKind::corrupt);
}

}  // namespace rota::chain
