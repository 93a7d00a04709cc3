// What of a tree is taken: rules, caches, markers and mount points. The rules' own meaning is in
// exclude_test.cpp.
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "support/files.h"
#include "support/skip.h"
#include "tree/local_source.h"
#include "tree/trees.h"

namespace rota::tree {

using test::TempDir;
using List = std::vector<std::string>;

namespace {

constexpr const char* kSignature = "Signature: 8a477f597d28d172789f06886806bc55";

/// Rules with '@' for the tree's root.
Selection with_rules(const TempDir& temp, std::string text) {
  for (std::size_t at = 0; (at = text.find('@', at)) != std::string::npos;) {
    text.replace(at, 1, temp.path());
  }
  Selection selection;
  selection.rules = ExcludeRules::parse(text, "rules");
  return selection;
}

void make(const TempDir& temp, const List& names) {
  for (const std::string& name : names) {
    if (name.back() == '/') {
      test::write(temp / (name + "x"), "");
      ::unlink((temp / (name + "x")).c_str());
    } else {
      test::write(temp / name, "");
    }
  }
}

}  // namespace

TEST_CASE("what is left out is left out with all that is below", "[selection]") {
  const TempDir temp;
  make(temp, {"a/b/c", "a/d", "e.o", "f/"});
  CHECK(paths(walk(temp.path(), with_rules(temp, "- @/a/b\n- **.o\n"))) ==
        List{"", "a", "a/d", "f"});
  CHECK(paths(walk(temp.path(), with_rules(temp, "- @/f/\n"))) ==
        List{"", "a", "a/b", "a/b/c", "a/d", "e.o"});
}

TEST_CASE("the root is always taken", "[selection]") {
  const TempDir temp;
  make(temp, {"a/b"});
  CHECK(paths(walk(temp.path(), with_rules(temp, "- **\n"))) == List{""});
  CHECK(paths(walk(temp.path(), with_rules(temp, "- @\n"))) == List{""});
}

TEST_CASE("a directory above what is named is taken only with something below it", "[selection]") {
  const TempDir temp;
  make(temp, {"a/b/keep/x", "a/b/no", "a/c/no", "d/e/f/", "g/keep", "h"});
  CHECK(paths(walk(temp.path(), with_rules(temp, "+ **/keep\n- **\n"))) ==
        List{"", "a", "a/b", "a/b/keep", "a/b/keep/x", "g", "g/keep"});
  // Held directories come in their order, each once, before what they were held for.
  make(temp, {"a/b/z/y/keep"});
  CHECK(paths(walk(temp.path(), with_rules(temp, "+ **/keep\n- **\n"))) ==
        List{"", "a", "a/b", "a/b/keep", "a/b/keep/x", "a/b/z", "a/b/z/y", "a/b/z/y/keep", "g",
             "g/keep"});
}

TEST_CASE("held directories keep their own metadata", "[selection]") {
  const TempDir temp;
  make(temp, {"a/b/keep", "a/b/no"});
  ::chmod((temp / "a").c_str(), 0711);
  ::chmod((temp / "a/b").c_str(), 0722);
  const std::vector<Entry> entries = walk(temp.path(), with_rules(temp, "+ **/keep\n- **\n"));
  CHECK(paths(entries) == List{"", "a", "a/b", "a/b/keep"});
  CHECK(at(entries, "a").mode == 0711);
  CHECK(at(entries, "a").inode == status(temp / "a").st_ino);
  CHECK(at(entries, "a/b").mode == 0722);
  CHECK(at(entries, "a/b/keep").is_file());
}

TEST_CASE("a plus without a minus drops no empty directory", "[selection]") {
  const TempDir temp;
  make(temp, {"empty/", "a/keep"});
  CHECK(paths(walk(temp.path(), with_rules(temp, "+ **/keep\n"))) ==
        List{"", "a", "a/keep", "empty"});
}

TEST_CASE("of a cache only the tag is kept, if it is a true one", "[selection]") {
  const TempDir temp;
  make(temp, {"cache/junk", "cache/sub/junk", "false/junk", "short/junk", "fifo/junk", "z"});
  test::write(temp / "cache/CACHEDIR.TAG", fmt::format("{}\n# made by a test\n", kSignature));
  test::write(temp / "false/CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc5X");
  test::write(temp / "short/CACHEDIR.TAG", "Signature:");
  REQUIRE(::mkfifo((temp / "fifo/CACHEDIR.TAG").c_str(), 0644) == 0);  // must not wait for a writer
  Selection selection;
  const List all = paths(walk(temp.path(), selection));
  CHECK(all.size() == 16);
  selection.exclude_caches = true;
  CHECK(paths(walk(temp.path(), selection)) ==
        List{"", "cache", "cache/CACHEDIR.TAG", "false", "false/CACHEDIR.TAG", "false/junk", "fifo",
             "fifo/CACHEDIR.TAG", "fifo/junk", "short", "short/CACHEDIR.TAG", "short/junk", "z"});
}

TEST_CASE("of a directory with a marker only the marker is kept", "[selection]") {
  const TempDir temp;
  make(temp, {"a/.nobackup", "a/b/c", "a/z", "b/.skip/inside", "b/z", "c/z"});
  Selection selection;
  selection.exclude_if_present = {".nobackup", ".skip"};
  CHECK(paths(walk(temp.path(), selection)) ==
        List{"", "a", "a/.nobackup", "b", "b/.skip", "b/.skip/inside", "c", "c/z"});
}

TEST_CASE("one file system ends at mount points, which are kept empty", "[selection]") {
  const TempDir temp;
  make(temp, {"a/mount/", "z"});
  const TmpfsMount mount(temp / "a/mount", "1m");
  if (!mount.mounted()) return test::skip("needs the right to mount");
  make(temp, {"a/mount/inside"});
  Selection selection;
  CHECK(paths(walk(temp.path(), selection)) == List{"", "a", "a/mount", "a/mount/inside", "z"});
  selection.one_file_system = true;
  CHECK(paths(walk(temp.path(), selection)) == List{"", "a", "a/mount", "z"});
  // A mount point that is only scanned has nothing below it that is taken.
  selection.rules = with_rules(temp, "+ **/inside\n- **\n").rules;
  CHECK(paths(walk(temp.path(), selection)) == List{""});
}

TEST_CASE("a mount point may be the root itself", "[selection]") {
  const TempDir temp;
  const TmpfsMount mount(temp.path(), "1m");
  if (!mount.mounted()) return test::skip("needs the right to mount");
  make(temp, {"a/b"});
  Selection selection;
  selection.one_file_system = true;
  CHECK(paths(walk(temp.path(), selection)) == List{"", "a", "a/b"});
}

}  // namespace rota::tree
