// What each job asks of B2, by the counters of the fake: Backblaze bills calls by class.
#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "chain/chain_fixture.h"
#include "chain/chain_source.h"
#include "chain/verify.h"
#include "support/b2_cloud.h"

namespace rota::test {

namespace {

using nlohmann::json;

/// As a server has it: for one bucket, without the right to delete.
const std::vector<std::string> kWriter = {"listBuckets", "listFiles", "readFiles", "writeFiles"};

struct Cost {
  int uploads = 0;  ///< class A, with the questions for a place
  int downloads = 0;
  int listings = 0;  ///< class C, with the login
  int logins = 0;
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  int all() const { return uploads + downloads + listings; }
};

/// What a job costs that opens the store afresh, as each process does.
template <typename Job>
Cost cost_of(Cloud& cloud, const char* what, Job job) {
  cloud.control({{"reset", true}});
  job(*cloud.open_with(kWriter));
  const json counted = cloud.control();
  const json& classes = counted["classes"];
  const json& bytes = counted["bytes"];
  Cost cost;
  cost.uploads = classes.value("A", 0);
  cost.downloads = classes.value("B", 0);
  cost.listings = classes.value("C", 0);
  cost.logins = counted["calls"].value("b2_authorize_account", 0);
  cost.sent = bytes.value("received", std::uint64_t{0});
  cost.received = bytes.value("sent", std::uint64_t{0});
  WARN(fmt::format("{}: class A {}, B {}, C {} (with {} login); {} bytes sent, {} received", what,
                   cost.uploads, cost.downloads, cost.listings, cost.logins, cost.sent,
                   cost.received));
  cloud.check_manners();
  return cost;
}

/// One file of a run, as `rota fetch` does. state: null on a machine that has nothing.
void fetch(store::Store& store, const chain::LocalState* state, const std::string& run,
           const std::string& path, const std::string& target) {
  const chain::Catalog catalog(store, state);
  chain::RunRecord record = catalog.record(*catalog.find(run));
  const std::string copies = state != nullptr ? state->index_copies(record.chain) : "";
  chain::ChainSource source(store, std::move(record), copies, {path});
  base::CollectedWarnings warnings;
  base::Progress progress;
  tree::TreeWriter writer(target, {}, warnings, progress, {});
  writer.consume(source);
  CHECK(warnings.list.empty());
}

}  // namespace

TEST_CASE("a chain at B2 costs few calls", "[chain][b2]") {
  Cloud cloud;
  const auto own = cloud.open();
  Backups backups(*own);
  for (int i = 0; i < 100; ++i) {
    write(backups.path(fmt::format("d{}/f{}", i % 7, i)), noise(20'000, 5000 + i));
  }
  write(backups.path("large"), noise(20 << 20, 1));
  const auto backup = [&](store::Store& store) {
    backups.clock.advance(std::chrono::hours(24));
    backups.backup(store);
  };
  cost_of(cloud, "full of 22 MB in 101 files", backup);

  cloud.control({{"reset", true}});
  for (int i = 1; i < 60; ++i) {
    write(backups.path(fmt::format("d{}/f{}", i % 7, i)), noise(20'000, 9000 + i));
    backup(*own);
  }
  const json counted = cloud.control();
  CHECK(counted["classes"].value("B", 0) == 0);
  CHECK(counted["bytes"].value("sent", 0) < 60 * 60'000);  // one page of names at each

  write(backups.path("d3/f3"), noise(20'000, 3));
  const Cost increment = cost_of(cloud, "60th increment, one file changed", backup);
  CHECK(increment.downloads == 0);
  CHECK(increment.listings <= 3);
  const Cost nothing = cost_of(cloud, "61st increment, nothing changed", backup);
  CHECK(nothing.downloads == 0);
  CHECK(nothing.listings <= 3);

  const std::string run = backups.runs().at(60);
  for (const char* path : {"d3/f3", "d3/f94"}) {
    INFO(path);
    const Cost cold = cost_of(cloud, "one file of the 60th increment, cold", [&](auto& store) {
      fetch(store, nullptr, run, path, backups.temp / "cold");
    });
    CHECK(cold.all() <= 12);
    const Cost warm = cost_of(cloud, "one file of the 60th increment, cached", [&](auto& store) {
      fetch(store, backups.state.get(), run, path, backups.temp / "warm");
    });
    CHECK(warm.all() - warm.logins <= 2);
    for (const char* copy : {"cold", "warm"}) {
      CHECK(read(backups.temp / copy + "/" + path) == read(backups.path(path)));
      remove_tree(backups.temp / copy);
    }
  }
  cost_of(cloud, "restore of the 61st increment, cold", [&](auto& store) {
    backups.restore(store, backups.runs().back(), backups.temp / "all");
  });
  cost_of(cloud, "verify from the listing, 62 runs", [&](auto& store) {
    base::Progress progress;
    CHECK(chain::verify(store, backups.state.get(), false, progress, {}).good());
  });
}

TEST_CASE("a thousand runs are one page of a listing", "[chain][b2]") {
  Cloud cloud;
  const auto own = cloud.open();
  chain::RunRecord record;
  const base::Instant start(std::chrono::seconds(1'800'000'000));
  for (int i = 0; i < 1000; ++i) {
    record.runs.push_back(chain::new_run_name(start + std::chrono::hours(24) * i));
  }
  record.chain = record.runs.front();
  record.run = record.runs.back();
  record.kind = chain::RunKind::increment;
  record.parent = record.runs[998];
  record.parent_sha256.emplace();
  record.source = "/";
  chain::Piece piece{.run = 0, .span = 1, .entries = 1, .objects = {}, .blocks = {}};
  piece.objects.push_back({chain::ObjectType::index, 0, 100, {}, ""});
  piece.blocks.push_back({0, chain::kHeaderSize, 50, ""});
  record.pieces = {piece};
  for (const std::string& run : record.runs) {
    const auto kind = run == record.chain ? chain::RunKind::full : chain::RunKind::increment;
    own->put(chain::record_name(record.chain, run, kind),
             run == record.run ? chain::encode(record) : bytes("not looked at"));
  }
  const Cost cost = cost_of(cloud, "listing of 1,000 runs", [](store::Store& store) {
    const chain::Catalog catalog(store, nullptr);
    REQUIRE(catalog.chains().size() == 1);
    CHECK(catalog.chains()[0].runs.size() == 1000);
  });
  CHECK(cost.listings - cost.logins == 1);
  CHECK(cost.downloads == 1);
}

}  // namespace rota::test
