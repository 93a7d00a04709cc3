#pragma once

#include <chrono>
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
  std::string facts;  ///< see RunPlan
  /// Who shall be able to open what is written; empty: it is not encrypted. A chain has the same
  /// recipients throughout: where they change, a new one begins.
  std::vector<Recipient> recipients;
  KeyRing* keys = nullptr;  ///< see RunWriter
  /// How long each run is locked against deletion at least; nothing: not at all.
  struct LockSettings {
    std::chrono::days least{};
    store::ObjectLock::Mode mode = store::ObjectLock::Mode::governance;
  };
  std::optional<LockSettings> lock;
};

/// Backs a tree up: decides between a full and an increment, and writes the run; one that was
/// interrupted less than kResumable ago is resumed under its own name, an older one cleared away.
/// One writer a profile: the caller holds its lock.
///
/// With `lock`, a chain is locked as a whole, until max_full_age and lock.least after its full:
/// what a run refers to must last as long as the run. When less than lock.least of that is left, a
/// new chain begins; so it does where the chain is not locked yet.
///
/// Where an encrypted chain's index has no copy here and no key opens it, the run is a full, with a
/// warning.
///
/// Throws Error(refused) when the store's newest run is not the one that this machine wrote last (a
/// clone, a second server on one prefix, a mount that is not mounted): `adopt` is the way on.
RunRecord backup(store::Store& store, LocalState& state, tree::Source& source,
                 const BackupSettings& settings, base::Clock& clock, base::Warnings& warnings,
                 base::Progress& progress, const std::stop_token& stop);

/// Takes the store's newest run, or its emptiness, as what this machine wrote last. Returns the
/// run's name, empty for an empty store.
/// keys: for an encrypted store; without one that opens it, the next run is a full.
std::string adopt(store::Store& store, LocalState& state, KeyRing* keys = nullptr);

/// Whether a run that was interrupted before it became visible is cleared away or left to be
/// resumed.
enum class Unfinished { clear, keep };

struct Recovered {
  bool any = false;
  /// A run that had become visible and whose maker did not get to know it: nobody told the ledger.
  std::optional<RunRecord> completed;
};

/// Ends what was interrupted: removes what is left of a run that was being removed, finishes the
/// bookkeeping of one that had become visible, and clears away, if asked, one that had not. Does
/// nothing in a store that does not show this machine's last run.
Recovered recover_interrupted(store::Store& store, LocalState& state,
                              Unfinished unfinished = Unfinished::clear);

/// What an unfinished run has stored is worth less the older it is.
inline constexpr std::chrono::hours kResumable{24 * 30};

}  // namespace rota::chain
