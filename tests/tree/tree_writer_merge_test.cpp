// Writing into a directory that holds something already.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "support/files.h"
#include "support/random_tree.h"
#include "tree/fake_source.h"
#include "tree/tree_writer.h"
#include "tree/trees.h"

namespace rota::tree {

using test::TempDir;
using List = std::vector<std::string>;

namespace {

const TreeWriterOptions kMerge{.merge = true};

}  // namespace

TEST_CASE("names that arrive replace their predecessors, others stay", "[merge]") {
  const TempDir temp;
  test::write(temp / "from/both", "new");
  test::write(temp / "from/d/both", "new");
  test::write(temp / "from/d/new", "new");
  REQUIRE(::symlink("new", (temp / "from/s").c_str()) == 0);
  REQUIRE(::mkfifo((temp / "from/p").c_str(), 0600) == 0);
  test::write(temp / "to/both", "old and longer");
  test::write(temp / "to/d/both", "old");
  test::write(temp / "to/d/other", "old");
  test::write(temp / "to/s", "old");
  test::write(temp / "to/p", "old");
  test::write(temp / "to/z", "old");
  const ino_t old = status(temp / "to/both").st_ino;
  const base::Fd reader(::open((temp / "to/both").c_str(), O_RDONLY));
  CHECK(copy(temp / "from", temp / "to", kMerge) == WarningList{});
  CHECK(paths(walk(temp / "to")) ==
        List{"", "both", "d", "d/both", "d/new", "d/other", "p", "s", "z"});
  CHECK(test::read(temp / "to/both") == "new");
  CHECK(test::read(temp / "to/d/other") == "old");
  CHECK(S_ISLNK(status(temp / "to/s").st_mode));
  CHECK(S_ISFIFO(status(temp / "to/p").st_mode));
  // By a rename: who reads the old one is not disturbed.
  CHECK(status(temp / "to/both").st_ino != old);
  char text[20];
  CHECK(::read(reader.get(), text, sizeof text) == 14);
}

TEST_CASE("a file is replaced though other names of it exist", "[merge]") {
  const TempDir temp;
  test::write(temp / "from/a", "new");
  test::write(temp / "to/a", "old");
  REQUIRE(::link((temp / "to/a").c_str(), (temp / "kept").c_str()) == 0);
  CHECK(copy(temp / "from", temp / "to", kMerge) == WarningList{});
  CHECK(test::read(temp / "to/a") == "new");
  CHECK(test::read(temp / "kept") == "old");
}

TEST_CASE("a symlink gives way and is not followed", "[merge]") {
  const TempDir temp;
  test::write(temp / "outside/f", "old");
  test::write(temp / "from/d/f", "new");
  test::write(temp / "from/g", "new");
  REQUIRE(::mkdir((temp / "to").c_str(), 0755) == 0);
  REQUIRE(::symlink((temp / "outside").c_str(), (temp / "to/d").c_str()) == 0);
  REQUIRE(::symlink((temp / "outside/f").c_str(), (temp / "to/g").c_str()) == 0);
  CHECK(copy(temp / "from", temp / "to", kMerge) == WarningList{});
  CHECK(test::differences(temp / "from", temp / "to") == "");
  CHECK(test::read(temp / "outside/f") == "old");
  CHECK(S_ISDIR(status(temp / "to/d").st_mode));
}

TEST_CASE("a file gives way to a directory, a directory to nothing", "[merge]") {
  const TempDir temp;
  test::write(temp / "from/a/inside", "new");
  test::write(temp / "to/a", "old");
  for (const char* name : {"file", "link", "second", "fifo"})
    test::write(temp / "to/" + name + "/x", "old");
  test::write(temp / "from/file", "new");
  REQUIRE(::symlink("x", (temp / "from/link").c_str()) == 0);
  REQUIRE(::mkfifo((temp / "from/fifo").c_str(), 0600) == 0);
  test::write(temp / "from/first", "new");
  REQUIRE(::link((temp / "from/first").c_str(), (temp / "from/second").c_str()) == 0);
  test::write(temp / "from/z", "new");
  const WarningList warnings = copy(temp / "from", temp / "to", kMerge);
  CHECK(warnings.size() == 4);
  CHECK(paths(walk(temp / "to")) == List{"", "a", "a/inside", "fifo", "fifo/x", "file", "file/x",
                                         "first", "link", "link/x", "second", "second/x", "z"});
  CHECK(test::read(temp / "to/z") == "new");
}

TEST_CASE("directories that are taken over get the metadata that arrives, and only that",
          "[merge]") {
  const TempDir temp;
  test::write(temp / "from/d/f", "new");
  set_xattr(temp / "from/d", "user.both", "new");
  set_mtime(temp / "from/d", 5, 5);
  REQUIRE(::chmod((temp / "from/d").c_str(), 0751) == 0);
  test::write(temp / "to/d/g", "old");
  set_xattr(temp / "to/d", "user.both", "old");
  set_xattr(temp / "to/d", "user.old", "old");
  set_xattr(temp / "to/d", "system.posix_acl_access", acl_for(4711, 7));
  set_xattr(temp / "to/d", "system.posix_acl_default", acl_for(4711, 7));
  set_xattr(temp / "to", "system.posix_acl_access", acl_for(4711, 7));
  set_xattr(temp / "to/d/g", "user.old", "stays");
  CHECK(copy(temp / "from", temp / "to", kMerge) == WarningList{});
  CHECK(get_xattr(temp / "to/d/g", "user.old") == "stays");
  REQUIRE(::unlink((temp / "to/d/g").c_str()) == 0);
  set_mtime(temp / "to/d", 5, 5);
  CHECK(test::differences(temp / "from", temp / "to") == "");
}

TEST_CASE("merging the same tree again changes nothing and leaves nothing behind", "[merge]") {
  for (std::uint64_t seed = 100; seed < 103; ++seed) {
    CAPTURE(seed);
    const TempDir temp;
    const test::RandomTree tree(seed, temp / "from");
    for (int i = 0; i < 3; ++i) {
      CHECK(copy(tree.root(), temp / "to", kMerge) == WarningList{});
      CHECK(test::differences(tree.root(), temp / "to") == "");
    }
  }
}

TEST_CASE("names that look like rota's own temporary ones come over like others", "[merge]") {
  const TempDir temp;
  REQUIRE(::mkdir((temp / "from").c_str(), 0755) == 0);
  REQUIRE(::symlink("x", (temp / "from/.rota-restore.tmp").c_str()) == 0);
  REQUIRE(::symlink("x", (temp / "from/a").c_str()) == 0);
  test::write(temp / "from/.rota-restore.tmp-0", "x");
  REQUIRE(::mkfifo((temp / "from/z").c_str(), 0600) == 0);
  CHECK(copy(temp / "from", temp / "to", kMerge) == WarningList{});
  CHECK(test::differences(temp / "from", temp / "to") == "");
}

TEST_CASE("a hard link never becomes a name of what stood there before", "[merge]") {
  const TempDir temp;
  test::write(temp / "to/a", "old");
  test::write(temp / "to/b", "old too");
  FakeSource source;
  source.add_file("a", "new", true).links = 2;
  source.set_text("bad");
  source.add("b", EntryKind::hard_link, "a");
  source.add("c", EntryKind::hard_link, "a");
  std::uint64_t damaged = 0;
  CHECK(write_tree(source, temp / "to", kMerge, &damaged).size() == 3);
  CHECK(damaged == 1);
  CHECK(test::read(temp / "to/a") == "old");
  CHECK(test::read(temp / "to/b") == "old too");
  CHECK(paths(walk(temp / "to")) == List{"", "a", "b"});
}

TEST_CASE("hard links of all kinds replace what stood there", "[merge]") {
  const TempDir temp;
  test::write(temp / "from/a", "new");
  REQUIRE(::link((temp / "from/a").c_str(), (temp / "from/b").c_str()) == 0);
  REQUIRE(::symlink("x", (temp / "from/s").c_str()) == 0);
  REQUIRE(::linkat(AT_FDCWD, (temp / "from/s").c_str(), AT_FDCWD, (temp / "from/t").c_str(), 0) ==
          0);
  for (const char* name : {"to/a", "to/b", "to/s", "to/t"}) test::write(temp / name, "old");
  CHECK(copy(temp / "from", temp / "to", kMerge) == WarningList{});
  CHECK(test::differences(temp / "from", temp / "to") == "");
}

TEST_CASE("what fails in merge mode leaves no temporary name", "[merge]") {
  const TempDir temp;
  test::write(temp / "to/a", "old");
  FakeSource source;
  source.add_file("a", "new");
  source.on_read([] { throw base::Error(base::ErrorKind::unavailable, "gone"); });
  CHECK_THROWS_AS(write_tree(source, temp / "to", kMerge), base::Error);
  CHECK(paths(walk(temp / "to")) == List{"", "a"});
  CHECK(test::read(temp / "to/a") == "old");
}

}  // namespace rota::tree
