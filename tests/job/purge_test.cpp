// The night and the purge on a machine whose clock a test moves.

#include "job/purge_job.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "base/atomic_file.h"
#include "base/error.h"
#include "chain/catalog.h"
#include "job/backup_job.h"
#include "job/cron_job.h"
#include "support/files.h"
#include "support/quick_clock.h"

namespace rota::test {

namespace {

/// A machine with one profile, "web".
class Nights {
 public:
  explicit Nights(const std::string& settings) {
    std::filesystem::create_directories(dir_ / "source");
    std::filesystem::create_directories(places_.config + "/web");
    base::write_file(places_.config + "/web/profile.toml",
                     "source = \"" + (dir_ / "source") + "\"\ntarget = \"file://" +
                         (dir_ / "store") + "\"\n" + settings);
  }

  job::CronReport cron() {
    base::write_file(dir_ / "source/file", "version " + std::to_string(++version_));
    job::Server server(places_, "web", {});
    return job::cron(server, around());
  }
  job::PurgeReport purge(const job::PurgeOptions& options) {
    job::Server server(places_, "web", {});
    return job::purge(server, options, around());
  }
  std::size_t runs() {
    job::Server server(places_, "web", {});
    const chain::Catalog catalog(server.store(), nullptr);
    std::size_t count = 0;
    for (const chain::ChainInfo& chain : catalog.chains()) count += chain.runs.size();
    CHECK(server.ledger().runs("web").size() == count);
    return count;
  }
  void pass(int days) { clock.sleep(std::chrono::hours(24 * days), {}); }
  std::size_t take_warnings() { return std::exchange(warnings.list, {}).size(); }
  job::Surroundings around() { return {clock, base::real_processes(), warnings, progress_, {}}; }
  const profile::Places& places() const { return places_; }

  QuickClock clock;
  base::CollectedWarnings warnings;

 private:
  TempDir dir_;
  profile::Places places_{dir_ / "config", dir_ / "state", dir_ / "cache", dir_ / "run"};
  base::Progress progress_;
  int version_ = 0;
};

}  // namespace

TEST_CASE("a clock that jumps ahead does not purge what there is", "[job][purge]") {
  Nights nights("max_age = \"60D\"\nmax_full_age = \"7D\"\n");
  nights.cron();
  nights.pass(8);
  nights.cron();
  CHECK(nights.take_warnings() == 0);
  nights.pass(5 * 365);
  CHECK(nights.cron().purged.runs == 0);
  REQUIRE(nights.warnings.list.size() == 1);
  CHECK_THAT(nights.warnings.list[0].second, Catch::Contains("rota purge --clock-is-right"));
  // Nor in the nights after, until a person says that it is right.
  for (int night = 0; night < 2; ++night) {
    nights.pass(1);
    nights.take_warnings();
    CHECK(nights.cron().purged.runs == 0);
    CHECK(nights.take_warnings() == 1);
  }
  CHECK(nights.purge({}).removed.runs == 0);
  CHECK(nights.purge({.dry_run = true, .clock_is_right = true}).removed.runs == 0);
  CHECK(nights.runs() == 5);
  nights.take_warnings();
  CHECK(nights.purge({.clock_is_right = true}).removed.runs == 2);
  CHECK(nights.runs() == 3);
  nights.pass(1);
  nights.cron();
  CHECK(nights.take_warnings() == 0);
}

TEST_CASE("who says that the clock is right says it for later nights too", "[job][purge]") {
  Nights nights("max_age = \"60D\"\nmax_full_age = \"7D\"\n");
  nights.cron();
  nights.pass(55);  // really off for so long: nothing is due yet
  nights.cron();
  CHECK(nights.take_warnings() == 0);
  nights.purge({.clock_is_right = true});
  nights.pass(6);
  CHECK(nights.cron().purged.runs == 1);
  CHECK(nights.take_warnings() == 0);
}

TEST_CASE("monthly backups and a server that was off for weeks are believed", "[job][purge]") {
  Nights nights("max_age = \"10M\"\nmax_full_age = \"3M\"\nmax_fulls_with_incrs = 1\n");
  std::uint64_t purged = 0;
  for (int month = 0; month < 18; ++month) {
    nights.cron();
    nights.pass(31);
    if (month == 9) nights.pass(40);
    purged += nights.cron().purged.runs;
    nights.pass(1);
  }
  CHECK(nights.take_warnings() == 0);
  CHECK(purged > 10);
  CHECK(nights.runs() < 12);
}

TEST_CASE("the ledger learns of a run whose maker did not get to know it", "[job][purge]") {
  Nights nights("");
  nights.cron();
  nights.pass(1);
  const chain::RunRecord second = nights.cron().backup.record;
  const auto unnoted = [&] {
    job::Server server(nights.places(), "web", {});
    const auto last = *server.state().last();
    server.state().set_last({second.parent, second.chain, *second.parent_sha256});
    server.state().set_journal({second.run, second.chain, second.kind, second.parent});
    server.ledger().remove_run("web", second.run);
    return last.run;
  };
  CHECK(unnoted() == second.run);
  nights.pass(1);
  nights.cron();
  CHECK(nights.runs() == 3);
}

TEST_CASE("a run that the ledger cannot be told of is said to be complete", "[job][purge]") {
  Nights nights("");
  nights.cron();
  {
    job::Server server(nights.places(), "web", {});
    server.ledger().database().execute(
        "CREATE TRIGGER full BEFORE INSERT ON run BEGIN SELECT RAISE(ABORT, 'no room'); END");
  }
  nights.pass(1);
  std::string said;
  try {
    nights.cron();
  } catch (const base::Error& error) {
    said = error.what();
  }
  CHECK_THAT(said, Catch::Contains("is complete, but the ledger does not know of it"));
}

}  // namespace rota::test
