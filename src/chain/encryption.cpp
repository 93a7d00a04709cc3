#include "chain/encryption.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <string>

#include "base/error.h"
#include "base/hash.h"
#include "chain/crypto.h"
#include "store/store.h"

namespace rota::chain {

using base::Error;
using base::ErrorKind;

namespace {

[[noreturn]] void damaged() {
  throw Error(ErrorKind::corrupt, "it was changed, or belongs elsewhere: its encryption is broken");
}

SecretBytes derive(const RunKey& key, std::string_view place) {
  constexpr std::array<std::byte, 32> kNoSalt{};  // RFC 5869: as if there were none
  std::array<std::byte, 32> out{};
  hkdf_sha256(key.view(), kNoSalt, fmt::format("rota object 1 {}", place), out);
  return SecretBytes(out);
}

base::Bytes place_of(std::uint64_t number, bool last) {
  base::Bytes bytes;
  base::ByteWriter out(bytes);
  out.u64(number);
  out.u8(last ? 1 : 0);
  return bytes;
}

constexpr std::size_t kMaxLock = 64 << 10;

/// The part of a record object before its chunks.
std::size_t front_size(std::span<const std::byte> object) {
  base::ByteReader in(object);
  in.raw(kHeaderSize);
  const std::uint32_t length = in.u32();
  if (length > kMaxLock || length > in.left()) {
    throw Error(ErrorKind::corrupt, "what says who can open it is damaged");
  }
  return kHeaderSize + 4 + length;
}

std::string record_place(std::string_view name, std::span<const std::byte> front) {
  return fmt::format("{} {}", name, base::to_hex(base::sha256(front)));
}

}  // namespace

ObjectCipher::ObjectCipher(const RunKey& key, std::string_view place) : key_(derive(key, place)) {}

void ObjectCipher::encrypt(std::span<const std::byte> plain, base::Bytes& out) const {
  const std::size_t count = std::max<std::size_t>(1, (plain.size() + kChunkRaw - 1) / kChunkRaw);
  std::size_t end = out.size();
  out.resize(end + plain.size() + count * (kNonceSize + kTagSize));
  base::Bytes nonces(count * kNonceSize);
  base::random_bytes(nonces);
  for (std::size_t i = 0; i < count; ++i) {
    const auto part = plain.first(std::min(plain.size(), kChunkRaw));
    plain = plain.subspan(part.size());
    const auto nonce = std::span(nonces).subspan(i * kNonceSize).first<kNonceSize>();
    const auto chunk = std::span(out).subspan(end, kNonceSize + part.size() + kTagSize);
    std::ranges::copy(nonce, chunk.begin());
    gcm_encrypt(key_.view(), nonce, place_of(i, i + 1 == count), part, chunk.subspan(kNonceSize));
    end += chunk.size();
  }
}

bool ObjectCipher::open(std::span<const std::byte> chunk, std::uint64_t number, bool last,
                        base::Bytes& out) const {
  const std::size_t start = out.size();
  out.resize(start + chunk.size() - kNonceSize - kTagSize);
  const bool good = gcm_decrypt(key_.view(), chunk.first<kNonceSize>(), place_of(number, last),
                                chunk.subspan(kNonceSize), std::span(out).subspan(start));
  if (!good) out.resize(start);  // nothing of it is shown to anybody
  return good;
}

base::Bytes ObjectCipher::decrypt(std::span<const std::byte> chunks) const {
  base::Bytes out;
  out.reserve(chunks.size());
  for (std::uint64_t number = 0;; ++number) {
    const bool last = chunks.size() <= kChunkStored;
    const auto chunk = chunks.first(std::min(chunks.size(), kChunkStored));
    if (chunk.size() < kNonceSize + kTagSize || !open(chunk, number, last, out)) damaged();
    chunks = chunks.subspan(chunk.size());
    if (last) return out;
  }
}

base::Bytes ObjectCipher::decrypt_part(std::span<const std::byte> chunks,
                                       std::uint64_t first) const {
  base::Bytes out;
  out.reserve(chunks.size());
  for (std::uint64_t number = first; !chunks.empty(); ++number) {
    const auto chunk = chunks.first(std::min(chunks.size(), kChunkStored));
    chunks = chunks.subspan(chunk.size());
    if (chunk.size() < kNonceSize + kTagSize) damaged();
    // Only the object's last chunk may be short, and a whole one may be the last too.
    const bool whole = chunk.size() == kChunkStored;
    if (whole && open(chunk, number, false, out)) continue;
    if (!chunks.empty() || !open(chunk, number, true, out)) damaged();
  }
  return out;
}

bool is_encrypted(std::span<const std::byte> object, ObjectType type) {
  return check_header(object, type) == kFlagEncrypted;
}

base::Bytes encrypt_object(ObjectType type, std::string_view name, const RunKey& key,
                           std::span<const std::byte> plain) {
  base::Bytes object = object_header(type, kFlagEncrypted);
  ObjectCipher(key, name).encrypt(plain, object);
  return object;
}

base::Bytes decrypt_object(ObjectType type, std::string_view name, const RunKey& key,
                           std::span<const std::byte> object) {
  if (!is_encrypted(object, type)) {
    throw Error(ErrorKind::corrupt, "it is not encrypted, and its run is");
  }
  return ObjectCipher(key, name).decrypt(object.subspan(kHeaderSize));
}

namespace {

base::Bytes encrypt_with_lock(ObjectType type, std::string_view name, const RunKey& key,
                              const Lock& lock, std::span<const std::byte> plain) {
  base::Bytes who;
  base::ByteWriter writer(who);
  writer.varint(lock.recipients.size());
  for (const Recipient& recipient : lock.recipients) recipient.encode(writer);
  lock.envelope.encode(writer);
  base::Bytes object = object_header(type, kFlagEncrypted);
  base::ByteWriter out(object);
  out.u32(static_cast<std::uint32_t>(who.size()));
  out.raw(who);
  ObjectCipher(key, record_place(name, object)).encrypt(plain, object);
  return object;
}

}  // namespace

base::Bytes encrypt_record(std::string_view name, const RunKey& key, const Lock& lock,
                           std::span<const std::byte> plain) {
  return encrypt_with_lock(ObjectType::record, name, key, lock, plain);
}

base::Bytes encrypt_alone(ObjectType type, std::string_view name,
                          const std::vector<Recipient>& recipients,
                          std::span<const std::byte> plain) {
  const RunKey key = RunKey::random();
  return encrypt_with_lock(type, name, key, {recipients, wrap(key, recipients, name)}, plain);
}

base::Bytes decrypt_alone(ObjectType type, std::string_view name, KeyRing& keys,
                          std::span<const std::byte> object) {
  if (!is_encrypted(object, type)) throw Error(ErrorKind::corrupt, "it is not encrypted");
  const Lock lock = read_lock(object);
  const RunKey key = keys.open(lock.envelope, lock.recipients, name);
  // Laid out as a record is: what differs is its name.
  return decrypt_record(name, key, object);
}

Lock read_lock(std::span<const std::byte> object) {
  const std::size_t front = front_size(object);
  base::ByteReader in(object.subspan(kHeaderSize + 4, front - kHeaderSize - 4));
  Lock lock;
  const std::uint64_t count = in.varint_max(kMaxRecipients);
  for (std::uint64_t i = 0; i < count; ++i) lock.recipients.push_back(Recipient::decode(in));
  lock.envelope = Envelope::decode(in);
  if (!in.at_end() || count == 0 || lock.envelope.wrapped.size() != count) {
    throw Error(ErrorKind::corrupt, "what says who can open it is damaged");
  }
  return lock;
}

base::Bytes decrypt_record(std::string_view name, const RunKey& key,
                           std::span<const std::byte> object) {
  const std::size_t front = front_size(object);
  return ObjectCipher(key, record_place(name, object.first(front))).decrypt(object.subspan(front));
}

}  // namespace rota::chain
