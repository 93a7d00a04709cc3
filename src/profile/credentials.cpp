#include "profile/credentials.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <optional>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "profile/toml_file.h"

namespace rota::profile {

namespace {

using base::Error;
using base::ErrorKind;

constexpr std::size_t kMaxFile = 64 << 10;
constexpr const char* kForm = "it must hold two lines: key_id = \"...\" and key = \"...\"";

[[noreturn]] void fail(const std::string& message) { throw Error(ErrorKind::config, message); }

void check_owner(const std::string& shown, const struct stat& st, bool from_systemd) {
  if (!S_ISREG(st.st_mode)) {
    fail(fmt::format("the credentials {} are no regular file", shown));
  }
  if (st.st_uid != 0 && st.st_uid != ::geteuid()) {
    fail(
        fmt::format("the credentials {} belong to another user (uid {}), who could read and change "
                    "them; run `chown root '{}'` if they are yours",
                    shown, st.st_uid, shown));
  }
  // systemd lets a service's user in by an ACL, whose mask stands where the group's rights do; the
  // directory is closed to all others.
  const mode_t wrong = from_systemd ? S_IRWXO : S_IRWXG | S_IRWXO;
  if ((st.st_mode & wrong) != 0) {
    fail(
        fmt::format("the credentials {} can be read by others than their owner; run `chmod 600 "
                    "'{}'`, and change the key if somebody may have seen it",
                    shown, shown));
  }
}

std::string read_checked(const std::string& path, const std::string& shown, bool from_systemd) {
  const base::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) {
    fail(fmt::format(
        "cannot read the credentials {}: {}; make the file and run `chmod 600 '{}'`: {}", shown,
        base::os_reason(errno), shown, kForm));
  }
  struct stat st {};
  if (::fstat(fd.get(), &st) != 0) base::throw_os("cannot look at", shown, errno);
  check_owner(shown, st, from_systemd);
  std::string text(kMaxFile + 1, '\0');
  text.resize(base::read_at(fd.get(), std::as_writable_bytes(std::span(text.data(), text.size())),
                            0, shown));
  if (text.size() > kMaxFile)
    fail(fmt::format("the credentials {} are too long; {}", shown, kForm));
  return text;
}

/// What toml++ says of an error can quote the text, and this text is secret: only its line is told.
toml::table parse(const std::string& text, const std::string& shown) {
  std::uint32_t line = 1;
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& error) {
    line = error.source().begin.line;
  } catch (const NoToml&) {
  }
  fail(fmt::format("{}:{}: this is not valid TOML; {}", shown, line, kForm));
}

std::string take(const toml::table& table, const char* key, const std::string& shown) {
  const toml::node* node = table.get(key);
  if (node == nullptr) fail(fmt::format("{}: {} is missing; {}", shown, key, kForm));
  const auto* text = node->as_string();
  const bool usable = text != nullptr && !text->get().empty() &&
                      std::ranges::all_of(text->get(), [](char c) { return c > ' ' && c < 0x7f; });
  if (!usable) {
    fail(fmt::format("{}:{}: {} must be text in double quotes without blanks; {}", shown,
                     node->source().begin.line, key, kForm));
  }
  return text->get();
}

}  // namespace

bool is_credential_name(std::string_view name) {
  return !name.empty() && name.size() <= 255 && name.front() != '.' &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                  c == '.' || c == '_' || c == '-';
         });
}

KeyPair read_credentials(const std::string& name) {
  return read_credentials(name, [](const char* variable) { return std::getenv(variable); });
}

KeyPair read_credentials(const std::string& name, const Environment& environment) {
  const char* directory = environment("CREDENTIALS_DIRECTORY");
  const bool from_systemd = is_credential_name(name) && directory != nullptr && directory[0] == '/';
  const std::string path = from_systemd ? std::string(directory) + "/" + name : name;
  const std::string shown = base::printable(path);
  const toml::table table = parse(read_checked(path, shown, from_systemd), shown);
  for (auto&& [key, node] : table) {
    if (key.str() == "key_id" || key.str() == "key") continue;
    // Not its name: a key that was pasted without a name in front would be one.
    fail(fmt::format("{}:{}: this key is unknown; {}", shown, key.source().begin.line, kForm));
  }
  return {take(table, "key_id", shown), take(table, "key", shown)};
}

}  // namespace rota::profile
