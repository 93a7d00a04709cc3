#include "disk/luks.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"
#include "disk/make_filesystem.h"

namespace rota::disk {

namespace {

using base::Error;
using base::ErrorKind;

constexpr std::size_t kKeyBytes = 64;
constexpr std::size_t kGroups = 8;
constexpr std::size_t kGroupLetters = 5;
constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr int kNoPermission = 2;  // cryptsetup(8): "no permission (bad passphrase)"
constexpr int kBusy = 5;
constexpr const char* kMapper = "/dev/mapper";

// Fixed costs, so that formatting needs no benchmark and the result does not depend on how busy
// this machine is. The key file holds 512 random bits, of which no number of rounds makes more. The
// passphrase holds 200, and is slow to try all the same: Argon2id with 64 MiB, which the smallest
// rescue machine has (RFC 9106, section 4, "second recommended option").
const std::vector<std::string> kForKeyFile = {"--pbkdf", "pbkdf2", "--pbkdf-force-iterations",
                                              "1000"};
const std::vector<std::string> kForPassphrase = {
    "--pbkdf",          "argon2id", "--pbkdf-memory",           "65536",
    "--pbkdf-parallel", "4",        "--pbkdf-force-iterations", "4"};

/// A secret where cryptsetup can read it as a file, and nobody else: it lies in memory, without a
/// name, and is opened through this process's own descriptor, which only this user may do.
class SecretFile {
 public:
  explicit SecretFile(const std::string& secret) : fd_(::memfd_create("rota", MFD_CLOEXEC)) {
    if (!fd_.valid()) base::throw_os("cannot hold", "a secret in memory", errno);
    base::real_files().write_all(fd_.get(), std::as_bytes(std::span(secret)), "memory");
  }
  std::string path() const { return fmt::format("/proc/{}/fd/{}", ::getpid(), fd_.get()); }

 private:
  base::Fd fd_;
};

std::vector<std::string> cryptsetup(const std::vector<std::string>& words,
                                    const std::vector<std::string>& more = {}) {
  std::vector<std::string> argv{"cryptsetup"};
  argv.insert(argv.end(), words.begin(), words.end());
  argv.insert(argv.end(), more.begin(), more.end());
  return argv;
}

base::ProcessResult run(const std::vector<std::string>& argv, base::ProcessRunner& processes) {
  return processes.run({argv, {{"LC_ALL", "C"}}});
}

/// slot: tried alone when it is given; each other one that is tried costs its Argon2.
bool opens(const std::string& node, const std::string& key_path, base::ProcessRunner& processes,
           const std::string& slot = "") {
  std::vector<std::string> argv =
      cryptsetup({"open", "--test-passphrase", "--key-file", key_path, node});
  if (!slot.empty()) argv.insert(argv.end(), {"--key-slot", slot});
  const base::ProcessResult result = run(argv, processes);
  if (result.status == 0) return true;
  if (result.status == kNoPermission) return false;
  throw Error(ErrorKind::io, fmt::format("cannot try the key of {}: cryptsetup ended with status "
                                         "{}: {}",
                                         node, result.status, base::printable(result.output)));
}

void add_key(const std::string& node, const std::string& opener, const std::string& fresh,
             const std::string& slot, const std::vector<std::string>& cost,
             base::ProcessRunner& processes) {
  std::vector<std::string> argv = cryptsetup({"luksAddKey", "-q", "--key-slot", slot}, cost);
  argv.insert(argv.end(), {"--key-file", opener, node, fresh});
  run_tool(argv, "add a key to " + node, processes);
}

/// The numbers of the key slots in use.
std::vector<std::string> slots_of(const std::string& node, base::ProcessRunner& processes) {
  const base::ProcessResult result =
      run(cryptsetup({"luksDump", "--dump-json-metadata", node}), processes);
  const auto value = nlohmann::json::parse(result.output, nullptr, false);
  if (result.status != 0 || !value.is_object() || !value.contains("keyslots") ||
      !value["keyslots"].is_object()) {
    throw Error(ErrorKind::corrupt,
                fmt::format("{} is no LUKS2 container that cryptsetup can read", node));
  }
  std::vector<std::string> slots;
  for (const auto& [slot, details] : value["keyslots"].items()) slots.push_back(slot);
  return slots;
}

/// The two lowest numbers that are free.
std::pair<std::string, std::string> free_slots(const std::vector<std::string>& used) {
  std::vector<std::string> free;
  for (int number = 0; free.size() < 2; ++number) {
    const std::string slot = std::to_string(number);
    if (std::ranges::find(used, slot) == used.end()) free.push_back(slot);
  }
  return {free[0], free[1]};
}

}  // namespace

bool luks_is_possible() {
  // Opening the node loads the module. That it is there says nothing: cryptsetup makes it itself.
  if (base::Fd(::open("/dev/mapper/control", O_RDWR | O_CLOEXEC)).valid()) return true;
  std::ifstream misc("/proc/misc");
  for (std::string number, name; misc >> number >> name;) {
    if (name == "device-mapper") return true;
  }
  return false;
}

std::string new_recovery_passphrase() {
  std::array<std::byte, kGroups * kGroupLetters> bytes{};
  base::random_bytes(bytes);
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i > 0 && i % kGroupLetters == 0) text += '-';
    text += kLetters[std::to_integer<unsigned>(bytes[i]) & 31];
  }
  return text;
}

bool is_recovery_passphrase(std::string_view text) {
  if (text.size() != kGroups * (kGroupLetters + 1) - 1) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool between = i % (kGroupLetters + 1) == kGroupLetters;
    if (between ? text[i] != '-' : kLetters.find(text[i]) == std::string_view::npos) return false;
  }
  return true;
}

void make_disk_key(const std::string& key_file) {
  std::string key(kKeyBytes, '\0');
  base::random_bytes(std::as_writable_bytes(std::span(key)));
  base::real_files().make_directories(base::parent_directory(key_file), 0700);
  base::Fd fd;
  try {
    fd = base::real_files().create(key_file, 0400);
  } catch (const base::FileError& error) {
    if (error.error_number() != EEXIST) throw;
    throw Error(ErrorKind::refused,
                fmt::format("{} exists already, and is not replaced: it may be the only key to a "
                            "disk; move it away if that disk is gone for good",
                            base::printable(key_file)));
  }
  try {
    base::real_files().write_all(fd.get(), std::as_bytes(std::span(key)), key_file);
    base::real_files().fsync(fd.get(), key_file);
    base::real_files().sync_directory(base::parent_directory(key_file));
  } catch (...) {
    ::unlink(key_file.c_str());
    throw;
  }
  ::explicit_bzero(key.data(), key.size());
}

void luks_format(const std::string& node, const LuksSecrets& secrets,
                 base::ProcessRunner& processes) {
  std::vector<std::string> argv =
      cryptsetup({"luksFormat", "-q", "--type", "luks2", "--key-slot", "0"}, kForKeyFile);
  argv.insert(argv.end(), {"--key-file", secrets.key_file, node});
  run_tool(argv, "make a LUKS container on " + node, processes);
  const SecretFile recovery(secrets.recovery_passphrase);
  add_key(node, secrets.key_file, recovery.path(), "1", kForPassphrase, processes);
}

void luks_set_label(const std::string& node, const std::string& label,
                    base::ProcessRunner& processes) {
  run_tool(cryptsetup({"config", "-q", "--label", label, node}), "label the container " + node,
           processes);
}

bool luks_key_fits(const std::string& node, const std::string& key_file,
                   base::ProcessRunner& processes) {
  return opens(node, key_file, processes);
}

bool luks_passphrase_fits(const std::string& node, const std::string& passphrase,
                          base::ProcessRunner& processes) {
  const SecretFile secret(passphrase);
  return opens(node, secret.path(), processes);
}

void luks_rekey(const std::string& node, const LuksSecrets& current, const LuksSecrets& fresh,
                base::ProcessRunner& processes) {
  const SecretFile current_recovery(current.recovery_passphrase);
  const SecretFile fresh_recovery(fresh.recovery_passphrase);
  const std::string opener = current.key_file.empty() ? current_recovery.path() : current.key_file;
  if (!opens(node, opener, processes)) {
    throw Error(ErrorKind::refused,
                fmt::format("the {} does not open {}; nothing was changed",
                            current.key_file.empty() ? "recovery passphrase" : "key file", node));
  }
  const std::vector<std::string> old_slots = slots_of(node, processes);
  const auto [key_slot, recovery_slot] = free_slots(old_slots);
  add_key(node, opener, fresh.key_file, key_slot, kForKeyFile, processes);
  add_key(node, fresh.key_file, fresh_recovery.path(), recovery_slot, kForPassphrase, processes);
  if (!opens(node, fresh.key_file, processes, key_slot) ||
      !opens(node, fresh_recovery.path(), processes, recovery_slot)) {
    throw Error(ErrorKind::io, fmt::format("the new keys of {} do not open it; the old ones still "
                                           "do",
                                           node));
  }
  for (const std::string& slot : old_slots) {
    run_tool(cryptsetup({"luksKillSlot", "-q", "--key-file", fresh.key_file, node, slot}),
             "remove an old key of " + node, processes);
  }
}

LuksMapping::LuksMapping(const std::string& node, const LuksSecrets& opener,
                         const std::string& name, base::ProcessRunner& processes)
    : mapping_("rota-" + name),
      node_(fmt::format("{}/{}", kMapper, mapping_)),
      processes_(&processes) {
  if (!luks_is_possible()) {
    throw Error(ErrorKind::io,
                "this kernel has no device mapper, so that an encrypted disk cannot "
                "be opened; `modprobe dm-crypt`");
  }
  if (base::exists(node_)) {  // of a process that died: a living one holds the disk's lock
    const base::ProcessResult closed = run(cryptsetup({"close", mapping_}), processes);
    if (closed.status != 0) {
      throw Error(ErrorKind::refused,
                  fmt::format("{} is open already and in use; close it with `cryptsetup close {}`",
                              node_, mapping_));
    }
  }
  const SecretFile passphrase(opener.recovery_passphrase);
  const bool by_file = !opener.key_file.empty();
  const base::ProcessResult result =
      run(cryptsetup({"open", "--type", "luks2", "--key-file",
                      by_file ? opener.key_file : passphrase.path(), node, mapping_}),
          processes);
  if (result.status == 0) return;
  if (result.status == kNoPermission && !by_file) {
    throw Error(
        ErrorKind::refused,
        fmt::format("the recovery passphrase does not open {}; it has 8 groups of 5 capital "
                    "letters and digits, with hyphens between",
                    node));
  }
  if (result.status == kNoPermission) {
    throw Error(ErrorKind::refused,
                fmt::format("the key file {} does not open {}; was the disk given a new key on "
                            "another station? The recovery passphrase opens it: `rota disk rekey`",
                            base::printable(opener.key_file), node));
  }
  if (result.status == kBusy) {
    throw Error(ErrorKind::refused, fmt::format("{} is in use: it is open already under another "
                                                "name (`lsblk {}` shows which)",
                                                node, node));
  }
  throw Error(ErrorKind::io, fmt::format("cannot open the container {}: {}", node,
                                         base::printable(result.output)));
}

LuksMapping::LuksMapping(LuksMapping&& other) noexcept
    : mapping_(std::exchange(other.mapping_, "")),
      node_(std::move(other.node_)),
      processes_(other.processes_) {}

LuksMapping::~LuksMapping() {
  if (mapping_.empty()) return;
  try {
    run(cryptsetup({"close", mapping_}), *processes_);
  } catch (...) {
    // The next one that opens the container closes it first.
  }
}

void LuksMapping::close() {
  if (mapping_.empty()) return;
  run_tool(cryptsetup({"close", mapping_}), "close the container of " + node_, *processes_);
  mapping_.clear();
}

}  // namespace rota::disk
