#include "chain/clear_store.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/error.h"
#include "chain/encryption.h"

namespace rota::chain {

using base::Error;
using base::ErrorKind;

namespace {

[[noreturn]] void only_for_reading() {
  throw Error(ErrorKind::usage, "a chain that was opened for reading is not written to");
}

ObjectType type_of(const std::string& name) {
  return static_cast<ObjectType>(name.at(name.find_last_of('/') + 1));
}

}  // namespace

ClearStore::ClearStore(store::Store& store, const RunRecord& record, KeyRing* keys)
    : store_(store), record_(record), keys_(keys), run_keys_(record.envelopes.size()) {}

RunKey ClearStore::key_for(const std::string& name) const {
  // data/<chain>/<run>/<object>
  const std::size_t end = name.find_last_of('/');
  const std::size_t start = name.find_last_of('/', end - 1) + 1;
  const std::string run = name.substr(start, end - start);
  const auto found = std::ranges::find(record_.runs, run);
  if (found == record_.runs.end()) {
    throw Error(ErrorKind::corrupt, "it belongs to no run before this one");
  }
  return key_of(static_cast<std::size_t>(found - record_.runs.begin()));
}

RunKey ClearStore::key_of(std::size_t number) const {
  const std::lock_guard lock(mutex_);
  if (!run_keys_[number]) {
    KeyRing none;
    run_keys_[number] =
        (keys_ != nullptr ? *keys_ : none)
            .open(record_.envelopes[number], record_.recipients, record_.runs[number]);
  }
  return *run_keys_[number];
}

void ClearStore::check_key() const {
  if (record_.encrypted()) key_of(record_.number());
}

base::Bytes ClearStore::open(const std::string& name, base::Bytes object) const {
  if (!record_.encrypted()) return object;
  return decrypt_object(type_of(name), name, key_for(name), object);
}

base::Bytes ClearStore::get(const std::string& name, std::uint64_t limit) {
  return open(name, store_.get(name, limit));
}

std::size_t ClearStore::read_some(const std::string& name, std::uint64_t offset,
                                  std::span<std::byte> buffer) {
  if (!record_.encrypted()) return store_.read_some(name, offset, buffer);
  if (buffer.empty()) return 0;
  ObjectCipher cipher(key_for(name), name);
  const std::uint64_t first = offset / kChunkRaw;
  const std::uint64_t behind = (offset + buffer.size() + kChunkRaw - 1) / kChunkRaw;
  base::Bytes chunks(static_cast<std::size_t>((behind - first) * kChunkStored));
  chunks.resize(store_.read_some(name, kHeaderSize + first * kChunkStored, chunks));
  const base::Bytes clear = cipher.decrypt_part(chunks, first);
  const auto skip = static_cast<std::size_t>(offset - first * kChunkRaw);
  if (clear.size() <= skip) return 0;
  const std::size_t size = std::min(buffer.size(), clear.size() - skip);
  std::copy_n(clear.begin() + static_cast<std::ptrdiff_t>(skip), size, buffer.begin());
  return size;
}

void ClearStore::put(const std::string&, std::span<const std::byte>) { only_for_reading(); }
store::Removal ClearStore::remove(const std::string&) { only_for_reading(); }

}  // namespace rota::chain
