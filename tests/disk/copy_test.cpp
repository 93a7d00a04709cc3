// What a copy on a disk is: plain files that stock tools restore, unchanged ones shared with the
// copy before.

#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "disk/copy_fixture.h"
#include "disk/index_source.h"
#include "support/random_tree.h"
#include "tree/tree_writer.h"

namespace rota::test {

namespace {

/// The tree of a copy through its index.
void restore(CopyPlace& place, int day, const std::string& to) {
  disk::IndexSource source(place.fd(), "web", CopyPlace::name(day), place.warnings);
  tree::TreeWriter(to, {}, place.warnings, place.progress, {}).consume(source);
}

}  // namespace

TEST_CASE("a copy is the source, for cp, rsync, sha256sum and a restore", "[disk][copy]") {
  TempDir temp(fast_directory());
  const auto seed = GENERATE(1U, 2U);
  const bool racy = GENERATE(false, true);
  CAPTURE(seed, racy);
  RandomTree source(seed, temp / "source");
  write(temp / "disk/.keep", "");
  CopyPlace place(temp / "disk");
  for (int day = 0; day < 3; ++day) {
    CAPTURE(day);
    place.write(source.root(), day, racy);
    const disk::CheckResult check = place.verify(CopyPlace::partial(day));
    CAPTURE(check.damage.size(), check.differences);
    CHECK(check.good());
    place.seal(day);
    CHECK(differences(source.root(), place.tree(day)) == "");
    CHECK(check_sums(place.server() + "/" + CopyPlace::name(day)) == "");
    const std::string by_cp = temp / ("cp" + std::to_string(day));
    REQUIRE(run_program({"cp", "-a", place.tree(day), by_cp}) == "");
    CHECK(rsync_differences(source.root(), by_cp) == "");
    const std::string by_rota = temp / ("rota" + std::to_string(day));
    restore(place, day, by_rota);
    CHECK(rsync_differences(by_cp, by_rota) == "");
    wait_for_another_tick();
    source.mutate();
  }
  CHECK(place.warnings.list.empty());
}

TEST_CASE("what did not change shares its inode with the copy before", "[disk][copy]") {
  TempDir temp(fast_directory());
  const std::string source = temp / "source";
  write(source + "/same", "same");
  write(source + "/changed", "before");
  write(source + "/touched", "touched");
  write(source + "/mode", "mode");
  write(source + "/one", "two names");
  REQUIRE(run_program({"ln", source + "/one", source + "/two"}) == "");
  REQUIRE(run_program({"ln", "-s", "somewhere", source + "/symlink"}) == "");
  REQUIRE(run_program({"mkfifo", source + "/fifo"}) == "");
  write(temp / "disk/.keep", "");
  CopyPlace place(temp / "disk");
  const disk::CopySummary first = place.copy(source, 0);
  CHECK(first.record.new_inodes == 7);
  CHECK(first.record.linked == 0);
  CHECK(first.changes.predecessor == "");

  wait_for_another_tick();
  write(source + "/changed", "behind");
  REQUIRE(::chmod((source + "/touched").c_str(), 0600) == 0);
  REQUIRE(::chmod((source + "/touched").c_str(), 0644) == 0);  // only its ctime is another
  REQUIRE(::chmod((source + "/mode").c_str(), 0751) == 0);
  write(source + "/new.txt", "new");
  const disk::CopySummary second = place.copy(source, 1);
  const auto shared = [&](const std::string& name) {
    return inode_of(place.tree(0) + "/" + name) == inode_of(place.tree(1) + "/" + name);
  };
  CHECK(shared("same"));
  CHECK(shared("touched"));
  CHECK(shared("one"));
  CHECK(shared("two"));
  CHECK(shared("symlink"));
  CHECK(shared("fifo"));
  CHECK_FALSE(shared("changed"));
  CHECK_FALSE(shared("mode"));
  CHECK(differences(source, place.tree(1)) == "");
  CHECK(second.record.linked == 5);
  CHECK(second.record.new_inodes == 3);
  CHECK(second.changes.predecessor == CopyPlace::name(0));
  CHECK(second.changes.same.count == 6);
  CHECK(second.changes.touched.examples == std::vector<std::string>{"mode"});
  CHECK(second.changes.changed.examples == std::vector<std::string>{"changed"});
  CHECK(second.changes.added_extensions == std::map<std::string, std::uint64_t>{{"txt", 1}});
  CHECK(second.changes.removed.count == 0);
}

}  // namespace rota::test
