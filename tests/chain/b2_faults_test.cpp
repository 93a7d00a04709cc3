// A life at Backblaze B2 whose every call may go wrong by chance: nothing is lost, nothing false
// comes out, nothing stays behind.
#include <array>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <map>

#include "chain/chain_fixture.h"
#include "chain/retention.h"
#include "chain/verify.h"
#include "support/b2_cloud.h"
#include "support/random_tree.h"

namespace rota::test {

namespace {

using base::Error;
using base::ErrorKind;
using nlohmann::json;

constexpr const char* kPrefix = "srv/";

std::uint64_t schedules() {
  const char* asked = std::getenv("ROTA_TEST_LONG");
  return asked != nullptr && std::string(asked) == "1" ? 500 : 12;
}

/// What became of the jobs, and which faults they met.
struct Tally {
  std::map<std::string, std::uint64_t> ends;
  std::map<std::string, std::uint64_t> fired;
  std::string text(const std::map<std::string, std::uint64_t>& counts) const {
    std::string all;
    for (const auto& [what, count] : counts) all += what + " " + std::to_string(count) + "  ";
    return all;
  }
};

class Life {
 public:
  Life(std::uint64_t seed, Tally& tally)
      : seed_(seed),
        tally_(tally),
        store_(cloud_.open(kPrefix)),
        backups_(*store_),
        tree_(seed, backups_.tree, 15) {
    backups_.used_clock = &cloud_.clock();
    if (seed % 3 == 0) backups_.encrypt();
  }

  void live() {
    INFO("seed " << seed_);
    for (int n = 0; n < 4; ++n) {
      INFO("run " << n);
      if (n > 0) tree_.mutate(6);
      pass_a_day();
      backups_.settings.force_full = n == 2;
      backup();
      if (n % 2 == 1) restore(backups_.runs().back());
    }
    REQUIRE(backups_.runs().size() == 4);
    REQUIRE(backups_.quick_check_all() == "");
    purge();
    const std::vector<std::string> left = backups_.runs();
    CHECK(left.size() == 3);  // the increment of the first chain is gone
    backups_.settings.force_full = false;
    pass_a_day();
    backup();
    REQUIRE(backups_.quick_check_all() == "");
    CHECK(backups_.check(backups_.runs().back()) == "");
    nothing_is_left_behind();
    // Threads that read the same volume: one's question may cross the other's answer.
    cloud_.check_manners("called_before_retry_after: b2_download_file_by_name");
  }

 private:
  void pass_a_day() {
    cloud_.control({{"advance_ms", 86'400'000}});
    backups_.store.list("", "", 1);  // where the fixture's own store learns the time
  }

  /// Does something while calls go wrong, with a store as a new process opens it. True when it
  /// was done; else it ended with an error that says what is the matter.
  template <typename Action>
  bool with_faults(const char* job, Action action) {
    // At the highest about one job in three fails for good: eight attempts are not enough.
    static constexpr std::array kRates = {0.1, 0.3, 0.7, 0.95};
    cloud_.control({{"random", {{"seed", 100 * seed_ + ++jobs_}, {"rate", kRates[seed_ % 4]}}}});
    std::string end = "done";
    try {
      action(*cloud_.open(kPrefix));
    } catch (const Error& error) {
      INFO(error.what());
      // not_found: a run whose record arrives damaged each time is none.
      CHECK((error.kind() == ErrorKind::unavailable || error.kind() == ErrorKind::corrupt ||
             error.kind() == ErrorKind::refused || error.kind() == ErrorKind::not_found));
      failure([&] { throw error; });  // a sentence without a secret
      end = "failed";
    }
    // The next process comes when the server's pauses have passed.
    cloud_.control({{"clear_faults", true}, {"advance_ms", 60'000}});
    const json counted = cloud_.control();
    for (const auto& [kind, number] : counted["fired"].items()) {
      const auto times = number.template get<std::uint64_t>();
      tally_.fired[kind] += times - fired_[kind];
      fired_[kind] = times;
    }
    ++tally_.ends[std::string(job) + " " + end];
    return end == "done";
  }

  void backup() {
    const std::size_t before = backups_.runs().size();
    const bool done = with_faults("backup", [&](store::Store& store) { backups_.backup(store); });
    // A run that was put though its answer was lost counts: the tree is still the same.
    backups_.keep_new();
    REQUIRE(backups_.runs().size() <= before + 1);
    if (done) {
      REQUIRE(backups_.runs().size() == before + 1);
      return;
    }
    // What was interrupted is ended by the next one.
    if (backups_.runs().size() == before) {
      backups_.backup(backups_.store);
      backups_.keep_new();
    }
    REQUIRE(backups_.runs().size() == before + 1);
  }

  /// Comes out right, or says what is missing.
  void restore(const std::string& run) {
    const std::string target = backups_.temp / "faulty";
    const bool done = with_faults("restore", [&](store::Store& store) {
      backups_.restore(store, run, target);
      if (backups_.damaged + backups_.lost.size() > 0) {
        throw Error(ErrorKind::corrupt, "parts of the run are damaged, and were named");
      }
    });
    if (done) CHECK(differences(backups_.kept(run), target) == "");
    remove_tree(target);
  }

  void purge() {
    const auto remove = [&](store::Store& store) {
      chain::recover_interrupted(store, *backups_.state);
      const chain::Catalog catalog(store, backups_.state.get(), &backups_.keys);
      chain::remove_runs(store, *backups_.state, chain::increments_but(catalog.chains(), 1),
                         cloud_.clock(), {});
    };
    if (!with_faults("purge", remove)) {
      REQUIRE(backups_.quick_check_all() == "");  // what is still visible is whole
      remove(backups_.store);
    }
    REQUIRE(backups_.quick_check_all() == "");
  }

  void nothing_is_left_behind() {
    CHECK(orphans(backups_.store, &backups_.keys) == std::vector<std::string>());
    base::Progress progress;
    const chain::VerifyResult result = chain::verify(backups_.store, backups_.state.get(), true,
                                                     progress, {}, std::nullopt, &backups_.keys);
    CHECK(result.problems == std::vector<std::string>());
    CHECK(result.unreferenced == 0);
  }

  std::uint64_t seed_;
  Tally& tally_;
  std::uint64_t jobs_ = 0;
  std::map<std::string, std::uint64_t> fired_;
  Cloud cloud_;
  std::unique_ptr<store::B2Store> store_;
  Backups backups_;
  RandomTree tree_;
};

}  // namespace

TEST_CASE("whatever goes wrong at B2 by chance, nothing is lost", "[chain][b2][property]") {
  const char* only = std::getenv("ROTA_TEST_SEED");
  const std::uint64_t first = only != nullptr ? std::stoull(only) : 1;
  const std::uint64_t last = only != nullptr ? first : schedules();
  Tally tally;
  for (std::uint64_t seed = first; seed <= last; ++seed) Life(seed, tally).live();
  WARN("seeds " << first << " to " << last << ": " << tally.text(tally.ends) << "by "
                << tally.text(tally.fired));
}

}  // namespace rota::test
