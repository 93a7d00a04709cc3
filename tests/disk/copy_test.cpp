// What a copy on a disk is: plain files that stock tools restore, unchanged ones shared with the
// copy before.

#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "disk/copy_fixture.h"
#include "disk/index_source.h"
#include "support/random_tree.h"
#include "tree/local_source.h"
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

TEST_CASE("names that were one file and are two now do not share an inode", "[disk][copy]") {
  TempDir temp(fast_directory());
  const std::string source = temp / "source";
  write(source + "/one", "content");
  REQUIRE(run_program({"ln", source + "/one", source + "/two"}) == "");
  write(temp / "disk/.keep", "");
  CopyPlace place(temp / "disk");
  place.copy(source, 0);
  wait_for_another_tick();
  REQUIRE(run_program({"sh", "-c", "cd \"$1\" && cp -p two new && mv new two", "sh", source}) ==
          "");
  place.copy(source, 1);
  CHECK(inode_of(place.tree(1) + "/one") != inode_of(place.tree(1) + "/two"));
  CHECK(differences(source, place.tree(1)) == "");
  // And the other way round.
  wait_for_another_tick();
  REQUIRE(run_program({"ln", "-f", source + "/one", source + "/two"}) == "");
  place.copy(source, 2);
  CHECK(inode_of(place.tree(2) + "/one") == inode_of(place.tree(2) + "/two"));
  CHECK(differences(source, place.tree(2)) == "");
}

namespace {

/// The times of its files never change, as if each change came within one tick.
class Frozen final : public tree::Source {
 public:
  Frozen(tree::Source& inner, std::int64_t seconds) : inner_(inner), seconds_(seconds) {}
  bool next(tree::Entry& entry) override { return inner_.next(entry) && freeze(entry); }
  bool complete(tree::Entry& entry) override { return inner_.complete(entry); }
  std::unique_ptr<tree::Content> open(tree::Entry& entry) override {
    auto content = inner_.open(entry);
    freeze(entry);
    return content;
  }

 private:
  bool freeze(tree::Entry& entry) const {
    entry.ctime = entry.mtime = {seconds_, 0};
    return true;
  }
  tree::Source& inner_;
  std::int64_t seconds_;
};

/// What cannot be read.
class Unreadable final : public tree::Source {
 public:
  explicit Unreadable(tree::Source& inner) : inner_(inner) {}
  bool next(tree::Entry& entry) override {
    const bool there = inner_.next(entry);
    entry.ctime.nanoseconds ^= 1;
    return there;
  }
  bool complete(tree::Entry& entry) override { return inner_.complete(entry); }
  std::unique_ptr<tree::Content> open(tree::Entry& entry) override {
    entry.unreadable = true;
    return nullptr;
  }

 private:
  tree::Source& inner_;
};

}  // namespace

TEST_CASE("a file that may have changed within one tick is read again", "[disk][copy]") {
  TempDir temp(fast_directory());
  const std::string source = temp / "source";
  write(temp / "disk/.keep", "");
  CopyPlace place(temp / "disk");
  // The clock of the copy says 4'000'000'000.
  const bool racy = GENERATE(true, false);
  const std::int64_t seconds = racy ? 3'999'999'999 : 1'000'000'000;
  for (int day = 0; day < 2; ++day) {
    write(source + "/a", day == 0 ? "first" : "later");
    tree::LocalSource all(source, {}, place.warnings);
    Frozen frozen(all, seconds);
    place.copy(frozen, day);
  }
  CHECK(read(place.tree(1) + "/a") == (racy ? "later" : "first"));
}

TEST_CASE("of a file that cannot be read the older state is kept", "[disk][copy]") {
  TempDir temp(fast_directory());
  const std::string source = temp / "source";
  write(source + "/a", "content");
  write(temp / "disk/.keep", "");
  CopyPlace place(temp / "disk");
  place.copy(source, 0);
  tree::LocalSource all(source, {}, place.warnings);
  Unreadable unreadable(all);
  CHECK(place.copy(unreadable, 1).record.warnings == 1);
  CHECK(inode_of(place.tree(0) + "/a") == inode_of(place.tree(1) + "/a"));
  CHECK(place.verify(CopyPlace::name(1), {.what = disk::What::everything}).good());
  // It is looked at again.
  write(source + "/a", "changed");
  CHECK(place.copy(source, 2).changes.changed.count == 1);
}

TEST_CASE("only a complete copy is sealed, and no other replaced", "[disk][copy]") {
  TempDir temp(fast_directory());
  write(temp / "source/a", "a");
  write(temp / "disk/.keep", "");
  CopyPlace place(temp / "disk");
  place.copy(temp / "source", 0);
  CHECK_THROWS_AS(place.write(temp / "source", 0), base::Error);
  place.write(temp / "source", 1);
  REQUIRE(run_program({"rm", place.server() + "/" + CopyPlace::partial(1) + "/COPY.json"}) == "");
  CHECK_THROWS_AS(place.seal(1), base::Error);
  CHECK(place.list() == std::vector<std::string>{"sealed " + CopyPlace::name(0),
                                                 "partial " + CopyPlace::partial(1)});
}

TEST_CASE("deep trees are copied, verified and removed, and long paths counted", "[disk][copy]") {
  TempDir temp(fast_directory());
  const std::string source = temp / "source";
  write(source + "/top", "top");
  REQUIRE(run_program({"sh", "-c",
                       "cd \"$1\" && n=$(printf '%0200d' 0) && for i in $(seq 40); do mkdir $n && "
                       "cd -P ./$n || exit 1; echo deep > file; done",
                       "sh", source}) == "");
  write(temp / "disk/.keep", "");
  CopyPlace place(temp / "disk");
  CHECK(place.copy(source, 0).record.long_paths > 10);
  CHECK(place.copy(source, 1).record.new_inodes == 0);
  CHECK(place.verify(CopyPlace::name(1), {.what = disk::What::everything}).good());
  CHECK(check_sums(place.server() + "/" + CopyPlace::name(1)) == "");
  place.remove(CopyPlace::name(0));
  place.remove(CopyPlace::name(1));
  CHECK(place.list().empty());
}

}  // namespace rota::test
