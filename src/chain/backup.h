#pragma once

#include <stop_token>
#include <string>

#include "base/progress.h"
#include "base/time.h"
#include "chain/local_state.h"
#include "chain/record.h"
#include "store/store.h"
#include "tree/source.h"

namespace rota::chain {

struct BackupSettings {
  bool force_full = false;
  base::Span max_full_age;  ///< a chain whose full is older gets no more increments
  std::string source;       ///< for the record
  std::string host;
  std::string program;
  int level = 3;
};

/// Backs a tree up: clears what an interrupted run left, decides between a full and an increment,
/// and writes the run. One writer a profile: the caller holds its lock.
///
/// Throws Error(refused) when the store's newest run is not the one that this machine wrote last (a
/// clone, a second server on one prefix, a mount that is not mounted): `adopt` is the way on.
RunRecord backup(store::Store& store, LocalState& state, tree::Source& source,
                 const BackupSettings& settings, base::Clock& clock, base::Warnings& warnings,
                 base::Progress& progress, const std::stop_token& stop);

/// Takes the store's newest run, or its emptiness, as what this machine wrote last. Returns the
/// run's name, empty for an empty store.
std::string adopt(store::Store& store, LocalState& state);

/// Ends what was interrupted: removes the objects of a run that had not become visible or was being
/// removed, finishes the bookkeeping of one that had. True when there was one. Does nothing in a
/// store that does not show this machine's last run.
bool recover_interrupted(store::Store& store, LocalState& state);

}  // namespace rota::chain
