#include "chain/key_text.h"

#include <fmt/core.h>

#include <array>
#include <cstdint>

#include "base/error.h"
#include "base/hash.h"
#include "chain/crypto.h"

namespace rota::chain {

namespace {

constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::size_t kCheckBytes = 4;

std::array<std::byte, kCheckBytes> check_bytes(std::string_view domain,
                                               std::span<const std::byte> payload) {
  base::Sha256 hash;
  hash.update(base::as_bytes(domain));
  hash.update(payload);
  const base::Sha256Digest digest = hash.finish();
  std::array<std::byte, kCheckBytes> check{};
  for (std::size_t i = 0; i < kCheckBytes; ++i) check[i] = digest[i];
  return check;
}

std::size_t letters_for(std::size_t bytes) { return (bytes * 8 + 4) / 5; }

}  // namespace

std::string checked_text(std::string_view domain, std::span<const std::byte> payload) {
  std::string text;
  text.reserve(letters_for(payload.size() + kCheckBytes));
  std::uint32_t bits = 0;
  unsigned count = 0;
  const auto add = [&](std::span<const std::byte> bytes) {
    for (const std::byte byte : bytes) {
      bits = (bits << 8 | std::to_integer<std::uint32_t>(byte)) & 0xffff;
      for (count += 8; count >= 5; count -= 5) text += kLetters[bits >> (count - 5) & 31];
    }
  };
  add(payload);
  add(check_bytes(domain, payload));
  if (count > 0) text += kLetters[bits << (5 - count) & 31];
  return text;
}

std::string plain_letters(std::string_view text) {
  std::string letters;
  letters.reserve(text.size());
  for (const char c : text) {
    if (c == '-' || c == ' ' || c == '\t' || c == '\n' || c == '\r') continue;
    letters += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return letters;
}

base::Bytes read_checked_text(std::string_view letters, std::string_view domain, std::size_t size,
                              const std::string& what) {
  const auto fail = [&](const std::string& reason) {
    throw base::Error(base::ErrorKind::config, what + " " + reason);
  };
  base::Bytes bytes;
  bytes.reserve(size + kCheckBytes);
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : letters) {
    const std::size_t value = kLetters.find(c);
    if (value == std::string_view::npos) {
      wipe(bytes);
      fail(c >= '0' && c <= '9'
               ? "holds a 0, 1, 8 or 9, which do not occur in keys: it is an O, an I or a B"
               : "holds a character that does not occur in keys: letters A to Z and digits 2 to 7 "
                 "do");
    }
    bits = (bits << 5 | static_cast<std::uint32_t>(value)) & 0xffff;
    count += 5;
    if (count >= 8 && bytes.size() < size + kCheckBytes) {
      count -= 8;
      bytes.push_back(static_cast<std::byte>(bits >> count));
    }
  }
  const std::size_t wanted = letters_for(size + kCheckBytes);
  if (letters.size() != wanted) {
    wipe(bytes);
    fail(fmt::format("has {} characters behind its prefix instead of {}: it is {}", letters.size(),
                     wanted, letters.size() < wanted ? "cut off" : "too long"));
  }
  const std::span<const std::byte> payload = std::span(bytes).first(size);
  const std::array<std::byte, kCheckBytes> check = check_bytes(domain, payload);
  bool good = (bits & ((1U << count) - 1)) == 0;  // what fills up the last letter
  for (std::size_t i = 0; i < kCheckBytes; ++i) good = good && check[i] == bytes[size + i];
  if (!good) {
    wipe(bytes);
    fail(
        "has a wrong character somewhere: its check letters do not fit; compare it with where it "
        "comes from");
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace rota::chain
