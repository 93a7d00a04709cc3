#include "chain/verify.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/signals.h"
#include "chain/clear_store.h"
#include "chain/piece.h"

namespace rota::chain {

using base::Error;
using base::ErrorKind;

namespace {

/// The names and sizes of a chain's objects as the store lists them. One chain at a time is held:
/// 100 bytes for each 16 MiB.
using Listing = std::map<std::string, store::ObjectInfo>;

class Verifier {
 public:
  Verifier(store::Store& store, const Catalog& catalog, KeyRing* keys, bool data,
           base::Progress& progress, const std::stop_token& stop)
      : store_(store),
        catalog_(catalog),
        keys_(keys),
        data_(data),
        progress_(progress),
        stop_(stop) {}

  void chain(const ChainInfo& chain) {
    Listing listing;
    store::for_each_object(store_, fmt::format("{}{}/", kDataPrefix, chain.chain),
                           [&](const store::ObjectInfo& object) {
                             listing.emplace(object.name, object);
                             if (data_) progress_.total_bytes += object.size;
                           });
    std::string parent;
    base::Sha256Digest parent_sha256{};
    for (const RunInfo& run : chain.runs) {
      base::check_stop(stop_);
      ++result.runs;
      try {
        const base::Bytes bytes =
            store_.get(record_name(run.chain, run.run, run.kind), store::kMaxObject);
        const RunRecord record = catalog_.open_record(run, bytes).record;
        if (record.parent != parent ||
            (record.parent_sha256 && *record.parent_sha256 != parent_sha256)) {
          throw Error(ErrorKind::corrupt, "the run before it is not the one that it was built on");
        }
        parent = run.run;
        parent_sha256 = base::sha256(bytes);
        newest_sha256 = parent_sha256;
        ++result.objects;
        result.bytes += bytes.size();
        objects(record, listing);
        if (data_) index(record);
      } catch (const Error& error) {
        if (!is_damage(error)) throw;
        result.problems.push_back(fmt::format("run {}: {}", run.run, error.what()));
        parent = run.run;
      }
    }
    for (const RunInfo& run : chain.stray) {
      result.problems.push_back(fmt::format("run {}: {}", run.run, why_stray(run, chain)));
    }
    result.unreferenced += listing.size();
  }

  VerifyResult result;
  base::Sha256Digest newest_sha256{};  ///< of the last good record that was looked at

 private:
  static bool is_damage(const Error& error) {
    return error.kind() == ErrorKind::corrupt || error.kind() == ErrorKind::not_found ||
           error.kind() == ErrorKind::config;
  }

  std::string why_stray(const RunInfo& run, const ChainInfo& chain) {
    try {
      const RunRecord record = catalog_.open_record(run).record;
      for (const std::string& needed : record.runs) {
        const auto is_it = [&](const RunInfo& other) { return other.run == needed; };
        if (std::ranges::none_of(chain.runs, is_it) && std::ranges::none_of(chain.stray, is_it)) {
          return fmt::format("the run {} that it is built on is missing", needed);
        }
      }
      return "a run that it is built on is missing or damaged";
    } catch (const Error& error) {
      if (!is_damage(error)) throw;
      return fmt::format("its record is damaged: {}", error.what());
    }
  }

  void objects(const RunRecord& record, Listing& listing) {
    for (const ObjectRow& row : record.objects) {
      base::check_stop(stop_);
      const std::string name =
          object_name(record.chain, record.run, static_cast<char>(row.type), row.number);
      ++result.objects;
      ++progress_.files;
      const auto found = listing.find(name);
      if (found == listing.end()) {
        result.problems.push_back(fmt::format("{} is missing", name));
        continue;
      }
      const store::ObjectInfo listed = found->second;
      listing.erase(found);
      if (listed.size != row.size) {
        result.problems.push_back(
            fmt::format("{} has {} bytes and should have {}", name, listed.size, row.size));
        continue;
      }
      if (!row.store_hash.empty() && !listed.hash.empty() && listed.hash != row.store_hash) {
        result.problems.push_back(fmt::format("{} has another hash in the store's listing", name));
        continue;
      }
      if (data_) content(name, row);
    }
  }

  void content(const std::string& name, const ObjectRow& row) {
    try {
      const base::Bytes bytes = store_.get(name, store::kMaxObject);
      result.bytes += bytes.size();
      progress_.bytes += bytes.size();
      if (base::sha256(bytes) != row.sha256) throw Error(ErrorKind::corrupt, "its hash is wrong");
      check_header(bytes, row.type);
    } catch (const Error& error) {
      if (!is_damage(error)) throw;
      result.problems.push_back(fmt::format("{} is damaged: {}", name, error.what()));
    }
  }

  /// Every entry of the run: that the index can be read, and that no extent reaches outside.
  void index(const RunRecord& record) {
    if (record.encrypted() && keys_ == nullptr) return;
    ClearStore clear(store_, record, keys_);
    IndexObjects objects(clear, record.chain, "", record.encrypted());
    IndexView view(objects, record, true);
    IndexRecord entry;
    std::uint64_t entries = 0;
    while (view.next(entry)) {
      ++entries;
      std::uint64_t size = 0;
      for (std::size_t i = 0; entry.extents && i < entry.extents->size(); ++i) {
        const Extent extent = entry.extents->at(i);
        size += extent.length;
        if (!extent.hole() && extent.run >= record.runs.size()) {
          throw Error(ErrorKind::corrupt, "its index names a run that its chain does not have");
        }
      }
      if (size != entry.entry.size) {
        throw Error(ErrorKind::corrupt, "the index does not cover the whole of a file");
      }
    }
    if (entries != record.files) {
      throw Error(ErrorKind::corrupt, fmt::format("its index has {} entries and should have {}",
                                                  entries, record.files));
    }
  }

  store::Store& store_;
  const Catalog& catalog_;
  KeyRing* keys_;
  bool data_;
  base::Progress& progress_;
  std::stop_token stop_;
};

}  // namespace

VerifyResult verify(store::Store& store, const LocalState* state, bool data,
                    base::Progress& progress, const std::stop_token& stop, KeyRing* keys) {
  progress.set_activity(data ? "verifying all data" : "verifying from the listing");
  const Catalog catalog(store, state, keys);
  Verifier verifier(store, catalog, keys, data, progress, stop);
  for (const ChainInfo& chain : catalog.chains()) verifier.chain(chain);
  for (const ChainInfo& chain : catalog.broken()) {
    verifier.result.problems.push_back(
        fmt::format("chain {}: its full is missing or damaged; {} runs cannot be restored",
                    chain.chain, chain.stray.size()));
  }
  if (const RunInfo* newest = catalog.newest()) verifier.result.newest = newest->run;
  // No later run vouches for the newest; only who wrote it can miss it, or tell that it changed.
  if (const auto last = state != nullptr ? state->last() : std::nullopt) {
    if (last->run != verifier.result.newest) {
      verifier.result.problems.push_back(fmt::format(
          "run {}: this machine wrote it last, and the store does not show it as the newest",
          last->run));
    } else if (last->record_sha256 != verifier.newest_sha256) {
      verifier.result.problems.push_back(
          fmt::format("run {}: its record is not the one that this machine wrote", last->run));
    }
  }
  return verifier.result;
}

}  // namespace rota::chain
