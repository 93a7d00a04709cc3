#include "chain/verify.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/signals.h"
#include "base/text.h"
#include "chain/clear_store.h"
#include "chain/piece.h"

namespace rota::chain {

using base::Error;
using base::ErrorKind;

namespace {

/// The names and sizes of a chain's objects as the store lists them. One chain at a time is held:
/// 100 bytes for each 16 MiB.
using Listing = std::map<std::string, store::ObjectInfo>;

/// What several runs say of one piece, so that it is read once.
base::Sha256Digest digest_of(const Piece& piece) {
  base::Bytes bytes;
  base::ByteWriter out(bytes);
  out.u32(piece.span);
  out.u64(piece.entries);
  for (const ObjectRow& object : piece.objects) {
    out.u32(object.number);
    out.u64(object.size);
    out.raw(object.sha256);
  }
  for (const BlockRow& block : piece.blocks) {
    out.u32(block.object);
    out.u32(block.position);
    out.u32(block.size);
    out.string(block.first_path);
  }
  return base::sha256(bytes);
}

class Verifier {
 public:
  Verifier(store::Store& store, const Catalog& catalog, KeyRing* keys, bool data,
           const std::optional<Sample>& sample, base::Progress& progress,
           const std::stop_token& stop)
      : store_(store),
        catalog_(catalog),
        keys_(keys),
        data_(data),
        sample_(sample),
        progress_(progress),
        stop_(stop) {}

  void chain(const ChainInfo& chain) {
    begin(chain);
    Listing listing;
    listing_ = &listing;
    store::for_each_object(store_, fmt::format("{}{}/", kDataPrefix, chain.chain),
                           [&](const store::ObjectInfo& object) {
                             listing.emplace(object.name, object);
                             if (is_read(object.name)) progress_.total_bytes += object.size;
                           });
    Parent parent;
    for (const RunInfo& run : chain.runs) {
      base::check_stop(stop_);
      ++result.runs;
      run_ = &run;
      newest_sha256.reset();
      const Parent before = std::exchange(parent, {run.run, std::nullopt});
      try {
        const base::Bytes bytes =
            store_.get(record_name(run.chain, run.run, run.kind), store::kMaxPut);
        newest_sha256 = base::sha256(bytes);
        const RunRecord record = catalog_.open_record(run, bytes).record;
        parent.sha256 = newest_sha256;
        check_parent(record, before, chain);
        ++result.objects;
        result.bytes += bytes.size();
        const bool opens = data_ && (!record.encrypted() || keys_ != nullptr);
        ClearStore clear(store_, record, keys_);
        IndexObjects passing(clear, chain.chain, "", record.encrypted());
        IndexObjects& index = shared_.contains(record.number()) ? *merged_ : passing;
        objects(record, listing, opens ? &index : nullptr, clear);
        if (opens) pieces(record, index);
        if (opens && &run == &chain.runs.back()) entries(record);
      } catch (const Error& error) {
        if (!is_damage(error)) throw;
        if (parent.sha256) {
          problem(fmt::format("run {}: {}", run.run, error.what()));
        } else {
          problem(
              fmt::format("run {}: its record cannot be read ({}); so nobody knows which objects "
                          "it should have, and they were not looked at; runs that are built on it "
                          "may lack some",
                          run.run, error.what()));
        }
      }
    }
    strays(chain);
    result.unreferenced += listing.size();
  }

  void strays(const ChainInfo& chain) {
    for (const RunInfo& run : chain.stray) {
      run_ = &run;
      problem(fmt::format("run {}: {}", run.run, why_stray(run)));
    }
    run_ = nullptr;
  }

  /// Of the run that is looked at.
  void problem(std::string text) {
    result.harms.push_back({run_ != nullptr ? run_->chain : "", run_ != nullptr ? run_->run : "",
                            result.problems.size()});
    result.problems.push_back(std::move(text));
  }

  VerifyResult result;
  /// Of the record's object of the last run that was looked at; nothing when it cannot be read.
  std::optional<base::Sha256Digest> newest_sha256;

 private:
  /// The run before the one that is looked at, and what its record is; nothing when it is damaged,
  /// which was told then.
  struct Parent {
    std::string run;
    std::optional<base::Sha256Digest> sha256;
  };

  void check_parent(const RunRecord& record, const Parent& before, const ChainInfo& chain) {
    if (record.parent == before.run) {
      if (!record.parent_sha256 || !before.sha256 || *record.parent_sha256 == *before.sha256) {
        return;
      }
    } else if (std::ranges::find(chain.missing, record.parent) != chain.missing.end()) {
      // Each missing run is told of where the next that is there is.
      for (auto name = record.runs.rbegin() + 1; name != record.runs.rend() && *name != before.run;
           ++name) {
        problem(
            fmt::format("run {}: its record is missing; so nobody knows which objects it "
                        "should have, and they were not looked at; run {} and those behind it "
                        "are built on it and may lack some",
                        *name, record.run));
      }
      return;
    }
    problem(
        fmt::format("run {}: the run before it, {}, is not the one that it was built on: its "
                    "record was replaced",
                    record.run, record.parent));
  }

  static bool is_damage(const Error& error) {
    if (dynamic_cast<const NoKeyError*>(&error) != nullptr) return false;
    return error.kind() == ErrorKind::corrupt || error.kind() == ErrorKind::not_found ||
           error.kind() == ErrorKind::config;
  }

  std::string why_stray(const RunInfo& run) {
    try {
      catalog_.open_record(run);
      return "no run of its chain is built on it";
    } catch (const Error& error) {
      if (!is_damage(error)) throw;
      return error.what();
    }
  }

  bool is_read(const std::string& name) const {
    return data_ || (sample_ && sample_->contains(name));
  }

  void begin(const ChainInfo& chain) {
    sizes_.clear();
    seen_.clear();
    shared_.clear();
    index_is_whole_ = true;
    newest_ = RunRecord();
    merged_.reset();
    clear_.reset();
    if (!data_) return;
    try {
      newest_ = catalog_.record(chain.runs.back());
      for (const Piece& piece : newest_.pieces) shared_.insert(piece.run);
      clear_ = std::make_unique<ClearStore>(store_, newest_, keys_);
      merged_ = std::make_unique<IndexObjects>(*clear_, chain.chain, "", newest_.encrypted());
    } catch (const Error& error) {
      if (!is_damage(error)) throw;  // it is told of when its turn comes
    }
  }

  /// index: keeps the run's index objects that are right, in the clear; null where nobody can read
  /// them.
  void objects(const RunRecord& record, Listing& listing, IndexObjects* index,
               const ClearStore& clear) {
    std::map<std::uint32_t, std::uint64_t>& sizes = sizes_[record.number()];
    for (const ObjectRow& row : record.objects) {
      base::check_stop(stop_);
      const std::string name =
          object_name(record.chain, record.run, static_cast<char>(row.type), row.number);
      if (row.type == ObjectType::volume) sizes[row.number] = row.size;
      ++result.objects;
      ++progress_.files;
      const auto found = listing.find(name);
      if (found == listing.end()) {
        problem(fmt::format("{} is missing", name));
        continue;
      }
      const store::ObjectInfo listed = found->second;
      listing.erase(found);
      if (listed.size != row.size) {
        problem(fmt::format("{} has {} bytes and should have {}", name, listed.size, row.size));
        continue;
      }
      if (!row.store_hash.empty() && !listed.hash.empty() && listed.hash != row.store_hash) {
        problem(fmt::format("{} has another hash in the store's listing", name));
        continue;
      }
      if (is_read(name)) content(name, record.run, row, index, clear);
    }
  }

  void content(const std::string& name, const std::string& run, const ObjectRow& row,
               IndexObjects* index, const ClearStore& clear) {
    try {
      base::Bytes bytes = store_.get(name, store::kMaxObject);
      result.bytes += bytes.size();
      progress_.bytes += bytes.size();
      if (base::sha256(bytes) != row.sha256) throw Error(ErrorKind::corrupt, "its hash is wrong");
      check_header(bytes, row.type);
      if (index != nullptr && row.type == ObjectType::index) {
        index->hold(run, row.number, clear.open(name, std::move(bytes)));
      }
    } catch (const Error& error) {
      if (!is_damage(error)) throw;
      problem(fmt::format("{} is damaged: {}", name, error.what()));
    }
  }

  /// Reads the pieces that no run before had: its own, and those of runs whose records are damaged.
  void pieces(const RunRecord& record, IndexObjects& index) {
    for (const Piece& piece : record.pieces) {
      const auto [seen, is_new] = seen_.emplace(piece.run, digest_of(piece));
      if (is_new) {
        read(record, piece, index);
      } else if (seen->second != digest_of(piece)) {
        throw Error(ErrorKind::corrupt,
                    fmt::format("its record describes the index of run {} in another way than that "
                                "run's own",
                                record.runs[piece.run]));
      }
    }
    if (record.pieces.empty() || record.pieces.back().run != record.number()) {
      throw Error(ErrorKind::corrupt, "its index has no piece of its own");
    }
  }

  void read(const RunRecord& record, const Piece& piece, IndexObjects& index) {
    PieceCursor cursor(index, record.runs[piece.run], piece, true, true);
    IndexRecord entry;
    std::string last;
    std::uint64_t entries = 0;
    while (cursor.next(entry)) {
      base::check_stop(stop_);
      if (entries++ > 0 && tree::compare_paths(last, entry.entry.path) >= 0) {
        throw Error(ErrorKind::corrupt, fmt::format("{} stands twice in its index, or out of order",
                                                    base::printable(entry.entry.path)));
      }
      last = entry.entry.path;
      check_extents(record, piece, entry);
    }
    const std::vector<LostRange> lost = cursor.take_lost();
    for (const LostRange& range : lost) {
      problem(fmt::format("run {}: its index cannot tell {}: {}", record.run, range.words(),
                          range.what));
    }
    index_is_whole_ = index_is_whole_ && lost.empty();
    if (lost.empty() && entries != piece.entries) {
      throw Error(ErrorKind::corrupt, fmt::format("its piece of the index has {} entries and "
                                                  "should have {}",
                                                  entries, piece.entries));
    }
  }

  void check_extents(const RunRecord& record, const Piece& piece, const IndexRecord& entry) {
    const auto wrong = [&](const std::string& what) {
      throw Error(ErrorKind::corrupt, fmt::format("its index is wrong about {}: {}",
                                                  base::printable(entry.entry.path), what));
    };
    std::uint64_t size = 0;
    for (std::size_t i = 0; entry.extents && i < entry.extents->size(); ++i) {
      const Extent extent = entry.extents->at(i);
      size += extent.length;
      if (extent.hole()) continue;
      if (extent.run > piece.run) wrong("it names a run that was not there yet");
      const auto run = sizes_.find(extent.run);
      if (run == sizes_.end()) {  // whose record is damaged or missing: it was told
        const std::string name = volume_name(record.chain, record.runs[extent.run], extent.volume);
        if (!listing_->contains(name)) wrong(fmt::format("it needs {}, which is missing", name));
        continue;
      }
      const auto volume = run->second.find(extent.volume);
      if (volume == run->second.end() || extent.frame < kHeaderSize ||
          extent.frame > volume->second || extent.frame_size > volume->second - extent.frame) {
        wrong(fmt::format("it names a place that is not in {}",
                          volume_name(record.chain, record.runs[extent.run], extent.volume)));
      }
    }
    if (size != entry.entry.size) wrong("its extents do not cover the whole file");
  }

  /// All pieces together. Only where each of them is whole.
  void entries(const RunRecord& record) {
    if (!index_is_whole_) return;
    IndexView view(*merged_, record, true);
    IndexRecord entry;
    std::uint64_t entries = 0;
    while (view.next(entry)) {
      base::check_stop(stop_);
      ++entries;
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
  std::optional<Sample> sample_;
  base::Progress& progress_;
  std::stop_token stop_;

  const RunInfo* run_ = nullptr;  ///< that is looked at

  // Of the chain that is looked at:
  const Listing* listing_ = nullptr;  ///< what no run has claimed yet
  /// The volumes of each run whose record could be read.
  std::map<std::uint32_t, std::map<std::uint32_t, std::uint64_t>> sizes_;
  std::map<std::uint32_t, base::Sha256Digest> seen_;  ///< pieces that were read, by their runs
  std::set<std::uint32_t> shared_;                    ///< runs whose pieces the newest run has
  RunRecord newest_;
  std::unique_ptr<ClearStore> clear_;
  std::unique_ptr<IndexObjects> merged_;  ///< keeps those
  bool index_is_whole_ = true;
};

}  // namespace

VerifyResult verify(store::Store& store, const LocalState* state, bool data,
                    base::Progress& progress, const std::stop_token& stop,
                    const std::optional<Sample>& sample, KeyRing* keys) {
  return verify(store, Catalog(store, state, keys), state, data, progress, stop, sample, keys);
}

VerifyResult verify(store::Store& store, const Catalog& catalog, const LocalState* state, bool data,
                    base::Progress& progress, const std::stop_token& stop,
                    const std::optional<Sample>& sample, KeyRing* keys) {
  progress.set_activity(data     ? "verifying all data"
                        : sample ? "verifying a sample"
                                 : "verifying from the listing");
  Verifier verifier(store, catalog, keys, data, sample, progress, stop);
  for (const ChainInfo& chain : catalog.chains()) verifier.chain(chain);
  for (const ChainInfo& chain : catalog.broken()) verifier.strays(chain);
  if (const RunInfo* newest = catalog.newest()) {
    verifier.result.newest = newest->run;
    verifier.result.newest_chain = newest->chain;
  }
  // No later run vouches for the newest; only who wrote it can miss it, or tell that it changed.
  if (const auto last = state != nullptr ? state->last() : std::nullopt) {
    const auto journal = state->journal();
    // A run that became visible though its maker was cut off, or did not hear that it had: the next
    // run takes it as its own.
    const bool pending = journal && journal->run == verifier.result.newest;
    if (pending) return verifier.result;
    verifier.result.not_ours =
        last->run != verifier.result.newest || last->record_sha256 != verifier.newest_sha256;
    if (last->run != verifier.result.newest) {
      verifier.problem(fmt::format(
          "run {}: this machine wrote it last, and the store does not show it as the newest",
          last->run));
    } else if (last->record_sha256 != verifier.newest_sha256) {
      verifier.problem(
          fmt::format("run {}: its record is not the one that this machine wrote", last->run));
    }
  }
  return verifier.result;
}

}  // namespace rota::chain
