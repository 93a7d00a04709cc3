#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rota::base {

using Bytes = std::vector<std::byte>;

/// Appends numbers and strings in the forms of docs/format.md: little-endian fixed widths, LEB128
/// variable widths, zigzag for signed, strings with their length in front.
class ByteWriter {
 public:
  explicit ByteWriter(Bytes& out) : out_(out) {}
  void u8(std::uint8_t value) { out_.push_back(static_cast<std::byte>(value)); }
  void u32(std::uint32_t value);
  void u64(std::uint64_t value);
  void varint(std::uint64_t value) {
    while (value >= 0x80) {
      u8(static_cast<std::uint8_t>(value | 0x80));
      value >>= 7;
    }
    u8(static_cast<std::uint8_t>(value));
  }
  void zigzag(std::int64_t value) {
    varint((static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
  }
  void raw(std::span<const std::byte> data) { out_.insert(out_.end(), data.begin(), data.end()); }
  void string(std::string_view text);

 private:
  Bytes& out_;
};

/// Reads what ByteWriter wrote, from bytes that nobody vouches for: every read is bounds checked
/// and throws Error(corrupt) beyond the end. Views that it returns live as long as the bytes.
class ByteReader {
 public:
  explicit ByteReader(std::span<const std::byte> data) : data_(data) {}
  std::uint8_t u8();
  std::uint32_t u32();
  std::uint64_t u64();
  std::uint64_t varint();
  /// A varint that must not exceed `limit`.
  std::uint64_t varint_max(std::uint64_t limit);
  std::uint32_t varint32() { return static_cast<std::uint32_t>(varint_max(UINT32_MAX)); }
  std::int64_t zigzag();
  std::span<const std::byte> raw(std::size_t size);
  std::string_view string(std::size_t limit);
  bool at_end() const { return data_.empty(); }
  std::size_t left() const { return data_.size(); }

 private:
  std::span<const std::byte> data_;
};

inline std::string_view as_text(std::span<const std::byte> data) {
  return {reinterpret_cast<const char*>(data.data()), data.size()};
}
inline std::span<const std::byte> as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace rota::base
