#include "chain/interruption.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>

#include "chain/verify.h"

namespace rota::test {

namespace fs = std::filesystem;

void prepare(Backups& backups, Stage stage, bool volumes) {
  write(backups.path("a"), "first");
  write(backups.path("dir/b"), noise(20'000, 1));
  if (stage == Stage::increment) {
    backups.run();
    write(backups.path("a"), "second");
    write(backups.path("gone"), "soon");
    backups.run();
    fs::remove(backups.path("gone"));
    fs::create_hard_link(backups.path("dir/b"), backups.path("dir/hard"));
    write(backups.path("dir/b"), noise(20'000, 1) + "more");
    write(backups.path("a"), "third");
  }
  if (volumes) write(backups.path("big"), noise(36 << 20, 2));
}

bool check_and_go_on(Backups& backups, std::size_t runs_before) {
  backups.reopen_state();
  backups.keep_new();
  const std::vector<std::string> runs = backups.runs();
  const std::size_t visible = runs.size();
  // A run whose removal had begun goes with the next backup.
  const auto removal = backups.state->removal();
  const bool going = removal && std::ranges::find(runs, removal->run) != runs.end();
  CHECK(visible >= runs_before);
  CHECK(visible <= runs_before + 1);
  REQUIRE(backups.quick_check_all() == "");
  write(backups.path("dir/afterwards"), "new");
  const chain::RunRecord record = backups.run();
  CHECK(record.kind == (visible > 0 ? chain::RunKind::increment : chain::RunKind::full));
  CHECK(backups.runs().size() == visible + (going ? 0 : 1));
  REQUIRE(backups.quick_check_all() == "");
  REQUIRE(orphans(backups.store, &backups.keys) == std::vector<std::string>());
  base::Progress progress;
  const auto verified = chain::verify(backups.store, backups.state.get(), true, progress, {});
  REQUIRE(verified.problems == std::vector<std::string>());
  return visible > runs_before;
}

}  // namespace rota::test
