#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "store/store.h"

namespace rota::test {

/// A kind of store that the contract tests run against.
struct StoreUnderTest {
  std::string name;
  /// A new and empty store. Several may live at once; none outlives this row.
  std::function<std::unique_ptr<store::Store>()> make;
  /// A call costs a round trip: sweeps try their borders only.
  bool remote = false;
  /// While an object is replaced, who reads it may find none for a moment.
  bool may_miss = false;
};

/// The table, in stores.cpp: a new kind of store is one row there. A store whose server is not
/// installed leaves its row out and calls skip().
std::vector<StoreUnderTest> stores_under_test();

}  // namespace rota::test
