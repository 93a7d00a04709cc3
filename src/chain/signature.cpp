#include "chain/signature.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "chain/chunker.h"
#include "chain/rsync_job.h"

namespace rota::chain {

using base::Error;
using base::ErrorKind;

namespace {

constexpr std::uint32_t kBlock = 512;
constexpr std::uint32_t kAverage = 8 << 10;
/// With the largest chunks, of 2 MiB, a reader's buffer has 3.
constexpr std::uint32_t kMaxAverage = 512 << 10;

constexpr std::string_view kMagic = "rotasig2";
constexpr std::size_t kHeader = 16;  // magic, block, average
constexpr std::size_t kRow = 24;     // length, hash
constexpr std::size_t kFooter = 8;   // number of rows
constexpr std::size_t kBlockSum = OldSignature::kBlockSum;
static_assert(kBlockSum == 4 + kStrongSum);

/// 512 bytes, and for content whose signature would pass a limit the next multiple that fits.
std::uint32_t block_size(std::uint64_t size, std::uint64_t chunks) {
  const std::uint64_t room = (kMaxSignature - kHeader - kFooter - chunks * kRow) / kBlockSum;
  const std::uint64_t blocks = std::min(room, kMaxBlocks) - chunks;  // their last may be short
  const std::uint64_t needed = (size + blocks - 1) / blocks;
  return std::max(kBlock, static_cast<std::uint32_t>((needed + kBlock - 1) / kBlock * kBlock));
}

[[noreturn]] void damaged() {
  throw Error(ErrorKind::corrupt,
              "a signature in the cache cannot be read; remove the profile's cache directory");
}

}  // namespace

SignatureShape SignatureShape::whole(std::uint64_t size) { return {block_size(size, 1), 0}; }

SignatureShape SignatureShape::cut(std::uint64_t size) {
  std::uint32_t average = kAverage;
  while (size / average >= kMaxChunks && average < kMaxAverage) average *= 2;
  if (size / average >= kMaxChunks) return whole(size);
  return {block_size(size, size / average + 1), average};
}

ChunkHash chunk_hash(base::Sha256& hasher, std::span<const std::byte> data) {
  hasher.update(data);
  const base::Sha256Digest digest = hasher.finish();
  ChunkHash hash;
  std::copy_n(digest.begin(), hash.size(), hash.begin());
  return hash;
}

SignatureBytes signature_bytes(std::span<const std::byte> signature) {
  return {signature.size(), [signature](std::uint64_t at, std::span<std::byte> out) {
            if (at > signature.size() || out.size() > signature.size() - at) damaged();
            std::ranges::copy(signature.subspan(static_cast<std::size_t>(at), out.size()),
                              out.begin());
          }};
}

std::optional<OldSignature> OldSignature::open(SignatureBytes bytes) {
  OldSignature old;
  if (bytes.size < kMagic.size()) return std::nullopt;
  base::Bytes header(static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size, kHeader)));
  bytes.read(0, header);
  if (base::as_text(header).substr(0, kMagic.size()) != kMagic) return std::nullopt;
  if (bytes.size < kHeader + kFooter) damaged();
  base::ByteReader in(std::span<const std::byte>(header).subspan(kMagic.size()));
  old.shape_.block = in.u32();
  old.shape_.average = in.u32();
  if (old.shape_.block == 0) damaged();

  base::Bytes footer(kFooter);
  bytes.read(bytes.size - kFooter, footer);
  const std::uint64_t count = base::ByteReader(footer).u64();
  std::uint64_t sums = bytes.size - kHeader - kFooter;
  if (count > sums / kRow) damaged();
  sums -= count * kRow;
  if (sums % kBlockSum != 0 || sums / kBlockSum > UINT32_MAX) damaged();
  base::Bytes rows(static_cast<std::size_t>(count * kRow));
  bytes.read(kHeader + sums, rows);

  std::uint64_t blocks = sums / kBlockSum;  // that are left
  std::uint64_t offset = 0;
  old.chunks_.resize(static_cast<std::size_t>(count) + 1);
  base::ByteReader row(rows);
  for (Chunk& chunk : old.chunks_) {
    chunk.offset = offset;
    chunk.first = static_cast<std::uint32_t>(sums / kBlockSum - blocks);
    if (row.at_end()) break;
    const std::uint64_t length = row.u64();
    std::ranges::copy(row.raw(chunk.hash.size()), chunk.hash.begin());
    if (length == 0 || (length - 1) / old.shape_.block >= blocks) damaged();
    blocks -= (length - 1) / old.shape_.block + 1;
    offset += length;  // at most 2^32 blocks of less than 2^32 bytes
  }
  if (blocks != 0) damaged();

  if (old.shape_.average != 0) {
    old.by_hash_.resize(old.chunks());
    for (std::uint32_t i = 0; i < old.chunks(); ++i) old.by_hash_[i] = i;
    std::ranges::sort(old.by_hash_, [&](std::uint32_t a, std::uint32_t b) {
      const int order =
          std::memcmp(old.chunks_[a].hash.data(), old.chunks_[b].hash.data(), sizeof(ChunkHash));
      return order != 0 ? order < 0 : a < b;
    });
  }
  old.bytes_ = std::move(bytes);
  return old;
}

std::optional<std::uint32_t> OldSignature::find(const ChunkHash& hash, std::uint64_t size,
                                                std::uint32_t expected) const {
  const auto is_it = [&](std::uint32_t index) {
    return chunks_[index].hash == hash && length(index) == size;
  };
  if (shape_.average == 0) return std::nullopt;
  if (expected < chunks() && is_it(expected)) return expected;
  const auto compare = [&](std::uint32_t index) {
    return std::memcmp(chunks_[index].hash.data(), hash.data(), hash.size());
  };
  const auto first = std::ranges::partition_point(
      by_hash_, [&](std::uint32_t index) { return compare(index) < 0; });
  if (first == by_hash_.end() || !is_it(*first)) return std::nullopt;
  const auto later = std::partition_point(first, by_hash_.end(), [&](std::uint32_t index) {
    return compare(index) == 0 && index < expected;
  });
  return later != by_hash_.end() && is_it(*later) ? *later : *first;
}

std::uint32_t OldSignature::chunk_of_block(std::uint32_t block) const {
  const auto behind = std::ranges::upper_bound(chunks_, block, {}, &Chunk::first);
  return static_cast<std::uint32_t>(behind - chunks_.begin()) - 1;
}

void OldSignature::read_sums(std::uint32_t first, std::span<std::byte> out) const {
  if (first > blocks() || out.size() / kBlockSum > blocks() - first) damaged();
  bytes_.read(kHeader + std::uint64_t{first} * kBlockSum, out);
}

void SignatureWriter::FreeJob::operator()(rs_job* job) const { rs_job_free(job); }

SignatureWriter::SignatureWriter(SignatureShape shape) : shape_(shape), room_(kRsyncOut) {
  base::ByteWriter out(out_);
  out.raw(base::as_bytes(kMagic));
  out.u32(shape.block);
  out.u32(shape.average);
}

void SignatureWriter::iterate(std::span<const std::byte> data, bool end) {
  if (!job_) {
    job_.reset(rs_sig_begin(shape_.block, kStrongSum, RS_RK_BLAKE2_SIG_MAGIC));
    header_left_ = kRsyncHeader;
  }
  drive(job_.get(), data, end, room_, "compute a signature", [&](std::span<const std::byte> made) {
    const std::size_t skip = std::min(header_left_, made.size());
    header_left_ -= skip;
    out_.insert(out_.end(), made.begin() + static_cast<std::ptrdiff_t>(skip), made.end());
  });
}

void SignatureWriter::update(std::span<const std::byte> data) {
  if (data.empty()) return;
  iterate(data, false);
  length_ += data.size();
  signed_ += data.size();
}

void SignatureWriter::end_chunk(const ChunkHash& hash) {
  if (length_ == 0) return;
  iterate({}, true);
  job_.reset();
  add_row(std::exchange(length_, 0), hash);
}

void SignatureWriter::copy(const OldSignature& old, std::uint32_t first, std::uint32_t count) {
  const std::uint32_t from = old.chunk(first).first;
  const std::size_t size = std::size_t{old.chunk(first + count).first - from} * kBlockSum;
  out_.resize(out_.size() + size);
  old.read_sums(from, std::span(out_).last(size));
  for (std::uint32_t i = first; i < first + count; ++i) add_row(old.length(i), old.chunk(i).hash);
}

void SignatureWriter::add_row(std::uint64_t length, const ChunkHash& hash) {
  base::ByteWriter row(rows_);
  row.u64(length);
  row.raw(hash);
}

base::Bytes SignatureWriter::finish() {
  const std::uint64_t rows = rows_.size() / kRow;
  base::ByteWriter out(out_);
  out.raw(std::exchange(rows_, {}));
  out.u64(rows);
  return take();
}

base::Bytes sign_whole(std::span<const std::byte> content) {
  SignatureWriter writer(SignatureShape::whole(content.size()));
  writer.update(content);
  writer.end_chunk({});
  return writer.finish();
}

}  // namespace rota::chain
