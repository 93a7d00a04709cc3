#include "store/sftp_target.h"

#include <fmt/core.h>

#include <charconv>

#include "base/error.h"
#include "base/text.h"

namespace rota::store {

namespace {

constexpr std::string_view kFromHome = "/~/";

[[noreturn]] void refuse(const std::string& why) {
  throw base::Error(base::ErrorKind::config,
                    fmt::format("the target is no SFTP store that rota can open: {}; write "
                                "sftp://user@host/srv/backup, sftp://user@host:2222/srv/backup, "
                                "or sftp://user@host/~/backup for a directory in the user's own",
                                why));
}

/// Host and user go into the commands of messages and of ~/.ssh/config: nothing that a shell or an
/// option parser would take for more than a name.
bool is_plain(std::string_view text, std::string_view also) {
  if (text.empty() || text.front() == '-') return false;
  for (const char c : text) {
    const bool alphanumeric =
        (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (!alphanumeric && also.find(c) == std::string_view::npos) return false;
  }
  return true;
}

unsigned parse_port(std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0 || port > 65535) {
    refuse(
        fmt::format("'{}' is no port, which is a number from 1 to 65535", base::printable(text)));
  }
  return port;
}

void parse_place(std::string_view place, SftpTarget& found) {
  if (const std::size_t at = place.rfind('@'); at != std::string_view::npos) {
    const std::string_view user = place.substr(0, at);
    if (user.find(':') != std::string_view::npos) {
      refuse("a password has no place in it (rota logs in with keys only)");
    }
    if (!is_plain(user, "._+-@\\")) refuse("its user name is empty or has odd characters");
    found.user = user;
    place.remove_prefix(at + 1);
  }
  std::string_view host = place;
  std::string_view port;
  if (place.starts_with('[')) {
    const std::size_t end = place.find(']');
    if (end == std::string_view::npos) refuse("its address has no ']'");
    host = place.substr(1, end - 1);
    port = place.substr(end + 1);
    if (!is_plain(host, ":.%")) refuse("there is no IPv6 address between its brackets");
  } else {
    const std::size_t colon = place.find(':');
    if (colon != std::string_view::npos) {
      host = place.substr(0, colon);
      port = place.substr(colon);
    }
    if (!is_plain(host, "._-")) refuse("its host name is empty or has odd characters");
  }
  found.host = host;
  if (port.empty()) return;
  if (port.front() != ':') refuse("something odd follows its address");
  found.port = parse_port(port.substr(1));
}

}  // namespace

std::string SftpTarget::url() const {
  std::string text(kSftpScheme);
  if (!user.empty()) text += user + "@";
  text += host.find(':') == std::string::npos ? host : "[" + host + "]";
  if (port != 0) text += fmt::format(":{}", port);
  return text + (path.starts_with('/') ? "" : "/~/") + base::printable(path);
}

SftpTarget parse_sftp_target(const std::string& target) {
  std::string_view rest(target);
  if (!rest.starts_with(kSftpScheme)) refuse("it does not begin with sftp://");
  rest.remove_prefix(kSftpScheme.size());
  // A password may hold a '/': look at what comes before any '@' first.
  const std::size_t at = rest.rfind('@');
  const std::size_t slash = rest.find('/');
  if (at != std::string_view::npos && slash != std::string_view::npos && slash < at &&
      rest.substr(0, slash).find(':') != std::string_view::npos &&
      rest.substr(0, slash).find('@') == std::string_view::npos) {
    refuse("a password has no place in it (rota logs in with keys only)");
  }
  if (slash == std::string_view::npos) refuse("it has no path");

  SftpTarget found;
  parse_place(rest.substr(0, slash), found);
  std::string path(rest.substr(slash));
  if (path.find('\0') != std::string::npos) refuse("its path has a zero byte");
  if (path.starts_with(kFromHome)) path.erase(0, kFromHome.size());
  while (!path.empty() && path.ends_with('/')) path.pop_back();
  // "/" itself is a slip of the keyboard, never a place for backups.
  if (path.find_first_not_of('/') == std::string::npos || path == "/~") {
    refuse("its path names no directory for the backups alone");
  }
  found.path = std::move(path);
  return found;
}

}  // namespace rota::store
