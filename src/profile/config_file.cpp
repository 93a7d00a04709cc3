#include "profile/config_file.h"

#include <fmt/core.h>

#include <cstdint>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

namespace rota::profile {

namespace {

using base::Error;
using base::ErrorKind;

constexpr std::uint64_t kMaxConfigFile = 4 << 20;  // far beyond what a person writes

[[noreturn]] void fail(const std::string& message) { throw Error(ErrorKind::config, message); }

/// The parser's reason as a part of a sentence, with a hint at the usual slip: text without quotes,
/// which the parser takes for the start of a number.
std::string reason(const toml::parse_error& error) {
  std::string text = base::printable(error.description());
  // The parser has written a newline as \n already.
  for (std::size_t at = 0; (at = text.find("\\\\", at)) != std::string::npos; ++at) {
    text.erase(at, 1);
  }
  if (text.starts_with('E')) text[0] = 'e';
  for (const char* sign : {"parsing value", "integer", "floating-point", "boolean", "date"}) {
    if (text.find(sign) == std::string::npos) continue;
    return text + "; text and spans of time stand in double quotes";
  }
  return text;
}

}  // namespace

std::optional<std::string> read_config(const std::string& path) {
  try {
    return base::read_file(path, kMaxConfigFile);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::not_found) return std::nullopt;
    if (error.kind() == ErrorKind::corrupt) fail(error.what());  // too large: not damaged data
    throw;
  }
}

toml::table parse_toml(const std::string& text, const std::string& file) {
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& error) {
    fail(fmt::format("{}:{}: this is not valid TOML: {}", file, error.source().begin.line,
                     reason(error)));
  } catch (const NoToml&) {
    fail(
        fmt::format("{}: this is not valid TOML: a key or the name of a table begins with a "
                    "character that none can begin with",
                    file));
  }
}

}  // namespace rota::profile
