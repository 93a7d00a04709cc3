#include "job/server.h"

#include "chain/key_file.h"
#include "job/store_settings.h"
#include "store/open.h"

namespace rota::job {

Server::Server(const profile::Places& places, const std::string& name, const std::stop_token& stop)
    : places_(places),
      profile_(profile::load_profile(places, name)),
      store_(store::open_store(store_settings(profile_, stop))),
      state_(std::make_unique<chain::LocalState>(places.state + "/" + name,
                                                 places.cache + "/" + name)),
      ledger_(std::make_unique<ledger::Ledger>(places.ledger())) {
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
