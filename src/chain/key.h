#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace rota::chain {

/// 32 secret bytes. Overwritten when they are destroyed or moved from.
class SecretBytes {
 public:
  SecretBytes() = default;  ///< zeros
  explicit SecretBytes(std::span<const std::byte, 32> bytes);
  SecretBytes(const SecretBytes&) = default;
  SecretBytes& operator=(const SecretBytes&) = default;
  SecretBytes(SecretBytes&& other) noexcept;
  SecretBytes& operator=(SecretBytes&& other) noexcept;
  ~SecretBytes();
  static SecretBytes random();
  std::span<const std::byte, 32> view() const { return bytes_; }
  friend bool operator==(const SecretBytes&, const SecretBytes&);

 private:
  std::array<std::byte, 32> bytes_{};
};

/// The key of one run. Frames are encrypted with keys derived from it (cipher.h).
using RunKey = SecretBytes;

/// The private half of an X25519 key pair: opens what was encrypted for its recipient.
class SecretKey {
 public:
  static SecretKey generate();
  /// "ROTA-SECRET-KEY-1" and groups of base32 with a checksum. Throws Error(config) saying what is
  /// wrong with the text; never with the text in it.
  static SecretKey parse(std::string_view text);
  std::string text() const;
  std::array<std::byte, 32> public_key() const;
  const SecretBytes& bytes() const { return bytes_; }

 private:
  explicit SecretKey(SecretBytes bytes) : bytes_(std::move(bytes)) {}
  SecretBytes bytes_;
  friend class Recipient;
};

/// Somebody who will be able to open runs: an X25519 public key. Its private half is kept
/// elsewhere; or it travels with every run, locked by a passphrase (scrypt, N = 2^15, r = 8, p = 1,
/// then AES-256-GCM), so that the passphrase alone opens the store and the server needs neither.
class Recipient {
 public:
  explicit Recipient(const SecretKey& key);
  /// log_n: 10 to 15, how dear a guess is; less than 15 only where tests would take too long.
  static Recipient locked(const SecretKey& key, std::string_view passphrase, unsigned log_n = 15);
  /// "rota-pub-1-…" or "rota-lock-1-…", with a checksum. Throws Error(config).
  static Recipient parse(std::string_view text);
  std::string text() const;
  /// For messages: the prefix, 8 characters and "…".
  std::string short_text() const;

  const std::array<std::byte, 32>& public_key() const { return public_key_; }
  bool has_lock() const { return lock_.has_value(); }
  /// Nothing for a wrong passphrase. Takes about 0.1 s and 32 MiB.
  std::optional<SecretKey> unlock(std::string_view passphrase) const;

  /// As docs/format.md, "Encrypted objects", says.
  void encode(base::ByteWriter& out) const;
  /// Throws Error(corrupt); a scrypt cost above 2^15 too.
  static Recipient decode(base::ByteReader& in);
  friend bool operator==(const Recipient&, const Recipient&) = default;

 private:
  struct Lock {
    std::uint8_t log_n = 15;
    std::array<std::byte, 16> salt{};
    std::array<std::byte, 48> wrapped{};
    friend bool operator==(const Lock&, const Lock&) = default;
  };
  Recipient() = default;
  void encode_lock(base::ByteWriter& out) const;
  void decode_lock(base::ByteReader& in);
  std::array<std::byte, 32> public_key_{};
  std::optional<Lock> lock_;
};

inline constexpr std::size_t kMaxRecipients = 16;
/// Of the text of a recipient with a lock.
inline constexpr std::string_view kLockPrefix = "rota-lock-1-";

/// A run's key, wrapped for each recipient of its chain, in their order: X25519 with one ephemeral
/// key a run, HKDF-SHA256, AES-256-GCM. The run's name is authenticated.
struct Envelope {
  std::array<std::byte, 32> ephemeral{};
  std::vector<std::array<std::byte, 48>> wrapped;

  void encode(base::ByteWriter& out) const;
  static Envelope decode(base::ByteReader& in);
  friend bool operator==(const Envelope&, const Envelope&) = default;
};
Envelope wrap(const RunKey& key, std::span<const Recipient> recipients, std::string_view run);
/// Nothing when `secret` is none of the recipients' keys. Throws Error(corrupt) when it is, and
/// what was wrapped for it is damaged or was wrapped for another run.
std::optional<RunKey> unwrap(const Envelope& envelope, std::span<const Recipient> recipients,
                             const SecretKey& secret, std::string_view run);

/// Nobody here can open it. Of the kind config.
class NoKeyError final : public base::Error {
 public:
  explicit NoKeyError(const std::string& message) : Error(base::ErrorKind::config, message) {}
};

/// What a person has given to open runs with. One thread at a time.
class KeyRing {
 public:
  void add(SecretKey key) { keys_.push_back(std::move(key)); }
  void add_passphrase(std::string passphrase);
  /// Asked once for a passphrase when nothing else opens a run whose recipients have a lock; gives
  /// nothing where nobody can be asked.
  void set_ask(std::function<std::optional<std::string>()> ask) { ask_ = std::move(ask); }

  /// Throws NoKeyError when nothing here opens it: a sentence that says which recipients it is
  /// for (the first 8 characters behind the prefix) and what to give.
  RunKey open(const Envelope& envelope, std::span<const Recipient> recipients,
              std::string_view run);

 private:
  struct Wipe {
    void operator()(std::string* text) const;
  };
  std::vector<SecretKey> keys_;
  std::vector<std::unique_ptr<std::string, Wipe>> passphrases_;
  std::function<std::optional<std::string>()> ask_;
};

}  // namespace rota::chain
