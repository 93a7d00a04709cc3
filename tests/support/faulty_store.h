#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <utility>

#include "store/store.h"

namespace rota::test {

/// One call to a store, as a fault sees it.
struct StoreCall {
  enum class Kind { put, get, read, list, remove };
  Kind kind;
  std::string name;      ///< of the object; the prefix of a listing
  std::uint64_t number;  ///< 1 for the first call of this wrapper
};

/// What a fault does with a call: pass it on, or fail before or after it took effect.
enum class Fault { none, fail_before, fail_after };

/// A store that fails as it is told: faults are data handed to a wrapper. A failing call throws
/// Error(unavailable). The rule is called from whatever thread makes the call.
class FaultyStore final : public store::Store {
 public:
  using Rule = std::function<Fault(const StoreCall&)>;
  FaultyStore(store::Store& inner, Rule rule) : inner_(inner), rule_(std::move(rule)) {}

  void put(const std::string& name, std::span<const std::byte> data) override;
  base::Bytes get(const std::string& name, std::uint64_t limit) override;
  std::size_t read_some(const std::string& name, std::uint64_t offset,
                        std::span<std::byte> buffer) override;
  store::Page list(const std::string& prefix, const std::string& after, std::size_t limit) override;
  store::Removal remove(const std::string& name) override;
  void set_lock(const std::optional<store::ObjectLock>& lock) override { inner_.set_lock(lock); }
  store::HashKind hash_kind() const override { return inner_.hash_kind(); }
  std::optional<base::Instant> now() override { return inner_.now(); }
  std::string description() const override { return inner_.description(); }

  std::uint64_t calls() const { return calls_; }

 private:
  template <typename Action>
  auto guarded(StoreCall::Kind kind, const std::string& name, Action action);

  store::Store& inner_;
  Rule rule_;
  std::atomic<std::uint64_t> calls_{0};
};

}  // namespace rota::test
