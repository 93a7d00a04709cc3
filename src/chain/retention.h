#pragma once

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
};

/// Duplicity's `remove-older-than`: a chain goes when all of it is older than `max_age`. The newest
/// chain always stays. Pure.
std::vector<Verdict> older_than(const std::vector<ChainInfo>& chains, const base::Span& max_age,
                                base::Instant now);

/// Duplicity's `remove-all-inc-of-but-n-full`: the increments of all but the newest `fulls` chains
/// go, their fulls stay. Pure. Throws Error(usage) if fulls < 1.
std::vector<Verdict> increments_but(const std::vector<ChainInfo>& chains, int fulls);

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
/// that at every moment what is visible is whole. When it is interrupted, the journal names the run
/// that was being removed: recover_interrupted() ends that, as does removing again.
///
/// Throws Error(refused) when the store's clock differs from this machine's by more than an hour,
/// or when an unfinished run cannot be cleared first.
Removed remove_runs(store::Store& store, LocalState& state, const std::vector<Verdict>& verdicts,
                    base::Clock& clock, const std::stop_token& stop);

/// Removes what runs left behind that never became visible and whose journal was lost: objects of
/// runs without a record that began more than kResumable ago, so that no run that another machine
/// may still be writing, or resume, is touched. Does nothing in a store whose newest run is not
/// this machine's last. Costs a listing of everything, one request for each thousand objects.
Removed remove_forgotten(store::Store& store, const LocalState& state, base::Instant now,
                         const std::stop_token& stop);

}  // namespace rota::chain
