// Names that become something else from one run to the next, and runs of which only a part is
// wanted.
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "base/error.h"
#include "base/kind_of.h"
#include "chain/behaviour.h"
#include "tree/local_source.h"

namespace rota::test {

using base::ErrorKind;
using chain::RunRecord;

namespace fs = std::filesystem;

TEST_CASE("a name may become another kind of thing", "[chain]") {
  Backups backups;
  const auto make = [&](const std::string& name, int kind) {
    const std::string path = backups.path(name);
    remove_tree(path);
    if (kind == 0) write(path, noise(3'000, name.size()));
    if (kind == 1) write(path + "/inside/file", "inside " + name);
    if (kind == 2) fs::create_symlink("somewhere", path);
    if (kind == 3) REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    if (kind == 4) write(path, noise(kLarge, 1));
    if (kind == 5) fs::create_hard_link(backups.path("0"), path);
  };
  constexpr int kKinds = 6;
  write(backups.path("0"), "the first name");
  for (int from = 0; from < kKinds; ++from) {
    for (int to = 0; to < kKinds; ++to) make("x" + std::to_string(from * kKinds + to), from);
  }
  CHECK(is_restored(backups, backups.run()));
  for (int from = 0; from < kKinds; ++from) {
    for (int to = 0; to < kKinds; ++to) make("x" + std::to_string(from * kKinds + to), to);
  }
  const RunRecord record = backups.run();
  CHECK(lines(backups.warnings) == "");
  CHECK(is_restored(backups, record));
  CHECK(backups.check(record.run) == "");
}

TEST_CASE("a hard link's first name goes away", "[chain]") {
  Backups backups;
  make_tree(backups);
  fs::create_hard_link(backups.path("a"), backups.path("b"));
  fs::create_hard_link(backups.path("a"), backups.path("dir/a"));
  fs::create_hard_link(backups.path("large"), backups.path("larger"));
  const RunRecord first = backups.run();
  CHECK(backups.check(first.run) == "");
  fs::remove(backups.path("a"));
  fs::remove(backups.path("large"));
  const RunRecord second = backups.run();
  CHECK(backups.check(second.run) == "");
  CHECK(volumes(second) == 0);
  // And a new first name comes.
  fs::create_hard_link(backups.path("b"), backups.path("0"));
  const RunRecord third = backups.run();
  CHECK(backups.check(third.run) == "");
  CHECK(volumes(third) == 0);
  CHECK(backups.check(first.run) == "");
}

TEST_CASE("a hard link whose first name vanishes while it is read comes with the next run",
          "[chain]") {
  Backups backups;
  write(backups.path("a"), "two names");
  write(backups.path("dir/c"), "another");
  fs::create_hard_link(backups.path("a"), backups.path("dir/b"));
  const bool known = GENERATE(true, false);
  if (known) backups.run();
  write(backups.path("a"), "changed");
  backups.clock.advance(std::chrono::hours(24));
  base::CollectedWarnings ignored;
  tree::LocalSource local(backups.tree, {}, ignored);
  WatchedSource source(local);
  source.on_open = [&](tree::Entry& entry) {
    if (entry.path == "a") fs::remove(backups.path("a"));
    return true;
  };
  const RunRecord record = backups.backup(backups.store, source);
  // Its content cannot be had any more; that is said now and when it is missed.
  REQUIRE(backups.warnings.size() == 1);
  CHECK(backups.warnings.front().first == "a");
  for (const bool merge : {false, true}) {
    for (const char* part : {"", "dir"}) {
      const std::string target = backups.temp / "restored";
      remove_tree(target);
      if (merge) write(target + "/a", "a stranger's");
      tree::TreeWriterOptions options;
      options.merge = merge;
      backups.restore(record.run, target, {part}, options);
      REQUIRE(backups.warnings.size() == 1);
      CHECK(backups.warnings.front().first == target + "/dir/b");
      CHECK_FALSE(base::exists(target + "/dir/b"));
      CHECK(read(target + "/dir/c") == "another");
    }
  }
  CHECK(is_restored(backups, backups.run()));
}

TEST_CASE("parts of a run are restored alone", "[chain]") {
  Backups backups;
  make_tree(backups);
  write(backups.path("dir.txt"), "sorts behind all that is in dir");
  fs::create_hard_link(backups.path("a"), backups.path("dir/hard1"));
  fs::create_hard_link(backups.path("a"), backups.path("dir/sub/hard2"));
  fs::create_hard_link(backups.path("large"), backups.path("zlarge"));
  backups.run();
  write(backups.path("dir/sub/later"), "later");
  const RunRecord record = backups.run();
  const auto part = [&](const std::vector<std::string>& paths) {
    const std::string target = backups.temp / "part";
    remove_tree(target);
    backups.restore(record.run, target, paths);
    CHECK(lines(backups.warnings) == "");
    std::vector<std::string> names = listing(target);
    for (const std::string& name : names) {
      INFO(name);
      struct stat st {};
      REQUIRE(::lstat((target + "/" + name).c_str(), &st) == 0);
      struct stat original {};
      REQUIRE(::lstat(backups.path(name).c_str(), &original) == 0);
      CHECK(st.st_mode == original.st_mode);
      CHECK(st.st_mtim.tv_nsec == original.st_mtim.tv_nsec);
      if (S_ISREG(st.st_mode)) {
        CHECK(read(target + "/" + name) == read(backups.path(name)));
      }
    }
    return names;
  };
  using Names = std::vector<std::string>;
  CHECK(part({"a"}) == Names{"a"});
  CHECK(part({"dir/sub/later"}) == Names{"dir", "dir/sub", "dir/sub/later"});
  CHECK(part({"zlarge"}) == Names{"zlarge"});
  CHECK(part({"dir.txt", "dir/b", "link"}) == Names{"dir", "dir.txt", "dir/b", "link"});
  CHECK(part({"dir/sub", "dir/sub/c"}) ==
        Names{"dir", "dir/sub", "dir/sub/c", "dir/sub/hard2", "dir/sub/later"});
  CHECK(part({""}).size() == listing(backups.tree).size());
  CHECK(part({"dir"}) == Names{"dir", "dir/b", "dir/hard1", "dir/sub", "dir/sub/c", "dir/sub/hard2",
                               "dir/sub/later"});
  // Their first name was not wanted; they are still one file.
  CHECK(inode(backups.temp / "part/dir/hard1") == inode(backups.temp / "part/dir/sub/hard2"));
  CHECK(part({"a", "dir/hard1"}) == Names{"a", "dir", "dir/hard1"});
  CHECK(inode(backups.temp / "part/dir/hard1") == inode(backups.temp / "part/a"));
  for (const char* absent : {"absent", "a/b", "dir/suc", "dir/sub/c/d", "di"}) {
    INFO(absent);
    CHECK(kind_of([&] { part({absent}); }) == ErrorKind::not_found);
  }
}

}  // namespace rota::test
