#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "chain/local_state.h"
#include "chain/record.h"
#include "store/store.h"

namespace rota::chain {

/// One run as the listing shows it.
struct RunInfo {
  std::string run;
  std::string chain;
  RunKind kind = RunKind::full;
  base::Instant time{};
  std::uint64_t record_size = 0;
};

/// The runs of one chain, in the order of their parents.
struct ChainInfo {
  std::string chain;
  std::vector<RunInfo> runs;
  /// Runs that cannot be restored: their records are damaged, or no other run follows them.
  std::vector<RunInfo> stray;
  /// Runs that others of `runs` are built on and whose records are not there. The others hold what
  /// a restore needs but for the data, which is not known to be whole.
  std::vector<std::string> missing;
  /// False when no record could be opened that names the chain's runs: `missing` is not known then.
  bool ordered = true;
  /// Of its full, whose record may be missing.
  base::Instant start() const { return run_time(chain).value_or(runs.front().time); }
  base::Instant end() const { return runs.back().time; }
};

/// What runs a store holds: one listing, and one record for the order of the runs of a chain, if
/// that has more than one. Of the newest chain a record is opened in any case: what is called the
/// newest run can be restored.
class Catalog {
 public:
  /// state: for copies of records; null on a machine that has none. keys: to open the records of
  /// encrypted chains that have no copy here; null for none. Both outlive the catalog.
  Catalog(store::Store& store, const LocalState* state, KeyRing* keys = nullptr);

  /// Chains that can be restored, oldest first.
  const std::vector<ChainInfo>& chains() const { return chains_; }
  /// Chains none of whose runs can be restored, oldest first.
  const std::vector<ChainInfo>& broken() const { return broken_; }
  bool empty() const { return chains_.empty() && broken_.empty(); }
  /// The newest run of the newest chain; null when there is none.
  const RunInfo* newest() const;
  const RunInfo* find(const std::string& run) const;
  const ChainInfo* chain(const std::string& name) const;

  /// The run that shows the tree as it was at `when`: the newest that is not later. Throws
  /// Error(not_found) naming the oldest run when all are later, or when there is none at all.
  const RunInfo& at(base::Instant when) const;
  /// The same for what a person typed: a run's name, or a moment (base::parse_moment); empty means
  /// the newest. Throws Error(usage) with the forms when it is neither.
  const RunInfo& select(const std::string& text, base::Instant now) const;

  /// Throws Error(config) when it is encrypted and there is neither a copy nor a key.
  RunRecord record(const RunInfo& run) const { return open_record(run).record; }
  /// A record with the SHA-256 of its object, which is what children name.
  struct OpenedRecord {
    RunRecord record;
    base::Bytes clear;
    base::Sha256Digest sha256{};
  };
  OpenedRecord open_record(const RunInfo& run) const;
  /// The same from the record's object, which the caller has read. Throws without context.
  OpenedRecord open_record(const RunInfo& run, const base::Bytes& object) const;

 private:
  static OpenedRecord checked(const RunInfo& run, base::Bytes clear,
                              const base::Sha256Digest& sha256);
  void order(ChainInfo& chain, bool newest) const;

  store::Store& store_;
  const LocalState* state_;
  KeyRing* keys_;
  std::vector<ChainInfo> chains_;
  std::vector<ChainInfo> broken_;
};

}  // namespace rota::chain
