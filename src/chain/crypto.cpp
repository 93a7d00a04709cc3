#include "chain/crypto.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <cstdint>
#include <memory>

#include "base/bytes.h"
#include "base/error.h"

namespace rota::chain {

namespace {

template <auto Free>
struct Deleter {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, Deleter<EVP_CIPHER_CTX_free>>;
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Deleter<EVP_PKEY_CTX_free>>;
using Kdf = std::unique_ptr<EVP_KDF, Deleter<EVP_KDF_free>>;
using KdfContext = std::unique_ptr<EVP_KDF_CTX, Deleter<EVP_KDF_CTX_free>>;

void require(bool ok) {
  if (ok) return;
  ERR_clear_error();
  throw base::Error(base::ErrorKind::io, "the cryptographic library could not do its work");
}

const unsigned char* raw(std::span<const std::byte> data) {
  return reinterpret_cast<const unsigned char*>(data.data());
}
unsigned char* raw_out(std::span<std::byte> data) {
  return reinterpret_cast<unsigned char*>(data.data());
}
int length(std::span<const std::byte> data) {
  require(data.size() <= INT32_MAX);
  return static_cast<int>(data.size());
}

Key private_key(std::span<const std::byte, 32> secret) {
  Key key(EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, raw(secret), secret.size()));
  require(key != nullptr);
  return key;
}

}  // namespace

void hkdf_sha256(std::span<const std::byte> secret, std::span<const std::byte> salt,
                 std::string_view info, std::span<std::byte, 32> out) {
  const Kdf kdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
  require(kdf != nullptr);
  const KdfContext context(EVP_KDF_CTX_new(kdf.get()));
  require(context != nullptr);
  char digest[] = "SHA256";
  // The library's parameters are not const, but it only reads them.
  const auto octets = [](const char* name, std::span<const std::byte> data) {
    return OSSL_PARAM_construct_octet_string(name, const_cast<std::byte*>(data.data()),
                                             data.size());
  };
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
      octets(OSSL_KDF_PARAM_KEY, secret), octets(OSSL_KDF_PARAM_SALT, salt),
      octets(OSSL_KDF_PARAM_INFO, base::as_bytes(info)), OSSL_PARAM_construct_end()};
  require(EVP_KDF_derive(context.get(), raw_out(out), out.size(), parameters) == 1);
}

void scrypt(std::string_view passphrase, std::span<const std::byte> salt, unsigned log_n,
            std::span<std::byte, 32> out) {
  constexpr std::uint64_t kRoom = 1 << 20;  // beside the table: a few blocks
  const std::uint64_t table = std::uint64_t{1024} << log_n;
  require(EVP_PBE_scrypt(passphrase.data(), passphrase.size(), raw(salt), salt.size(),
                         std::uint64_t{1} << log_n, 8, 1, table + kRoom, raw_out(out),
                         out.size()) == 1);
}

void gcm_encrypt(std::span<const std::byte, 32> key, std::span<const std::byte, 12> nonce,
                 std::span<const std::byte> authenticated, std::span<const std::byte> plain,
                 std::span<std::byte> encrypted) {
  require(encrypted.size() == plain.size() + kGcmTag);
  const Cipher cipher(EVP_CIPHER_CTX_new());
  require(cipher != nullptr);
  EVP_CIPHER_CTX* const c = cipher.get();
  int n = 0;
  require(EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), nullptr, raw(key), raw(nonce)) == 1);
  require(EVP_EncryptUpdate(c, nullptr, &n, raw(authenticated), length(authenticated)) == 1);
  require(EVP_EncryptUpdate(c, raw_out(encrypted), &n, raw(plain), length(plain)) == 1);
  require(EVP_EncryptFinal_ex(c, raw_out(encrypted) + n, &n) == 1);
  require(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, kGcmTag,
                              raw_out(encrypted.subspan(plain.size()))) == 1);
}

bool gcm_decrypt(std::span<const std::byte, 32> key, std::span<const std::byte, 12> nonce,
                 std::span<const std::byte> authenticated, std::span<const std::byte> encrypted,
                 std::span<std::byte> plain) {
  require(encrypted.size() == plain.size() + kGcmTag);
  const Cipher cipher(EVP_CIPHER_CTX_new());
  require(cipher != nullptr);
  EVP_CIPHER_CTX* const c = cipher.get();
  std::array<std::byte, kGcmTag> tag;  // the library wants to be able to write it
  for (std::size_t i = 0; i < kGcmTag; ++i) tag[i] = encrypted[plain.size() + i];
  int n = 0;
  require(EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), nullptr, raw(key), raw(nonce)) == 1);
  require(EVP_DecryptUpdate(c, nullptr, &n, raw(authenticated), length(authenticated)) == 1);
  require(EVP_DecryptUpdate(c, raw_out(plain), &n, raw(encrypted), length(plain)) == 1);
  require(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, kGcmTag, tag.data()) == 1);
  if (EVP_DecryptFinal_ex(c, raw_out(plain) + n, &n) == 1) return true;
  wipe(plain);
  ERR_clear_error();
  return false;
}

std::array<std::byte, 32> x25519_public(std::span<const std::byte, 32> secret) {
  const Key key = private_key(secret);
  std::array<std::byte, 32> half{};
  std::size_t size = half.size();
  require(EVP_PKEY_get_raw_public_key(key.get(), raw_out(half), &size) == 1 && size == half.size());
  return half;
}

bool x25519_shared(std::span<const std::byte, 32> secret, std::span<const std::byte, 32> other,
                   std::span<std::byte, 32> shared) {
  const Key key = private_key(secret);
  const Key peer(EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, raw(other), other.size()));
  require(peer != nullptr);
  const KeyContext context(EVP_PKEY_CTX_new(key.get(), nullptr));
  require(context != nullptr && EVP_PKEY_derive_init(context.get()) == 1 &&
          EVP_PKEY_derive_set_peer(context.get(), peer.get()) == 1);
  std::size_t size = shared.size();
  // All zeros are refused by the library already; that is not left to it alone.
  const std::array<std::byte, 32> zeros{};
  if (EVP_PKEY_derive(context.get(), raw_out(shared), &size) == 1 && size == shared.size() &&
      !same_secret(shared, zeros)) {
    return true;
  }
  wipe(shared);
  ERR_clear_error();
  return false;
}

void wipe(std::span<std::byte> secret) { OPENSSL_cleanse(secret.data(), secret.size()); }

bool same_secret(std::span<const std::byte, 32> a, std::span<const std::byte, 32> b) {
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace rota::chain
