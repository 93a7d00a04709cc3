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
};

/// Removes runs as judged: in each chain the newest run first and its record before its data, so
/// that at every moment what is visible is whole. When it is interrupted, the journal names the run
/// that was being removed: recover_interrupted() ends that, as does removing again.
///
/// Throws Error(refused) when the store's clock differs from this machine's by more than an hour,
/// or when an unfinished run cannot be cleared first.
Removed remove_runs(store::Store& store, LocalState& state, const std::vector<Verdict>& verdicts,
                    base::Clock& clock, const std::stop_token& stop);

}  // namespace rota::chain
