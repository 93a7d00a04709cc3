#include "chain/key_file.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/text.h"
#include "chain/crypto.h"

namespace rota::chain {

namespace {

using base::Error;
using base::ErrorKind;

constexpr std::uint64_t kMostBytes = 64 * 1024;

struct Wiped {
  std::string text;
  ~Wiped() { wipe(std::as_writable_bytes(std::span(text))); }
};

std::string read_secret(const std::string& path) {
  const std::string shown = base::printable(path);
  struct stat st {};
  if (::stat(path.c_str(), &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 077) != 0) {
    throw Error(ErrorKind::config,
                fmt::format("{} holds a secret, but others than its owner may read or change it "
                            "(mode {:04o}); run `chmod 600 '{}'`",
                            shown, st.st_mode & 07777, shown));
  }
  try {
    return base::read_file(path, kMostBytes);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::corrupt) throw;
    throw Error(ErrorKind::config, fmt::format("{} is far too large for a secret", shown));
  }
}

}  // namespace

SecretKey read_key_file(const std::string& path) {
  const Wiped file{read_secret(path)};
  Wiped text;
  text.text.reserve(file.text.size());
  std::string_view left = file.text;
  while (!left.empty()) {
    const std::size_t end = std::min(left.find('\n'), left.size());
    const std::string_view line = left.substr(0, end);
    left.remove_prefix(std::min(end + 1, left.size()));
    if (!line.starts_with('#')) text.text += line;
  }
  try {
    return SecretKey::parse(text.text);
  } catch (const Error& error) {
    throw Error(error.kind(),
                fmt::format("{} cannot be used: {}", base::printable(path), error.what()));
  }
}

std::string read_passphrase_file(const std::string& path) {
  const Wiped file{read_secret(path)};
  std::string_view line = file.text;
  line = line.substr(0, line.find('\n'));
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.empty()) {
    throw Error(ErrorKind::config, fmt::format("{} holds no passphrase: its first line is empty",
                                               base::printable(path)));
  }
  return std::string(line);
}

void write_key_file(const std::string& path, const SecretKey& key, base::FileOps& files) {
  // The name is taken first, so that nothing that exists is ever replaced; what is renamed over is
  // our own empty file.
  try {
    files.create(path, 0600);
  } catch (const base::FileError& error) {
    if (error.error_number() != EEXIST) throw;
    throw Error(ErrorKind::refused,
                fmt::format("{} exists already, and is not replaced: it may be the only key to "
                            "somebody's backups; choose another name",
                            base::printable(path)));
  }
  const Wiped secret{key.text()};
  const Wiped text{
      fmt::format("# A secret key of rota. Whoever has it can read each backup that is "
                  "encrypted for\n# {}\n# Keep it off the server that is backed up, "
                  "and on paper: rota key export --paper FILE\n{}\n",
                  Recipient(key).text(), secret.text)};
  try {
    base::write_file(path, text.text, 0600, files);
  } catch (...) {
    files.unlink(path);
    throw;
  }
}

}  // namespace rota::chain
