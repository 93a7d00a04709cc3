#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace rota::store {

/// Packets of the SSH file transfer protocol, version 3, as OpenSSH's server speaks it:
/// draft-ietf-secsh-filexfer-02 and the file PROTOCOL in OpenSSH's sources.

/// What an attribute block says of a file; what the server left out is unknown or zero.
struct SftpAttributes {
  enum class Kind { unknown, regular, directory, symlink, other };
  Kind kind = Kind::unknown;
  bool has_size = false;
  std::uint64_t size = 0;
  std::int64_t mtime = 0;  ///< seconds since 1970, by the server's clock
};

/// One name in a directory.
struct SftpName {
  std::string name;
  SftpAttributes attributes;
};

/// The room on a file system, of the reply to statvfs@openssh.com.
struct SftpRoom {
  std::uint64_t free_bytes = 0;  ///< for this user
  bool no_files = false;         ///< no further file can be made
  bool read_only = false;
};

/// The server's answers to a request (SSH_FX_…).
enum class SftpCode : std::uint32_t {
  ok = 0,
  eof = 1,
  no_such_file = 2,
  permission_denied = 3,
  failure = 4,
  bad_message = 5,
  no_connection = 6,
  connection_lost = 7,
  unsupported = 8,
};

/// A request that the server answered with a status other than "ok". Kind: not_found, refused or
/// io.
class SftpError final : public base::Error {
 public:
  SftpError(SftpCode code, std::string_view message);
  SftpCode code() const { return code_; }

 private:
  SftpCode code_;
};

/// Builds one packet, numbers big-endian, length in front.
class SftpPacket {
 public:
  explicit SftpPacket(std::uint8_t type);
  SftpPacket& u32(std::uint32_t value);
  SftpPacket& u64(std::uint64_t value);
  SftpPacket& string(std::string_view text);
  SftpPacket& string(std::span<const std::byte> data);
  /// Attributes of a file to be made: only its mode.
  SftpPacket& mode(std::uint32_t mode);
  /// The finished packet; valid as long as this object.
  std::span<const std::byte> finish();

 private:
  base::Bytes bytes_;
};

/// Reads a packet that the server sent. Every read is bounds checked and throws Error(io) beyond
/// the end. Views live as long as the bytes.
class SftpReader {
 public:
  explicit SftpReader(std::span<const std::byte> data) : data_(data) {}
  std::uint8_t u8();
  std::uint32_t u32();
  std::uint64_t u64();
  std::span<const std::byte> bytes();
  std::string_view string() { return base::as_text(bytes()); }
  SftpAttributes attributes();
  bool at_end() const { return data_.empty(); }

 private:
  std::span<const std::byte> take(std::uint64_t size);
  std::span<const std::byte> data_;
};

/// What the server sent is not the protocol.
[[noreturn]] void throw_not_sftp(const std::string& what);

}  // namespace rota::store
