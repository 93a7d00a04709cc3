#include "store/sftp_wire.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include "base/text.h"

namespace rota::store {

using base::Error;
using base::ErrorKind;

namespace {

constexpr std::size_t kShownOfMessage = 200;
constexpr std::size_t kLengthBytes = 4;

// Which attributes follow (SSH_FILEXFER_ATTR_…).
constexpr std::uint32_t kHasSize = 1;
constexpr std::uint32_t kHasOwner = 2;
constexpr std::uint32_t kHasMode = 4;
constexpr std::uint32_t kHasTimes = 8;
constexpr std::uint32_t kHasExtended = 0x80000000;

ErrorKind kind_of(SftpCode code) {
  switch (code) {
    case SftpCode::no_such_file:
      return ErrorKind::not_found;
    case SftpCode::permission_denied:
      return ErrorKind::refused;
    default:  // a server may also send codes of later versions
      return ErrorKind::io;
  }
}

std::string words_of(SftpCode code, std::string_view message) {
  switch (code) {
    case SftpCode::no_such_file:
      return "no such file or directory";
    case SftpCode::permission_denied:
      return "the server does not permit it";
    case SftpCode::unsupported:
      return "the server cannot do this";
    default:
      break;
  }
  return fmt::format("the server says '{}' (SFTP status {})",
                     base::printable(message.substr(0, kShownOfMessage)),
                     static_cast<std::uint32_t>(code));
}

SftpAttributes::Kind file_kind(std::uint32_t mode) {
  using Kind = SftpAttributes::Kind;
  switch (mode & S_IFMT) {
    case 0:
      return Kind::unknown;
    case S_IFREG:
      return Kind::regular;
    case S_IFDIR:
      return Kind::directory;
    case S_IFLNK:
      return Kind::symlink;
    default:
      return Kind::other;
  }
}

}  // namespace

SftpError::SftpError(SftpCode code, std::string_view message)
    : Error(kind_of(code), words_of(code, message)), code_(code) {}

SftpPacket::SftpPacket(std::uint8_t type)
    : bytes_{std::byte{}, std::byte{}, std::byte{}, std::byte{}, static_cast<std::byte>(type)} {}

SftpPacket& SftpPacket::u32(std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    bytes_.push_back(static_cast<std::byte>(value >> shift));
  }
  return *this;
}

SftpPacket& SftpPacket::u64(std::uint64_t value) {
  return u32(static_cast<std::uint32_t>(value >> 32)).u32(static_cast<std::uint32_t>(value));
}

SftpPacket& SftpPacket::string(std::string_view text) { return string(base::as_bytes(text)); }

SftpPacket& SftpPacket::string(std::span<const std::byte> data) {
  bytes_.reserve(bytes_.size() + kLengthBytes + data.size());
  u32(static_cast<std::uint32_t>(data.size()));
  bytes_.insert(bytes_.end(), data.begin(), data.end());
  return *this;
}

SftpPacket& SftpPacket::mode(std::uint32_t mode) { return u32(kHasMode).u32(mode); }

std::span<const std::byte> SftpPacket::finish() {
  const auto size = static_cast<std::uint32_t>(bytes_.size() - kLengthBytes);
  for (std::size_t i = 0; i < kLengthBytes; ++i) {
    bytes_[i] = static_cast<std::byte>(size >> (8 * (kLengthBytes - 1 - i)));
  }
  return bytes_;
}

std::span<const std::byte> SftpReader::take(std::uint64_t size) {
  if (size > data_.size()) throw_not_sftp("an answer ends too early");
  const auto part = data_.first(static_cast<std::size_t>(size));
  data_ = data_.subspan(part.size());
  return part;
}

std::uint8_t SftpReader::u8() { return static_cast<std::uint8_t>(take(1)[0]); }

std::uint32_t SftpReader::u32() {
  std::uint32_t value = 0;
  for (const std::byte b : take(4)) value = value << 8 | static_cast<std::uint32_t>(b);
  return value;
}

std::uint64_t SftpReader::u64() {
  const std::uint64_t high = u32();
  return high << 32 | u32();
}

std::span<const std::byte> SftpReader::bytes() { return take(u32()); }

SftpAttributes SftpReader::attributes() {
  SftpAttributes found;
  const std::uint32_t flags = u32();
  if ((flags & kHasSize) != 0) {
    found.has_size = true;
    found.size = u64();
  }
  if ((flags & kHasOwner) != 0) take(8);
  if ((flags & kHasMode) != 0) found.kind = file_kind(u32());
  if ((flags & kHasTimes) != 0) {
    take(4);
    found.mtime = u32();
  }
  if ((flags & kHasExtended) != 0) {
    // Each round takes eight bytes at least, or throws.
    for (std::uint32_t count = u32(); count > 0; --count) {
      bytes();
      bytes();
    }
  }
  return found;
}

void throw_not_sftp(const std::string& what) {
  throw Error(ErrorKind::io,
              fmt::format("the server does not speak SFTP as it should: {} (a login script on the "
                          "server that prints something has this effect)",
                          what));
}

}  // namespace rota::store
