#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/time.h"
#include "chain/catalog.h"
#include "chain/local_state.h"
#include "store/store.h"

namespace rota::chain {

/// A run that is to go, or one that stays and why.
struct Verdict {
  RunInfo run;
  bool remove = false;
  std::string why;
  /// It is due by this machine's clock and stays, because nothing bears that clock out.
  bool held = false;
};

/// What "now" is when ages of runs are judged. A clock that jumps ahead makes everything old at
/// once, and the run of that night young. What shows it is a gap in which no run was made.
class Ageing {
 public:
  /// Believes the clock.
  Ageing(base::Instant now) : now_(now) {}  // NOLINT: it is a moment

  struct Gap {
    base::Instant from;
    base::Instant to;
  };
  /// Believes no gap, between two runs of `catalog` or from the last to `now`, that is longer than
  /// max_full_age and kSpareGap: so far lie the fulls apart whose increments were purged, also
  /// where backups are made once a month. believed: the last moment at which the clock was known to
  /// be right, so that all before it is; one in the future is worth nothing.
  Ageing(const Catalog& catalog, const base::Span& max_full_age, base::Instant now,
         std::optional<base::Instant> believed);

  static constexpr std::chrono::hours kSpareGap{24 * 45};

  base::Instant now() const { return now_; }
  /// Now, less the gaps since `then` that are not believed.
  base::Instant now_since(base::Instant then) const;
  /// The longest gap that is not believed.
  std::optional<Gap> doubt() const;

 private:
  base::Instant now_;
  std::vector<Gap> gaps_;
};

/// Duplicity's `remove-older-than`: a chain goes when all of it is older than `max_age`. The newest
/// chain always stays. broken: chains none of whose runs can be restored; they go in the same way,
/// while there is a chain that can be. Pure.
std::vector<Verdict> older_than(const std::vector<ChainInfo>& chains, const base::Span& max_age,
                                const Ageing& ageing, const std::vector<ChainInfo>& broken = {});

/// Duplicity's `remove-all-inc-of-but-n-full`: the increments of all but the newest `fulls` chains
/// go, their fulls stay; where the full's record is missing, the first run that is there. Broken
/// chains are left to older_than(). Pure. Throws Error(usage) if fulls < 1.
std::vector<Verdict> increments_but(const std::vector<ChainInfo>& chains, int fulls,
                                    const std::vector<ChainInfo>& broken = {});

/// One chain goes, whatever its age, and the rest stays. Throws Error(usage) when there is no such
/// chain, Error(refused) for the newest that can be restored or when there is none. Pure.
std::vector<Verdict> only_chain(const std::vector<ChainInfo>& chains,
                                const std::vector<ChainInfo>& broken, const std::string& name);

struct Removed {
  std::uint64_t runs = 0;
  std::uint64_t objects = 0;
  std::uint64_t bytes = 0;
  /// Runs that are due and stay for now: the store keeps them locked, or the key may not remove
  /// them. Not an error; the next purge, or one with another key, tries again.
  std::vector<std::string> later;
  /// Some were only hidden, since the key may not delete: the store's own rules delete them.
  bool hidden = false;

  void add(const Removed& other);
};

/// Removes runs as judged: in each chain the newest run first and its record before its data, so
/// that at every moment what is visible is whole. When it is interrupted, the state names the run
/// that was being removed: recover_interrupted() ends that, as does removing again. A run that was
/// interrupted while it was written is not touched.
///
/// Throws Error(refused) when the store's clock differs from this machine's by more than an hour,
/// or when an interrupted removal cannot be ended first.
Removed remove_runs(store::Store& store, LocalState& state, const std::vector<Verdict>& verdicts,
                    base::Clock& clock, const std::stop_token& stop);

/// Nothing where the store has no clock; else how far this machine's is from it.
std::optional<std::chrono::seconds> clocks_apart(store::Store& store, base::Clock& clock);
inline constexpr std::chrono::hours kClocksApart{1};

/// What a run left behind that never became visible and whose journal was lost.
struct Forgotten {
  std::string chain;
  std::string run;
  std::uint64_t objects = 0;
  std::uint64_t bytes = 0;
};

/// Objects of runs without a record that began more than kResumable ago, so that no run that
/// another machine may still be writing, or resume, is touched; and not of a run that a record
/// names, or may name: its own was lost, and its data is needed. None in a store that does not show
/// this machine's last run. Costs a listing of everything, one request for each thousand objects.
///
/// catalog: of the store as it is.
std::vector<Forgotten> find_forgotten(store::Store& store, const LocalState& state,
                                      const Catalog& catalog, const Ageing& ageing);
Removed remove_forgotten(store::Store& store, const std::vector<Forgotten>& forgotten,
                         const std::stop_token& stop);

}  // namespace rota::chain
