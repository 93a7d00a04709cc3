#include "base/bytes.h"

#include "base/error.h"

namespace rota::base {

void ByteWriter::u32(std::uint32_t value) {
  for (int i = 0; i < 4; ++i) u8(static_cast<std::uint8_t>(value >> (8 * i)));
}

void ByteWriter::u64(std::uint64_t value) {
  for (int i = 0; i < 8; ++i) u8(static_cast<std::uint8_t>(value >> (8 * i)));
}

void ByteWriter::string(std::string_view text) {
  varint(text.size());
  raw(as_bytes(text));
}

std::span<const std::byte> ByteReader::raw(std::size_t size) {
  if (size > data_.size()) throw Error(ErrorKind::corrupt, "the data ends too early");
  const auto part = data_.first(size);
  data_ = data_.subspan(size);
  return part;
}

std::uint8_t ByteReader::u8() { return static_cast<std::uint8_t>(raw(1)[0]); }

std::uint32_t ByteReader::u32() {
  const auto part = raw(4);
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value |= static_cast<std::uint32_t>(part[i]) << (8 * i);
  return value;
}

std::uint64_t ByteReader::u64() {
  const auto part = raw(8);
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i) value |= static_cast<std::uint64_t>(part[i]) << (8 * i);
  return value;
}

std::uint64_t ByteReader::varint() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const std::uint64_t byte = u8();
    if (shift == 63 && byte > 1) break;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  throw Error(ErrorKind::corrupt, "a number is longer than 64 bits");
}

std::uint64_t ByteReader::varint_max(std::uint64_t limit) {
  const std::uint64_t value = varint();
  if (value > limit) throw Error(ErrorKind::corrupt, "a number is larger than it may be");
  return value;
}

std::int64_t ByteReader::zigzag() {
  const std::uint64_t value = varint();
  return static_cast<std::int64_t>((value >> 1) ^ (~(value & 1) + 1));
}

std::string_view ByteReader::string(std::size_t limit) {
  return as_text(raw(static_cast<std::size_t>(varint_max(limit))));
}

}  // namespace rota::base
