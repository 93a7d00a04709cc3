#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "base/progress.h"
#include "chain/catalog.h"
#include "store/store.h"

namespace rota::chain {

/// What a verification found. Problems name objects and the runs that need them.
struct VerifyResult {
  std::uint64_t runs = 0;
  std::uint64_t objects = 0;
  std::uint64_t bytes = 0;
  std::string newest;  ///< the newest run that was looked at; empty when there is none
  std::vector<std::string> problems;
  /// Objects below the store's prefix that no run names: they cost room and harm nothing.
  std::uint64_t unreferenced = 0;
  bool good() const { return problems.empty(); }
};

/// Checks every run of the store: that each object that its record names is there with the right
/// size and, where the store keeps one, the right hash (from listings alone: one request a thousand
/// objects); and with `data`, that each object's content has the right SHA-256, is made of whole
/// frames, and that the index of each run can be read and points into frames that are there.
/// keys: for encrypted chains; null for none. Without a key the index is not looked into: that its
/// objects are the right ones is known from their hashes, which copies of the records have here.
VerifyResult verify(store::Store& store, const LocalState* state, bool data,
                    base::Progress& progress, const std::stop_token& stop, KeyRing* keys = nullptr);

}  // namespace rota::chain
