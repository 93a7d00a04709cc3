#include "chain/key.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/error.h"
#include "base/hash.h"
#include "chain/crypto.h"
#include "chain/key_text.h"

namespace rota::chain {

namespace {

using base::Error;
using base::ErrorKind;

constexpr std::string_view kSecretPrefix = "ROTA-SECRET-KEY-1";
constexpr std::string_view kPublicPrefix = "rota-pub-1-";

constexpr std::uint8_t kHasLock = 1;
constexpr unsigned kLogNLeast = 10;
constexpr unsigned kLogNMost = 15;  // 32 MiB: what stored bytes may make a reader take

/// Every key that is used with it is used once.
constexpr std::array<std::byte, 12> kNonce{};

/// What is behind `prefix` in `text`; nothing when it begins otherwise.
std::optional<std::string_view> behind(std::string_view prefix, std::string_view letters) {
  const std::string plain = plain_letters(prefix);
  if (!letters.starts_with(plain)) return std::nullopt;
  return letters.substr(plain.size());
}

/// A text that is overwritten when it is no longer needed.
struct Wiped {
  std::string text;
  ~Wiped() { wipe(std::as_writable_bytes(std::span(text))); }
};

template <std::size_t Size>
std::array<std::byte, Size> take(base::ByteReader& in) {
  const auto bytes = in.raw(Size);
  std::array<std::byte, Size> out;
  std::ranges::copy(bytes, out.begin());
  return out;
}

SecretBytes passphrase_key(std::string_view passphrase, std::span<const std::byte> salt,
                           unsigned log_n) {
  std::array<std::byte, 32> key{};
  scrypt(passphrase, salt, log_n, key);
  SecretBytes secret{std::span<const std::byte, 32>(key)};
  wipe(key);
  return secret;
}

}  // namespace

SecretBytes::SecretBytes(std::span<const std::byte, 32> bytes) {
  std::ranges::copy(bytes, bytes_.begin());
}

SecretBytes::SecretBytes(SecretBytes&& other) noexcept : bytes_(other.bytes_) {
  wipe(other.bytes_);
}

SecretBytes& SecretBytes::operator=(SecretBytes&& other) noexcept {
  if (this != &other) {
    bytes_ = other.bytes_;
    wipe(other.bytes_);
  }
  return *this;
}

SecretBytes::~SecretBytes() { wipe(bytes_); }

SecretBytes SecretBytes::random() {
  SecretBytes secret;
  base::random_bytes(secret.bytes_);
  return secret;
}

bool operator==(const SecretBytes& a, const SecretBytes& b) {
  return same_secret(a.view(), b.view());
}

SecretKey SecretKey::generate() { return SecretKey(SecretBytes::random()); }

SecretKey SecretKey::parse(std::string_view text) {
  const Wiped letters{plain_letters(text)};
  const auto body = behind(kSecretPrefix, letters.text);
  if (!body) {
    throw Error(ErrorKind::config,
                fmt::format("this is no secret key: its text begins with {}", kSecretPrefix));
  }
  base::Bytes payload = read_checked_text(*body, kSecretPrefix, 32, "the text of the secret key");
  SecretKey key{SecretBytes(std::span<const std::byte, 32>(payload))};
  wipe(payload);
  return key;
}

std::string SecretKey::text() const {
  const Wiped body{checked_text(kSecretPrefix, bytes_.view())};
  std::string text;
  text.reserve(kSecretPrefix.size() + body.text.size() * 5 / 4 + 1);
  text = kSecretPrefix;
  for (std::size_t i = 0; i < body.text.size(); ++i) {
    if (i % 4 == 0) text += '-';
    text += body.text[i];
  }
  return text;
}

std::array<std::byte, 32> SecretKey::public_key() const { return x25519_public(bytes_.view()); }

Recipient::Recipient(const SecretKey& key) : public_key_(key.public_key()) {}

Recipient Recipient::locked(const SecretKey& key, std::string_view passphrase, unsigned log_n) {
  if (log_n < kLogNLeast || log_n > kLogNMost) {
    throw Error(ErrorKind::usage, "the cost of a passphrase must be from 10 to 15");
  }
  Recipient recipient(key);
  Lock& lock = recipient.lock_.emplace(Lock{});
  lock.log_n = static_cast<std::uint8_t>(log_n);
  base::random_bytes(lock.salt);
  const SecretBytes kek = passphrase_key(passphrase, lock.salt, log_n);
  gcm_encrypt(kek.view(), kNonce, recipient.public_key_, key.bytes().view(), lock.wrapped);
  return recipient;
}

std::optional<SecretKey> Recipient::unlock(std::string_view passphrase) const {
  if (!lock_) return std::nullopt;
  const SecretBytes kek = passphrase_key(passphrase, lock_->salt, lock_->log_n);
  std::array<std::byte, 32> plain{};
  if (!gcm_decrypt(kek.view(), kNonce, public_key_, lock_->wrapped, plain)) return std::nullopt;
  SecretKey key{SecretBytes(plain)};
  wipe(plain);
  // Somebody who knows the passphrase could have locked another key behind this public half.
  if (key.public_key() != public_key_) return std::nullopt;
  return key;
}

Recipient Recipient::parse(std::string_view text) {
  const std::string letters = plain_letters(text);
  std::string_view prefix = kPublicPrefix;
  auto body = behind(kPublicPrefix, letters);
  if (!body) {
    prefix = kLockPrefix;
    body = behind(kLockPrefix, letters);
  }
  if (!body) {
    if (behind(kSecretPrefix, letters)) {
      throw Error(ErrorKind::config,
                  "this is a secret key, which belongs on paper and not here; `rota key check` "
                  "shows the recipient that belongs to it");
    }
    throw Error(ErrorKind::config, fmt::format("this is no recipient: its text begins with {} or "
                                               "{}",
                                               kPublicPrefix, kLockPrefix));
  }
  const bool locked = prefix == kLockPrefix;
  constexpr std::size_t kLockBytes = 1 + 16 + 48;
  const base::Bytes payload =
      read_checked_text(*body, prefix, locked ? 32 + kLockBytes : 32, "the text of the recipient");
  base::ByteReader in(payload);
  Recipient recipient;
  recipient.public_key_ = take<32>(in);
  if (locked) {
    try {
      recipient.decode_lock(in);
    } catch (const Error& error) {
      throw Error(ErrorKind::config, fmt::format("the recipient cannot be used: {}", error.what()));
    }
  }
  return recipient;
}

std::string Recipient::text() const {
  base::Bytes payload;
  base::ByteWriter out(payload);
  out.raw(public_key_);
  encode_lock(out);
  const std::string_view prefix = lock_ ? kLockPrefix : kPublicPrefix;
  std::string text = checked_text(prefix, payload);
  // Small letters, so that it does not look like a secret key.
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return std::string(prefix) + text;
}

std::string Recipient::short_text() const {
  const std::size_t prefix = (lock_ ? kLockPrefix : kPublicPrefix).size();
  return text().substr(0, prefix + 8) + "…";
}

void Recipient::encode(base::ByteWriter& out) const {
  out.u8(lock_ ? kHasLock : 0);
  out.raw(public_key_);
  encode_lock(out);
}

void Recipient::encode_lock(base::ByteWriter& out) const {
  if (!lock_) return;
  out.u8(lock_->log_n);
  out.raw(lock_->salt);
  out.raw(lock_->wrapped);
}

Recipient Recipient::decode(base::ByteReader& in) {
  const std::uint8_t flags = in.u8();
  if ((flags & ~kHasLock) != 0) {
    throw Error(ErrorKind::corrupt, "a recipient has flags that this version does not know");
  }
  Recipient recipient;
  recipient.public_key_ = take<32>(in);
  if ((flags & kHasLock) != 0) recipient.decode_lock(in);
  return recipient;
}

void Recipient::decode_lock(base::ByteReader& in) {
  Lock& lock = lock_.emplace(Lock{});
  lock.log_n = in.u8();
  if (lock.log_n < kLogNLeast || lock.log_n > kLogNMost) {
    throw Error(ErrorKind::corrupt, "the cost of its passphrase is not from 10 to 15");
  }
  lock.salt = take<16>(in);
  lock.wrapped = take<48>(in);
}

}  // namespace rota::chain
