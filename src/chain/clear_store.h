#pragma once

#include <mutex>
#include <optional>
#include <vector>

#include "chain/key.h"
#include "chain/record.h"
#include "store/store.h"

namespace rota::chain {

/// The objects of one chain as they were before they were encrypted: who reads index and frames
/// needs to know nothing of encryption. A chain in the clear is read as it is. Only for reading.
/// Thread safe.
class ClearStore final : public store::Store {
 public:
  /// record: of a run of the chain; runs up to it can be read. It, store and keys outlive this
  /// object. keys: null for none.
  ClearStore(store::Store& store, const RunRecord& record, KeyRing* keys);

  /// Throws NoKeyError when nothing here opens the record's run.
  void check_key() const;

  /// What get() gives for an object that was read already.
  base::Bytes open(const std::string& name, base::Bytes object) const;

  base::Bytes get(const std::string& name, std::uint64_t limit) override;
  std::size_t read_some(const std::string& name, std::uint64_t offset,
                        std::span<std::byte> buffer) override;
  store::Page list(const std::string& prefix, const std::string& after,
                   std::size_t limit) override {
    return store_.list(prefix, after, limit);
  }
  std::size_t page_size() const override { return store_.page_size(); }
  store::HashKind hash_kind() const override { return store_.hash_kind(); }
  std::string description() const override { return store_.description(); }

  void put(const std::string& name, std::span<const std::byte> data) override;
  store::Removal remove(const std::string& name) override;

 private:
  RunKey key_for(const std::string& name) const;
  RunKey key_of(std::size_t number) const;

  store::Store& store_;
  const RunRecord& record_;
  KeyRing* keys_;
  mutable std::mutex mutex_;
  mutable std::vector<std::optional<RunKey>> run_keys_;  ///< by number
};

}  // namespace rota::chain
