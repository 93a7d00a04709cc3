#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"

namespace rota::store {

/// The hash that a store itself keeps of every object and shows in its listing.
enum class HashKind { none, sha1, md5 };

/// "", "sha1", "md5".
std::string_view hash_name(HashKind kind);

/// One object as a listing shows it.
struct ObjectInfo {
  std::string name;
  std::uint64_t size = 0;
  std::string hash;  ///< in hexadecimal; empty where the store keeps none
};

/// One page of a listing, names in bytewise order.
struct Page {
  std::vector<ObjectInfo> objects;
  bool more = false;  ///< ask again with `after` = the last name
};

/// What became of an object that was to be removed.
enum class Removal {
  gone,    ///< it is removed, with all its versions
  hidden,  ///< the key may not delete: the object is hidden, and the store's own rules delete it
  later    ///< it is still there: locked until a date, or the key can neither delete nor hide it
};

/// Until when nobody may delete an object, where a store can promise that.
struct ObjectLock {
  /// governance: who holds a special right may lift it. compliance: nobody can, the owner of the
  /// account included.
  enum class Mode { governance, compliance };
  base::Instant until;
  Mode mode = Mode::governance;
};

/// Named immutable objects: where chains live. An object appears whole or not at all, and is
/// durable when put() has returned. May be used from several threads at once.
///
/// Errors: not_found (the object is absent), unavailable (may work later), refused (credentials or
/// a lock forbid it), corrupt (what arrived is not what the store says it holds), io.
class Store {
 public:
  virtual ~Store() = default;

  /// Puts an object. Putting a name again replaces it in one atomic step. `data` is at most
  /// kMaxPut bytes.
  virtual void put(const std::string& name, std::span<const std::byte> data) = 0;

  /// The whole object, which must not be larger than `limit`.
  virtual base::Bytes get(const std::string& name, std::uint64_t limit) = 0;

  /// Reads from `offset` on, as much as the buffer holds; less only where the object ends. Returns
  /// how much. An offset behind the end gives 0 or corrupt.
  virtual std::size_t read_some(const std::string& name, std::uint64_t offset,
                                std::span<std::byte> buffer) = 0;

  /// Exactly buffer.size() bytes from `offset`. Throws corrupt when the object ends before.
  void read(const std::string& name, std::uint64_t offset, std::span<std::byte> buffer);

  /// Objects whose names start with `prefix` and sort behind `after`, at most `limit` of them.
  virtual Page list(const std::string& prefix, const std::string& after, std::size_t limit) = 0;

  /// How many objects a page of a long listing should have. A store that reads a whole directory
  /// for each page says many, or its cost would grow with the square of what is stored.
  virtual std::size_t page_size() const { return 1000; }

  /// Removes an object; absent is not an error.
  virtual Removal remove(const std::string& name) = 0;

  /// Locks every object that is put from now on; nothing: no longer. Call it while no put is
  /// running. Throws Error(config) where the store has no locks.
  virtual void set_lock(const std::optional<ObjectLock>& lock);

  /// How many puts at once are worth their memory (24 MiB each, and as much again while they are
  /// encrypted): more than one where each waits for a network.
  virtual unsigned connections() const { return 1; }

  virtual HashKind hash_kind() const = 0;

  /// The store's own time, where it has one: a wrong clock must not make old look young.
  virtual std::optional<base::Instant> now() { return std::nullopt; }

  /// For messages: "file:///srv/backup". Never with a secret in it.
  virtual std::string description() const = 0;
};

/// No object but a run record is larger: it fits a known buffer.
inline constexpr std::uint64_t kMaxObject = 24 << 20;

/// What a store takes at most, in one part. A run record names every object of its run, about 70
/// bytes for each: this is room for those of 28 TB.
inline constexpr std::uint64_t kMaxPut = 128 << 20;

/// Puts at once in stores behind a network: one sends while the others wait for their answers. With
/// 50 ms of latency three reach 0.80 of the speed without (docs/benchmarks.md).
inline constexpr unsigned kConnections = 3;

/// Names are made of [A-Za-z0-9._-] components joined by '/', none of them starting with '.', at
/// most 512 bytes. Throws Error(usage) otherwise.
void check_name(std::string_view name);

/// Throws Error(usage) unless an object of so many bytes may be put. store: its description.
void check_size(const std::string& name, std::uint64_t size, const std::string& store);

/// The same as a question, for listings of places where others may have put things too.
bool is_name(std::string_view name);

/// The hash of `data` that a store of this kind would keep, in hexadecimal; empty for none.
std::string object_hash(HashKind kind, std::span<const std::byte> data);

/// Every object below `prefix`, page by page; calls `each` in name order. Memory: one page, some
/// 200 bytes for each object of it.
template <typename Each>
void for_each_object(Store& store, const std::string& prefix, Each each) {
  std::string after;
  for (;;) {
    const Page page = store.list(prefix, after, store.page_size());
    for (const ObjectInfo& object : page.objects) each(object);
    if (!page.more || page.objects.empty()) return;
    after = page.objects.back().name;
  }
}

}  // namespace rota::store
