#include "cli/person.h"

#include <fmt/core.h>
#include <pwd.h>
#include <unistd.h>

#include <cstdlib>

#include "base/error.h"
#include "base/text.h"

namespace rota::cli {

std::string one_line(const char* option, const std::string& text) {
  if (base::is_printable(text)) return text;
  throw base::Error(base::ErrorKind::usage,
                    fmt::format("{}: \"{}\" has control characters or is not UTF-8; write it in "
                                "plain characters",
                                option, base::printable(text)));
}

std::string person(const std::string& given) {
  if (!given.empty()) return one_line("--by", given);
  if (const char* user = std::getenv("SUDO_USER"); user != nullptr && *user != '\0') {
    return one_line("SUDO_USER", user);
  }
  if (const passwd* entry = ::getpwuid(::getuid()); entry != nullptr) return entry->pw_name;
  throw base::Error(base::ErrorKind::usage, "who says so? Give your name with --by NAME");
}

}  // namespace rota::cli
