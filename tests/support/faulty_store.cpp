#include "support/faulty_store.h"

#include <fmt/format.h>

#include <type_traits>

#include "base/error.h"

namespace rota::test {

template <typename Action>
auto FaultyStore::guarded(StoreCall::Kind kind, const std::string& name, Action action) {
  const StoreCall call{kind, name, ++calls_};
  const auto fail = [&](const char* when) {
    throw base::Error(base::ErrorKind::unavailable,
                      fmt::format("injected failure {} call {} ({})", when, call.number, name));
  };
  const Fault fault = rule_(call);
  if (fault == Fault::fail_before) fail("before");
  if constexpr (std::is_void_v<decltype(action())>) {
    action();
    if (fault == Fault::fail_after) fail("after");
  } else {
    auto result = action();
    if (fault == Fault::fail_after) fail("after");
    return result;
  }
}

void FaultyStore::put(const std::string& name, std::span<const std::byte> data) {
  guarded(StoreCall::Kind::put, name, [&] { inner_.put(name, data); });
}

base::Bytes FaultyStore::get(const std::string& name, std::uint64_t limit) {
  return guarded(StoreCall::Kind::get, name, [&] { return inner_.get(name, limit); });
}

std::size_t FaultyStore::read_some(const std::string& name, std::uint64_t offset,
                                   std::span<std::byte> buffer) {
  return guarded(StoreCall::Kind::read, name,
                 [&] { return inner_.read_some(name, offset, buffer); });
}

store::Page FaultyStore::list(const std::string& prefix, const std::string& after,
                              std::size_t limit) {
  return guarded(StoreCall::Kind::list, prefix, [&] { return inner_.list(prefix, after, limit); });
}

store::Removal FaultyStore::remove(const std::string& name) {
  return guarded(StoreCall::Kind::remove, name, [&] { return inner_.remove(name); });
}

}  // namespace rota::test
