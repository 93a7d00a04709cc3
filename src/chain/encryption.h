#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "chain/frame.h"
#include "chain/key.h"

namespace rota::chain {

/// Encryption is a layer around whole objects (docs/format.md, "Encrypted objects"): an object as
/// it would be without it is cut into chunks, and each chunk is encrypted by itself. So extents,
/// index and local copies speak of the same places with and without it, and a part of an object can
/// be read without the rest: at most one chunk more on each side.
inline constexpr std::size_t kChunkRaw = 16 << 10;
/// A random nonce before, a tag behind each chunk.
inline constexpr std::size_t kNonceSize = 12;
inline constexpr std::size_t kTagSize = 16;
inline constexpr std::size_t kChunkStored = kNonceSize + kChunkRaw + kTagSize;

/// Encrypts and decrypts the chunks of one object: AES-256-GCM under HKDF-SHA256(run key, `place`).
/// The object's name, the chunk's number and whether it is the last are authenticated, so that
/// nothing can be cut, swapped or shown in another's place. Nonces are random: an object that is
/// put again, by a run that is resumed, never meets one again.
class ObjectCipher {
 public:
  /// place: the object's name; for a run record with what stands before its chunks.
  ObjectCipher(const RunKey& key, std::string_view place);

  /// Appends all chunks of `plain`: at least one.
  void encrypt(std::span<const std::byte> plain, base::Bytes& out) const;
  /// All chunks of an object. Throws Error(corrupt).
  base::Bytes decrypt(std::span<const std::byte> chunks) const;
  /// Whole chunks in order, the first of which has the number `first`; the last may be the object's
  /// last. Throws Error(corrupt).
  base::Bytes decrypt_part(std::span<const std::byte> chunks, std::uint64_t first) const;

 private:
  bool open(std::span<const std::byte> chunk, std::uint64_t number, bool last,
            base::Bytes& out) const;

  SecretBytes key_;
};

/// Whether an object's header says that it is encrypted. Throws as check_header() does.
bool is_encrypted(std::span<const std::byte> object, ObjectType type);

/// A volume or index object as it is put.
base::Bytes encrypt_object(ObjectType type, std::string_view name, const RunKey& key,
                           std::span<const std::byte> plain);
/// The reverse, of a whole object.
base::Bytes decrypt_object(ObjectType type, std::string_view name, const RunKey& key,
                           std::span<const std::byte> object);

/// Who can open a run: stands unencrypted in its record.
struct Lock {
  std::vector<Recipient> recipients;
  Envelope envelope;
};

/// A run record as it is put, with what opens it in front.
base::Bytes encrypt_record(std::string_view name, const RunKey& key, const Lock& lock,
                           std::span<const std::byte> plain);
/// Reads what stands in front. Throws Error(corrupt).
Lock read_lock(std::span<const std::byte> object);
base::Bytes decrypt_record(std::string_view name, const RunKey& key,
                           std::span<const std::byte> object);

/// An object that belongs to no run, with a key of its own that is wrapped in front of it as in a
/// run record, under the object's name.
base::Bytes encrypt_alone(ObjectType type, std::string_view name,
                          const std::vector<Recipient>& recipients,
                          std::span<const std::byte> plain);
/// The reverse. Throws Error(corrupt), and NoKeyError as KeyRing::open() does.
base::Bytes decrypt_alone(ObjectType type, std::string_view name, KeyRing& keys,
                          std::span<const std::byte> object);

}  // namespace rota::chain
