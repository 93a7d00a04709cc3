#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

namespace rota::chain {

// The few primitives that encryption stands on, all OpenSSL's. None keeps a copy of what is secret
// behind the caller's back. Error(io) when the library itself fails.

inline constexpr std::size_t kGcmTag = 16;

/// RFC 5869, 32 bytes of it.
void hkdf_sha256(std::span<const std::byte> secret, std::span<const std::byte> salt,
                 std::string_view info, std::span<std::byte, 32> out);

/// RFC 7914 with r = 8, p = 1 and N = 2^log_n; takes 2^(log_n + 10) bytes of memory.
void scrypt(std::string_view passphrase, std::span<const std::byte> salt, unsigned log_n,
            std::span<std::byte, 32> out);

/// AES-256-GCM of a short text; the tag stands behind it. encrypted: plain.size() + kGcmTag bytes.
void gcm_encrypt(std::span<const std::byte, 32> key, std::span<const std::byte, 12> nonce,
                 std::span<const std::byte> authenticated, std::span<const std::byte> plain,
                 std::span<std::byte> encrypted);

/// False, and zeros in `plain`, unless all of it is what gcm_encrypt() made.
/// plain: encrypted.size() - kGcmTag bytes.
bool gcm_decrypt(std::span<const std::byte, 32> key, std::span<const std::byte, 12> nonce,
                 std::span<const std::byte> authenticated, std::span<const std::byte> encrypted,
                 std::span<std::byte> plain);

/// RFC 7748: the public half of a private key (any 32 bytes).
std::array<std::byte, 32> x25519_public(std::span<const std::byte, 32> secret);

/// The secret that two key pairs share. False when it is all zeros, which says that `other` is not
/// a public key that anybody made (RFC 7748, section 6.1).
bool x25519_shared(std::span<const std::byte, 32> secret, std::span<const std::byte, 32> other,
                   std::span<std::byte, 32> shared);

/// Overwrites in a way that no compiler leaves out.
void wipe(std::span<std::byte> secret);

/// Takes the same time wherever the difference is.
bool same_secret(std::span<const std::byte, 32> a, std::span<const std::byte, 32> b);

}  // namespace rota::chain
