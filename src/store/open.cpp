#include <fmt/core.h>

#include "base/error.h"
#include "base/text.h"
#include "store/directory_store.h"
#include "store/store.h"

namespace rota::store {

namespace {

constexpr std::string_view kFileScheme = "file://";

/// The target as it may be shown: whatever can be a password, from the first ':' of the user part
/// to the last '@', becomes "***". A password may itself hold '/', ':' and '@', so all up to the
/// last '@' counts as the user part.
std::string without_password(std::string_view target) {
  const std::size_t scheme = target.find("://");
  const std::size_t user = scheme == std::string_view::npos ? 0 : scheme + 3;
  const std::size_t at = target.rfind('@');
  const std::size_t colon = target.find(':', user);
  if (at == std::string_view::npos || colon == std::string_view::npos || at < colon) {
    return base::printable(target);
  }
  return base::printable(target.substr(0, colon + 1)) + "***" + base::printable(target.substr(at));
}

}  // namespace

std::unique_ptr<Store> open_store(const std::string& target, const std::string&) {
  std::string path = target;
  if (path.starts_with(kFileScheme)) path.erase(0, kFileScheme.size());
  // A zero byte would end the path for the operating system only. And "/" itself is a slip of the
  // keyboard, never a place for backups.
  const bool usable = path.starts_with('/') && path.find_first_not_of('/') != std::string::npos &&
                      path.find('\0') == std::string::npos;
  if (!usable) {
    throw base::Error(base::ErrorKind::config,
                      fmt::format("'{}' is not a store that rota can open: give a directory, as "
                                  "file:///srv/backup or /srv/backup",
                                  without_password(target)));
  }
  return std::make_unique<DirectoryStore>(path);
}

}  // namespace rota::store
