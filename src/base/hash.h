#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace rota::base {

using Sha256Digest = std::array<std::byte, 32>;
using Sha1Digest = std::array<std::byte, 20>;
using Md5Digest = std::array<std::byte, 16>;

/// A running hash (OpenSSL). Digest is one of the arrays above and selects the algorithm.
template <typename Digest>
class Hasher {
 public:
  Hasher();
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;
  ~Hasher();
  void update(std::span<const std::byte> data);
  /// The digest; the hasher starts afresh.
  Digest finish();

 private:
  evp_md_ctx_st* context_;
};

using Sha256 = Hasher<Sha256Digest>;
using Sha1 = Hasher<Sha1Digest>;
using Md5 = Hasher<Md5Digest>;

Sha256Digest sha256(std::span<const std::byte> data);

/// Lower-case hexadecimal.
std::string to_hex(std::span<const std::byte> data);
/// The reverse; throws Error(corrupt) unless `text` is exactly out.size() bytes in hexadecimal.
void from_hex(std::string_view text, std::span<std::byte> out);

/// Bytes from the kernel's random source.
void random_bytes(std::span<std::byte> out);

}  // namespace rota::base
