#include "job/server.h"

#include "chain/key_file.h"
#include "job/store_settings.h"
#include "ledger/history.h"
#include "store/open.h"

namespace rota::job {

namespace {

/// A night's run is worth more than the record of it. The damaged file stays where it is: what
/// becomes of it is for a person to say.
std::unique_ptr<ledger::Ledger> open_ledger(const std::string& path, base::Warnings* without) {
  if (without == nullptr) return std::make_unique<ledger::Ledger>(path);
  try {
    auto ledger = std::make_unique<ledger::Ledger>(path);
    ledger->check_file();
    const std::string lost = ledger::History(*ledger).lost();
    if (!lost.empty()) without->warn("the ledger", lost);
    return ledger;
  } catch (const base::Error& error) {
    if (error.kind() != base::ErrorKind::corrupt) throw;
    without->warn("what this job does is not recorded", error.what());
  }
  return std::make_unique<ledger::Ledger>("");
}

}  // namespace

Server::Server(const profile::Places& places, const std::string& name, const std::stop_token& stop,
               base::Warnings* without_ledger)
    : places_(places),
      profile_(profile::load_profile(places, name)),
      store_(store::open_store(store_settings(profile_, stop))),
      state_(std::make_unique<chain::LocalState>(places.state + "/" + name,
                                                 places.cache + "/" + name)),
      ledger_(open_ledger(places.ledger(), without_ledger)) {
  if (!profile_.key.empty()) keys_.add(chain::read_key_file(profile_.key));
}

base::LockFile Server::lock(const base::LockWait* wait) const {
  return lock_profile(places_, profile_.name, wait);
}

base::LockFile lock_profile(const profile::Places& places, const std::string& name,
                            const base::LockWait* wait) {
  const std::string directory = places.state + "/" + name;
  base::real_files().make_directories(directory, 0700);
  return base::LockFile(directory + "/lock", "the profile " + name, wait);
}

base::LockWait patience(const Surroundings& around, std::function<void()> begins) {
  return {around.clock, std::chrono::hours(24), around.stop, std::move(begins)};
}

}  // namespace rota::job
