#include "disk/copy_index.h"

#include <zstd.h>

#include "base/error.h"
#include "disk/copy_index_format.h"
#include "disk/small_file.h"

namespace rota::disk {

using tree::EntryKind;

void CopyIndexWriter::Free::operator()(ZSTD_CCtx_s* context) const { ZSTD_freeCCtx(context); }

CopyIndexWriter::CopyIndexWriter(base::Fd file, std::string shown)
    : file_(std::move(file)), shown_(std::move(shown)), context_(ZSTD_createCCtx()) {
  // The fastest: a copy with nothing changed consists of links and this index.
  ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, 1);
  ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1);
  base::Bytes frame;
  base::ByteWriter out(frame);
  out.u32(kSkippable);
  out.u32(8);
  out.u8(kHeaderFrame);
  out.raw(base::as_bytes(kMagic));
  out.u8(kIndexVersion);
  out.u8(0);
  out.u8(0);
  put(frame);
}

CopyIndexWriter::~CopyIndexWriter() = default;

void CopyIndexWriter::add(const CopyEntry& entry) {
  encoder_.path(block_, entry.entry.path);
  encoder_.entry(block_, entry.entry, entry.racy ? kRacy : 0);
  base::ByteWriter out(block_);
  out.u8(static_cast<std::uint8_t>((entry.born != 0 ? kLinked : 0) | (entry.noise ? kNoise : 0)));
  if (entry.born != 0) out.varint(static_cast<std::uint64_t>(entry.born));
  ++entries_;
  if (block_.size() >= kBlockRaw) flush();
}

void CopyIndexWriter::flush() {
  if (block_.empty()) return;
  base::Bytes packed(ZSTD_compressBound(block_.size()));
  const std::size_t size =
      ZSTD_compress2(context_.get(), packed.data(), packed.size(), block_.data(), block_.size());
  if (ZSTD_isError(size) != 0) {
    throw base::Error(base::ErrorKind::io,
                      std::string("cannot compress an index: ") + ZSTD_getErrorName(size));
  }
  packed.resize(size);
  base::Bytes frame;
  base::ByteWriter out(frame);
  out.u32(kSkippable);
  out.u32(9);
  out.u8(kBlockFrame);
  out.u32(static_cast<std::uint32_t>(size));
  out.u32(static_cast<std::uint32_t>(block_.size()));
  put(frame);
  put(packed);
  block_.clear();
  encoder_ = tree::EntryEncoder();
}

void CopyIndexWriter::put(const base::Bytes& data) {
  hasher_.update(data);
  write_all(file_.get(), data, shown_);
}

void CopyIndexWriter::mark() {
  flush();
  base::Bytes frame;
  base::ByteWriter out(frame);
  out.u32(kSkippable);
  out.u32(9);
  out.u8(kMarkFrame);
  out.u64(entries_);
  put(frame);
  sync_file(file_.get(), shown_);
}

base::Sha256Digest CopyIndexWriter::finish() {
  flush();
  base::Bytes frame;
  base::ByteWriter out(frame);
  out.u32(kSkippable);
  out.u32(9);
  out.u8(kEndFrame);
  out.u64(entries_);
  put(frame);
  sync_file(file_.get(), shown_);
  return hasher_.finish();
}

}  // namespace rota::disk
