#include "cli/person.h"

#include <pwd.h>
#include <unistd.h>

#include <cstdlib>

#include "base/error.h"

namespace rota::cli {

std::string person(const std::string& given) {
  if (!given.empty()) return given;
  if (const char* user = std::getenv("SUDO_USER"); user != nullptr && *user != '\0') return user;
  if (const passwd* entry = ::getpwuid(::getuid()); entry != nullptr) return entry->pw_name;
  throw base::Error(base::ErrorKind::usage, "who says so? Give your name with --by NAME");
}

}  // namespace rota::cli
