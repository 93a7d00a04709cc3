#include "chain/frame.h"

#include <fmt/core.h>
#include <zstd.h>

#include <cstring>

#include "base/error.h"

namespace rota::chain {

using base::Error;
using base::ErrorKind;

namespace {
constexpr std::uint32_t kSkippableMagic = 0x184D2A52;
constexpr std::string_view kMark = "ROTA";
}  // namespace

base::Bytes object_header(ObjectType type, std::uint8_t flags) {
  base::Bytes bytes;
  base::ByteWriter out(bytes);
  out.u32(kSkippableMagic);
  out.u32(kHeaderSize - 8);
  out.raw(base::as_bytes(kMark));
  out.u8(static_cast<std::uint8_t>(type));
  out.u8(kFormatVersion);
  out.u8(flags);
  out.u8(0);
  return bytes;
}

std::uint8_t check_header(std::span<const std::byte> data, ObjectType type) {
  base::ByteReader in(data);
  const auto expect = [](bool ok) {
    if (!ok) throw Error(ErrorKind::corrupt, "it does not begin like an object of rota");
  };
  expect(data.size() >= kHeaderSize);
  expect(in.u32() == kSkippableMagic);
  const std::uint32_t length = in.u32();
  expect(base::as_text(in.raw(4)) == kMark);
  expect(in.u8() == static_cast<std::uint8_t>(type));
  const unsigned version = in.u8();
  if (version > kFormatVersion) {
    throw Error(ErrorKind::config,
                fmt::format("it has format version {}, and this rota knows version {}; install a "
                            "newer rota",
                            version, kFormatVersion));
  }
  const std::uint8_t flags = in.u8();
  const unsigned unused = in.u8();
  expect(version == kFormatVersion && length == kHeaderSize - 8 && flags <= kFlagEncrypted &&
         unused == 0);
  return flags;
}

void Compressor::Free::operator()(ZSTD_CCtx_s* context) const { ZSTD_freeCCtx(context); }

Compressor::Compressor(int level) : context_(ZSTD_createCCtx()) {
  ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, level);
  ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1);
}

base::Bytes Compressor::pack(std::span<const std::byte> raw) {
  // Not initialised, and given back at once: of the bound, only pages that were written count.
  const std::size_t bound = ZSTD_compressBound(raw.size());
  const std::unique_ptr<std::byte[]> scratch(new std::byte[bound]);
  const std::size_t size =
      ZSTD_compress2(context_.get(), scratch.get(), bound, raw.data(), raw.size());
  if (ZSTD_isError(size) != 0) {
    throw Error(ErrorKind::io, fmt::format("cannot compress: {}", ZSTD_getErrorName(size)));
  }
  return {scratch.get(), scratch.get() + size};
}

base::Bytes unpack(std::span<const std::byte> packed, std::size_t limit) {
  // ZSTD_decompress would take several frames, and skippable ones, which hold nothing.
  if (packed.size() < 4 || base::ByteReader(packed).u32() != ZSTD_MAGICNUMBER ||
      ZSTD_findFrameCompressedSize(packed.data(), packed.size()) != packed.size()) {
    throw Error(ErrorKind::corrupt, "a frame is damaged: it is not one whole frame");
  }
  const unsigned long long size = ZSTD_getFrameContentSize(packed.data(), packed.size());
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN || size > limit) {
    throw Error(ErrorKind::corrupt, "a frame is damaged: its size is not what it may be");
  }
  base::Bytes raw(static_cast<std::size_t>(size));
  const std::size_t got = ZSTD_decompress(raw.data(), raw.size(), packed.data(), packed.size());
  if (ZSTD_isError(got) != 0 || got != raw.size()) {
    throw Error(ErrorKind::corrupt,
                fmt::format("a frame is damaged: {}",
                            ZSTD_isError(got) != 0 ? ZSTD_getErrorName(got) : "it is too short"));
  }
  return raw;
}

}  // namespace rota::chain
