#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/progress.h"
#include "chain/catalog.h"
#include "chain/sample.h"
#include "store/store.h"

namespace rota::chain {

/// What a verification found. Problems name objects and the runs that need them.
struct VerifyResult {
  std::uint64_t runs = 0;
  std::uint64_t objects = 0;
  std::uint64_t bytes = 0;
  std::string newest;  ///< the newest run that was looked at; empty when there is none
  std::string newest_chain;
  /// The store does not show as its newest run what this machine wrote last: more may be gone, or
  /// another's, than the problems name.
  bool not_ours = false;
  std::vector<std::string> problems;
  /// Where the problems are, in their order: runs that cannot be restored whole once and for all,
  /// or that cannot be judged. Runs that are built on these are harmed too and are not among them.
  struct Harm {
    std::string chain;  ///< empty: not of one chain, but of the store as a whole
    std::string run;
    std::size_t problem = 0;  ///< its place in `problems`
  };
  std::vector<Harm> harms;
  /// Objects below the store's prefix that no run names: they cost room and harm nothing.
  std::uint64_t unreferenced = 0;
  bool good() const { return problems.empty(); }
};

/// Checks every run of the store: that each object that its record names is there with the right
/// size and, where the store keeps one, the right hash (from listings alone: one request a thousand
/// objects); and with `data`, that each object's content has the right SHA-256, that each piece of
/// an index can be read, that runs agree on the pieces that they share, that every extent lies in
/// a volume that is there, and that the newest run of each chain has as many entries as it says.
///
/// With `sample`, the contents of the objects in it are read and hashed, and no more.
///
/// Volumes and index objects are asked for once. Memory: the listing and the volumes' sizes of one
/// chain. Disk: the index of a chain's newest run, and of one run, in a file without a name
/// (base::open_temporary).
///
/// keys: for encrypted chains; null for none. Without a key the index is not looked into: that its
/// objects are the right ones is known from their hashes, if copies of the records are here. Throws
/// NoKeyError where they are not.
VerifyResult verify(store::Store& store, const LocalState* state, bool data,
                    base::Progress& progress, const std::stop_token& stop,
                    const std::optional<Sample>& sample = std::nullopt, KeyRing* keys = nullptr);
/// The same with the catalog of that store, made with the same state and keys.
VerifyResult verify(store::Store& store, const Catalog& catalog, const LocalState* state, bool data,
                    base::Progress& progress, const std::stop_token& stop,
                    const std::optional<Sample>& sample, KeyRing* keys);

}  // namespace rota::chain
