#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/bytes.h"

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

namespace rota::chain {

/// Raw bytes in a frame at most. Each writer thread holds one such buffer.
inline constexpr std::size_t kFrameRaw = 4 << 20;
/// Raw bytes in a frame of literals, the parts of a changed file that are new. Small, so that a
/// file whose pieces lie in many runs is read with one such frame of each run in the cache.
inline constexpr std::size_t kLiteralFrameRaw = 256 << 10;
/// A volume is closed when it has reached this size: 16 MiB and at most one frame more, which
/// stays below store::kMaxObject.
inline constexpr std::size_t kVolumeSize = 16 << 20;

/// An index object is closed when it has reached this size. Smaller than a volume, because it is
/// gathered beside one.
inline constexpr std::size_t kIndexObjectSize = 4 << 20;

/// What an object is; the letter stands in its header and its name.
enum class ObjectType : char {
  volume = 'v',
  index = 'i',
  record = 'r',
  facts = 'f',
  ledger = 'l'  ///< of no run; only where it is encrypted
};

/// The version of everything that rota writes into a store. A reader refuses a newer one.
inline constexpr std::uint8_t kFormatVersion = 1;

/// Every object begins with a zstd skippable frame that says what it is, so that `zstd -d` unpacks
/// objects as they are: docs/format.md, "Objects".
inline constexpr std::size_t kHeaderSize = 16;
base::Bytes object_header(ObjectType type, std::uint8_t flags = 0);
/// The header's flag of an object that is encrypted (encryption.h).
inline constexpr std::uint8_t kFlagEncrypted = 1;
/// Returns its flags. Throws Error(corrupt) when it is no such header, Error(config) when the
/// version is newer.
std::uint8_t check_header(std::span<const std::byte> data, ObjectType type);

/// Packs frames. Keep one per thread: it holds about 1.3 MB at level 3. While it packs, it takes as
/// much again as the packed frame has.
class Compressor {
 public:
  explicit Compressor(int level);
  /// One zstd frame with its size and a checksum of the content.
  base::Bytes pack(std::span<const std::byte> raw);

 private:
  struct Free {
    void operator()(ZSTD_CCtx_s* context) const;
  };
  std::unique_ptr<ZSTD_CCtx_s, Free> context_;
};

/// Unpacks one frame that fills `packed` exactly. Throws Error(corrupt) when it is damaged or would
/// give more than `limit` bytes.
base::Bytes unpack(std::span<const std::byte> packed, std::size_t limit);

}  // namespace rota::chain
