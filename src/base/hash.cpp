#include "base/hash.h"

#include <fmt/core.h>
#include <openssl/evp.h>
#include <sys/random.h>

#include <cerrno>
#include <type_traits>

#include "base/error.h"

namespace rota::base {

namespace {

template <typename Digest>
const EVP_MD* algorithm() {
  if constexpr (std::is_same_v<Digest, Sha256Digest>) return EVP_sha256();
  if constexpr (std::is_same_v<Digest, Sha1Digest>) return EVP_sha1();
  if constexpr (std::is_same_v<Digest, Md5Digest>) return EVP_md5();
}

void require(int ok) {
  if (ok != 1) throw Error(ErrorKind::io, "the cryptographic library could not compute a hash");
}

}  // namespace

template <typename Digest>
Hasher<Digest>::Hasher() : context_(EVP_MD_CTX_new()) {
  require(context_ != nullptr ? 1 : 0);
  require(EVP_DigestInit_ex(context_, algorithm<Digest>(), nullptr));
}

template <typename Digest>
Hasher<Digest>::~Hasher() {
  EVP_MD_CTX_free(context_);
}

template <typename Digest>
void Hasher<Digest>::update(std::span<const std::byte> data) {
  require(EVP_DigestUpdate(context_, data.data(), data.size()));
}

template <typename Digest>
Digest Hasher<Digest>::finish() {
  Digest digest;
  require(EVP_DigestFinal_ex(context_, reinterpret_cast<unsigned char*>(digest.data()), nullptr));
  require(EVP_DigestInit_ex(context_, nullptr, nullptr));
  return digest;
}

template class Hasher<Sha256Digest>;
template class Hasher<Sha1Digest>;
template class Hasher<Md5Digest>;

Sha256Digest sha256(std::span<const std::byte> data) {
  Sha256 hasher;
  hasher.update(data);
  return hasher.finish();
}

std::string to_hex(std::span<const std::byte> data) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(data.size() * 2);
  for (const std::byte b : data) {
    text.push_back(kDigits[std::to_integer<unsigned>(b) >> 4]);
    text.push_back(kDigits[std::to_integer<unsigned>(b) & 15]);
  }
  return text;
}

void from_hex(std::string_view text, std::span<std::byte> out) {
  const auto digit = [&](char c) -> unsigned {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
    throw Error(ErrorKind::corrupt, "a hash is not in hexadecimal");
  };
  if (text.size() != out.size() * 2) throw Error(ErrorKind::corrupt, "a hash has the wrong length");
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<std::byte>(digit(text[2 * i]) << 4 | digit(text[2 * i + 1]));
  }
}

void random_bytes(std::span<std::byte> out) {
  while (!out.empty()) {
    const ssize_t n = ::getrandom(out.data(), out.size(), 0);
    if (n < 0) {
      if (errno == EINTR) continue;
      throw_os("cannot read", "random bytes", errno);
    }
    out = out.subspan(static_cast<std::size_t>(n));
  }
}

}  // namespace rota::base
