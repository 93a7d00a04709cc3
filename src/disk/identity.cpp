#include "disk/identity.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"
#include "tree/beneath.h"

namespace rota::disk {

namespace {

using base::Error;
using base::ErrorKind;
using nlohmann::json;

constexpr std::int64_t kFormat = 1;
constexpr std::size_t kMostBytes = 16 << 10;
constexpr std::size_t kMostUuid = 64;
constexpr int kMostDepth = 8;
constexpr std::size_t kTokenBytes = 32;
constexpr std::size_t kMostSetName = 64;
constexpr const char* kDirectory = "rota";
constexpr const char* kFile = "rota/disk.json";
constexpr const char* kTemporary = "rota/disk.json.tmp";

[[noreturn]] void fail(const std::string& problem) {
  throw Error(
      ErrorKind::corrupt,
      fmt::format("the disk's identity file {} is not what rota wrote: {}", kFile, problem));
}

bool is_upper_or_digit(char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

/// A UUID as any filesystem has it: hexadecimal digits and hyphens ("1a2b-3c4d" of FAT as well).
bool is_uuid(std::string_view text) {
  return !text.empty() && text.size() <= kMostUuid && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == '-';
  });
}

bool is_token(std::string_view text) {
  return text.size() == 2 * kTokenBytes && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

std::string text_of(const json& value, const char* member) {
  const auto found = value.find(member);
  if (found == value.end() || !found->is_string()) {
    fail(fmt::format("it has no text \"{}\"", member));
  }
  return found->get<std::string>();
}

/// Brackets within brackets cost the parser memory and stack; an identity has one pair.
void check_depth(std::string_view text) {
  int depth = 0;
  for (const char c : text) {
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    if (depth > kMostDepth) fail("it is nested too deeply");
  }
}

}  // namespace

bool is_disk_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxDiskName &&
         std::ranges::all_of(name, is_upper_or_digit);
}

std::string disk_label(std::string_view name) {
  return std::string(kLabelPrefix) + std::string(name);
}

std::optional<std::string> name_of_label(std::string_view label) {
  if (!label.starts_with(kLabelPrefix)) return std::nullopt;
  label.remove_prefix(kLabelPrefix.size());
  if (!is_disk_name(label)) return std::nullopt;
  return std::string(label);
}

bool is_set_name(std::string_view name) {
  return !name.empty() && name.size() <= kMostSetName && name.front() != '.' &&
         std::ranges::all_of(name, [](char c) {
           return is_upper_or_digit(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '_' ||
                  c == '.';
         });
}

std::string new_token() {
  std::array<std::byte, kTokenBytes> bytes{};
  base::random_bytes(bytes);
  return base::to_hex(bytes);
}

std::string token_hash(std::string_view token) {
  return base::to_hex(base::sha256(base::as_bytes(token)));
}

std::string encode_identity(const Identity& identity) {
  const json value = {{"format", kFormat},
                      {"name", identity.name},
                      {"set", identity.set},
                      {"fs_uuid", identity.fs_uuid},
                      {"prepared", base::iso(identity.prepared)},
                      {"token", identity.token}};
  return value.dump(2) + "\n";
}

Identity decode_identity(std::string_view text) {
  if (text.size() > kMostBytes) fail("it is too large");
  check_depth(text);
  const json value = json::parse(text, nullptr, false);
  if (!value.is_object()) fail("it is no JSON object");
  const auto format = value.find("format");
  if (format == value.end() || !format->is_number_integer()) fail("it has no number \"format\"");
  if (format->is_number_unsigned() && format->get<std::uint64_t>() > kFormat) {
    throw Error(ErrorKind::config,
                fmt::format("the disk was prepared by a newer rota (format {}); install that one",
                            format->get<std::uint64_t>()));
  }
  if (format->get<std::int64_t>() != kFormat) fail("its format does not exist");
  Identity identity;
  identity.name = text_of(value, "name");
  identity.set = text_of(value, "set");
  identity.fs_uuid = text_of(value, "fs_uuid");
  identity.token = text_of(value, "token");
  const auto prepared = base::parse_iso(text_of(value, "prepared"));
  if (!is_disk_name(identity.name)) fail("its name is none of a disk");
  if (!identity.set.empty() && !is_set_name(identity.set)) fail("its set has no possible name");
  if (!is_uuid(identity.fs_uuid)) fail("its UUID is none");
  if (!is_token(identity.token)) fail("its token is none");
  if (!prepared) fail("its time is none");
  identity.prepared = *prepared;
  return identity;
}

std::optional<Identity> read_identity(int root) {
  // O_NONBLOCK: a fifo in its place must not hold us up before it is seen to be one.
  const base::Fd fd = tree::open_beneath(root, kFile, O_RDONLY | O_NONBLOCK);
  if (!fd.valid()) {
    if (errno == ENOENT) return std::nullopt;
    if (errno == ELOOP || errno == ENOTDIR || errno == EXDEV || errno == ENXIO) {
      fail("it, or its directory, is no plain file or directory");
    }
    base::throw_os("cannot open", kFile, errno);
  }
  struct stat st {};
  if (::fstat(fd.get(), &st) != 0) base::throw_os("cannot look at", kFile, errno);
  if (!S_ISREG(st.st_mode)) fail("it is no plain file");
  std::string text(kMostBytes + 1, '\0');
  text.resize(base::read_at(fd.get(), std::as_writable_bytes(std::span(text)), 0, kFile));
  return decode_identity(text);
}

void write_identity(int root, const Identity& identity) {
  if (::mkdirat(root, kDirectory, 0755) != 0 && errno != EEXIST) {
    base::throw_os("cannot make", "rota/ on the disk", errno);
  }
  const base::Fd directory = tree::open_beneath(root, kDirectory, O_RDONLY | O_DIRECTORY);
  if (!directory.valid()) base::throw_os("cannot open", "rota/ on the disk", errno);
  const auto step = [](bool done, const char* doing) {
    if (!done) base::throw_os(doing, std::string(kFile) + " on the disk", errno);
  };
  const char* temporary = kTemporary + sizeof "rota";
  const char* file = kFile + sizeof "rota";
  ::unlinkat(directory.get(), temporary, 0);  // of a process that died
  base::Fd fd(::openat(directory.get(), temporary,
                       O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  step(fd.valid(), "cannot write");
  try {
    base::real_files().write_all(fd.get(), base::as_bytes(encode_identity(identity)), kTemporary);
    step(::fsync(fd.get()) == 0, "cannot make durable");
    step(::renameat(directory.get(), temporary, directory.get(), file) == 0, "cannot rename to");
  } catch (...) {
    ::unlinkat(directory.get(), temporary, 0);
    throw;
  }
  step(::fsync(directory.get()) == 0 && ::fsync(root) == 0, "cannot make durable");
}

void replace_token(int root, Identity& identity, const std::string& token) {
  Identity fresh = identity;
  fresh.token = token;
  write_identity(root, fresh);
  identity = std::move(fresh);
}

}  // namespace rota::disk
