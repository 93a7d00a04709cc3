#include "base/error.h"

#include <fmt/core.h>

#include <cctype>
#include <cerrno>
#include <cstring>

#include "base/file.h"

namespace rota::base {

int exit_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage:
    case ErrorKind::config:
      return 2;
    case ErrorKind::not_found:
    case ErrorKind::unavailable:
    case ErrorKind::io:
      return 1;
    case ErrorKind::corrupt:
      return 4;
    case ErrorKind::refused:
      return 5;
    case ErrorKind::locked:
      return 11;
    case ErrorKind::interrupted:
      return 130;
  }
  return 1;
}

bool is_retryable(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::unavailable:
      return true;
    case ErrorKind::usage:
    case ErrorKind::config:
    case ErrorKind::not_found:
    case ErrorKind::locked:
    case ErrorKind::refused:
    case ErrorKind::corrupt:
    case ErrorKind::io:
    case ErrorKind::interrupted:
      return false;
  }
  return false;
}

std::string os_reason(int error_number) {
  char buffer[256];
  std::string text = strerror_r(error_number, buffer, sizeof buffer);  // the GNU form
  if (text.size() > 1 && std::islower(static_cast<unsigned char>(text[1])) != 0) {
    text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  }
  return text;
}

void throw_os(const std::string& doing, const std::string& what, int error_number) {
  throw FileError(fmt::format("{} {}: {}", doing, what, os_reason(error_number)), error_number);
}

}  // namespace rota::base
