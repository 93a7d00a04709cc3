#include "job/disk_key.h"

#include <fmt/core.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "disk/identity.h"
#include "job/disk_session.h"

namespace rota::job {

namespace {

using base::Error;
using base::ErrorKind;

constexpr std::uint64_t kMaxKeyFile = 8 << 20;  // what cryptsetup reads of one at most

/// The passphrase in a file that somebody typed it into: an editor leaves a line feed behind it,
/// which would be part of the key. Nothing when it is a key file.
std::optional<std::string> passphrase_in(const std::string& file) {
  std::string text = base::read_file(file, kMaxKeyFile);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) {
    text.pop_back();
  }
  if (!disk::is_recovery_passphrase(text)) return std::nullopt;
  return text;
}

disk::LuksSecrets from_file(const std::string& file) {
  if (auto passphrase = passphrase_in(file)) return {"", std::move(*passphrase)};
  return {file, ""};
}

}  // namespace

disk::LuksSecrets opener_of(const profile::Places& places, const std::string& disk,
                            const DiskKey& key) {
  if (!key.file.empty()) return from_file(key.file);
  const std::string kept = key_file_of(places, disk);
  if (base::exists(kept)) return from_file(kept);
  const std::string called = disk.empty() ? "the disk" : disk::disk_label(disk);
  if (key.ask) {
    if (auto answer = key.ask(fmt::format("Recovery passphrase of {}: ", called))) {
      return {"", std::move(*answer)};
    }
  }
  throw Error(
      ErrorKind::not_found,
      fmt::format("{} is encrypted, and its key file is not here ({}): name that, or a file "
                  "that holds the disk's recovery passphrase, with --disk-key FILE",
                  called, base::printable(kept)));
}

}  // namespace rota::job
