#pragma once

#include <string>
#include <string_view>

namespace rota::store {

/// What "sftp://user@host:port/path" names.
struct SftpTarget {
  std::string user;   ///< "": as ~/.ssh/config says, else the user that rota runs as
  std::string host;   ///< a name or address, an IPv6 address without its brackets
  unsigned port = 0;  ///< 0: as ~/.ssh/config says, else 22
  std::string path;   ///< absolute, or relative to the directory where the server puts the user

  /// As it may be shown, and given again.
  std::string url() const;
};

inline constexpr std::string_view kSftpScheme = "sftp://";

/// Reads a target: sftp://[user@]host[:port]/path.
///
/// The path is absolute on the server: sftp://backup@host/srv/rota. One that begins with "/~/" is
/// relative to the user's directory there: sftp://backup@host/~/rota. An IPv6 address stands in
/// brackets. Bytes stand for themselves, there is no %-encoding.
/// Throws Error(config) when it is none. A password in it is refused, and never repeated.
SftpTarget parse_sftp_target(const std::string& target);

}  // namespace rota::store
