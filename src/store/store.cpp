#include "store/store.h"

#include <fmt/core.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"

namespace rota::store {

namespace {

constexpr std::size_t kMaxName = 512;

bool is_name_character(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

template <typename Digest>
std::string hex_digest(std::span<const std::byte> data) {
  base::Hasher<Digest> hasher;
  hasher.update(data);
  return base::to_hex(hasher.finish());
}

}  // namespace

void Store::read(const std::string& name, std::uint64_t offset, std::span<std::byte> buffer) {
  const std::size_t got = read_some(name, offset, buffer);
  if (got == buffer.size()) return;
  throw base::Error(base::ErrorKind::corrupt,
                    fmt::format("the object {} in the store {} is cut short: of {} bytes from byte "
                                "{} on it has {}",
                                name, description(), buffer.size(), offset, got));
}

void Store::set_lock(const std::optional<ObjectLock>& lock) {
  if (!lock) return;
  throw base::Error(
      base::ErrorKind::config,
      fmt::format("the store {} cannot lock objects; remove the lock from the profile",
                  description()));
}

std::string_view hash_name(HashKind kind) {
  switch (kind) {
    case HashKind::none:
      return "";
    case HashKind::sha1:
      return "sha1";
    case HashKind::md5:
      return "md5";
  }
  return "";
}

bool is_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxName) return false;
  bool at_start = true;  // of a component
  for (const char c : name) {
    if (at_start ? c == '.' || !is_name_character(c) : c != '/' && !is_name_character(c)) {
      return false;
    }
    at_start = c == '/';
  }
  return !at_start;
}

void check_size(const std::string& name, std::uint64_t size, const std::string& store) {
  if (size <= kMaxPut) return;
  throw base::Error(
      base::ErrorKind::usage,
      fmt::format("the object {} has {} bytes: {} takes at most {}", name, size, store, kMaxPut));
}

void check_name(std::string_view name) {
  if (is_name(name)) return;
  throw base::Error(
      base::ErrorKind::usage,
      fmt::format("'{}' cannot name an object: names are letters, digits and . _ - in parts joined "
                  "by /, no part starts with a dot, and all is at most {} bytes long",
                  base::printable(name.substr(0, kMaxName)), kMaxName));
}

std::string object_hash(HashKind kind, std::span<const std::byte> data) {
  switch (kind) {
    case HashKind::none:
      return "";
    case HashKind::sha1:
      return hex_digest<base::Sha1Digest>(data);
    case HashKind::md5:
      return hex_digest<base::Md5Digest>(data);
  }
  return "";
}

}  // namespace rota::store
