#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "base/lock.h"
#include "base/process.h"
#include "base/progress.h"
#include "base/time.h"
#include "chain/local_state.h"
#include "ledger/ledger.h"
#include "profile/places.h"
#include "profile/profile.h"
#include "store/store.h"

namespace rota::job {

/// What every job is given from outside.
struct Surroundings {
  base::Clock& clock;
  base::ProcessRunner& processes;
  base::Warnings& warnings;
  base::Progress& progress;
  std::stop_token stop;
};

/// A profile with all that belongs to it on this machine.
class Server {
 public:
  /// Throws Error(config) for a profile or target that cannot be used.
  /// stop: ends what the store is doing.
  /// without_ledger: where the ledger is damaged, the job goes on with an empty one that nobody
  /// keeps, and this is told of it; so it is of a history that was lost. Null: a damaged ledger is
  /// an Error(corrupt).
  Server(const profile::Places& places, const std::string& name, const std::stop_token& stop,
         base::Warnings* without_ledger = nullptr);

  const profile::Profile& profile() const { return profile_; }
  const profile::Places& places() const { return places_; }
  store::Store& store() { return *store_; }
  chain::LocalState& state() { return *state_; }
  ledger::Ledger& ledger() { return *ledger_; }
  /// The key that the profile names, where this machine has one.
  chain::KeyRing& keys() { return keys_; }
  bool has_keys() const { return !profile_.key.empty(); }

  /// One job at a time on a profile. wait: see LockFile. Throws Error(locked).
  base::LockFile lock(const base::LockWait* wait = nullptr) const;

 private:
  profile::Places places_;
  profile::Profile profile_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<chain::LocalState> state_;
  std::unique_ptr<ledger::Ledger> ledger_;
  chain::KeyRing keys_;
};

/// One job at a time on a profile: what Server::lock() takes. Throws Error(locked).
base::LockFile lock_profile(const profile::Places& places, const std::string& name,
                            const base::LockWait* wait = nullptr);

/// How a job that nobody looks at waits for another: longer than a first full copy takes. Then
/// something hangs, and a person must know. begins: see LockWait.
base::LockWait patience(const Surroundings& around, std::function<void()> begins);

}  // namespace rota::job
