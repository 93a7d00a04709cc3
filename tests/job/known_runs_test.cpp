// The ledger's runs after `rota adopt`, a lost ledger, and with a store that is not there.

#include "job/known_runs.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "base/atomic_file.h"
#include "job/backup_job.h"
#include "job/verify_job.h"
#include "support/files.h"
#include "support/quick_clock.h"

namespace rota::test {

namespace {

/// Machines with one profile, "web", and one store.
class Machines {
 public:
  explicit Machines(const std::string& settings = "") {
    std::filesystem::create_directories(dir_ / "source");
    std::filesystem::create_directories(places_.config + "/web");
    base::write_file(
        places_.config + "/web/profile.toml",
        "source = \"" + (dir_ / "source") + "\"\ntarget = \"file://" + store() + "\"\n" + settings);
  }

  void backup(bool full) {
    base::write_file(dir_ / "source/file", "version " + std::to_string(++version_));
    job::Server server(places_, "web", {});
    job::backup(server, full, around());
    clock_.sleep(std::chrono::hours(24), {});
  }
  std::vector<ledger::RunRow> known() { return ledger::Ledger(places_.ledger()).runs("web"); }
  void note() {
    job::Server server(places_, "web", {});
    const chain::Catalog catalog(server.store(), &server.state());
    job::note_runs(server.ledger(), "web", catalog, server.state().last());
  }
  void verify() {
    job::Server server(places_, "web", {});
    job::verify(server, {}, around());
  }
  /// What `rota adopt` on an empty store leaves, with a ledger that was kept.
  void forget_last() {
    chain::LocalState(places_.state + "/web", places_.cache + "/web").clear_last();
  }
  void lose(const std::string& what) { std::filesystem::remove_all(dir_ / what); }
  void lose_ledger() { ledger::Ledger(places_.ledger()).set_runs("web", {}); }
  std::string store() const { return dir_ / "store"; }

 private:
  job::Surroundings around() { return {clock_, base::real_processes(), warnings_, progress_, {}}; }

  TempDir dir_;
  profile::Places places_{dir_ / "config", dir_ / "state", dir_ / "cache", dir_ / "run"};
  QuickClock clock_;
  base::CollectedWarnings warnings_;
  base::Progress progress_;
  int version_ = 0;
};

}  // namespace

TEST_CASE("runs that a new machine did not write are known as they are", "[job]") {
  Machines machines;
  for (const bool full : {true, false, true}) machines.backup(full);
  std::vector<ledger::RunRow> written = machines.known();
  REQUIRE(written.size() == 3);
  machines.lose("state");
  machines.lose("cache");
  CHECK(machines.known().empty());
  machines.note();
  for (ledger::RunRow& row : written) row.seconds = 0;  // no record tells how long it took
  CHECK(machines.known() == written);
}

TEST_CASE("a verification makes the ledger know what the store shows", "[job]") {
  Machines machines;
  for (const bool full : {true, false}) machines.backup(full);
  machines.lose_ledger();
  machines.verify();
  CHECK(machines.known().size() == 2);
}

TEST_CASE("what a run's job noted stays when runs are noted again", "[job]") {
  Machines machines;
  machines.backup(true);
  const std::vector<ledger::RunRow> before = machines.known();
  machines.note();
  CHECK(machines.known() == before);
}

TEST_CASE("a store that does not show this machine's last run takes nothing from the ledger",
          "[job]") {
  Machines machines;
  for (const bool full : {true, false, true}) machines.backup(full);
  const std::string newest = machines.known().back().name;
  std::filesystem::remove_all(machines.store() + "/runs/" + newest);
  machines.note();
  CHECK(machines.known().size() == 3);
  machines.lose("store");
  machines.note();
  CHECK(machines.known().size() == 3);
  machines.forget_last();  // nor does an empty one that nobody adopted
  machines.note();
  CHECK(machines.known().size() == 3);
}

TEST_CASE("a run whose record is gone is not one to go back to", "[job]") {
  Machines machines;
  for (const bool full : {true, true, true}) machines.backup(full);
  std::filesystem::remove_all(machines.store() + "/runs/" + machines.known().front().name);
  machines.note();
  CHECK(machines.known().size() == 2);
}

TEST_CASE("of a run that cannot be opened here stands what its name tells", "[job]") {
  const chain::SecretKey key = chain::SecretKey::generate();
  Machines machines("encrypt_to = [\"" + chain::Recipient(key).text() + "\"]\n");
  for (const bool full : {true, false}) machines.backup(full);
  const std::vector<ledger::RunRow> written = machines.known();
  machines.lose("cache");
  machines.lose_ledger();
  machines.note();
  const std::vector<ledger::RunRow> known = machines.known();
  REQUIRE(known.size() == 2);
  for (std::size_t i = 0; i < known.size(); ++i) {
    CHECK(known[i].name == written[i].name);
    CHECK(known[i].chain == written[i].chain);
    CHECK(known[i].kind == written[i].kind);
    CHECK(known[i].time == written[i].time);
    CHECK_FALSE(known[i].known_well());
    CHECK(written[i].known_well());
  }
}

}  // namespace rota::test
