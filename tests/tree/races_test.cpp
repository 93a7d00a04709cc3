// A tree that changes while it is walked and read: nothing is followed, nothing waits, nothing
// leads out of it.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>
#include <thread>

#include "support/files.h"
#include "tree/beneath.h"
#include "tree/local_source.h"
#include "tree/trees.h"

namespace rota::tree {

using test::TempDir;
using List = std::vector<std::string>;

namespace {

/// A walk that stopped at the entry of that path.
struct Stopped {
  base::CollectedWarnings warnings;
  LocalSource source;
  Entry entry;

  Stopped(const std::string& root, const std::string& path) : source(root, {}, warnings) {
    while (source.next(entry)) {
      if (entry.path == path) return;
    }
    FAIL("no such entry");
  }
  List rest() {
    List paths;
    while (source.next(entry)) paths.push_back(entry.path);
    return paths;
  }
};

void append(const std::string& path, std::string_view text) {
  const base::Fd fd(::open(path.c_str(), O_WRONLY | O_APPEND));
  REQUIRE(::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
}

std::string drain(Content& content) {
  std::string text;
  char buffer[1000];
  while (content.next_segment()) {
    while (const std::size_t n = content.read(std::as_writable_bytes(std::span(buffer)))) {
      text.append(buffer, n);
    }
  }
  return text;
}

}  // namespace

TEST_CASE("a file that nobody touches is unchanged", "[races]") {
  const TempDir temp;
  test::write(temp / "f", "hello");
  Stopped walk(temp.path(), "f");
  const auto content = walk.source.open(walk.entry);
  REQUIRE(content);
  CHECK(drain(*content) == "hello");
  CHECK(content->unchanged());
}

TEST_CASE("a file that grows is read to the size that it had", "[races]") {
  const TempDir temp;
  test::write(temp / "f", "hello");
  Stopped walk(temp.path(), "f");
  const auto content = walk.source.open(walk.entry);
  REQUIRE(content);
  append(temp / "f", " world");
  CHECK(drain(*content) == "hello");
  CHECK_FALSE(content->unchanged());
}

TEST_CASE("a file that shrinks ends early", "[races]") {
  const TempDir temp;
  test::write(temp / "f", std::string(100'000, 'x'));
  Stopped walk(temp.path(), "f");
  const auto content = walk.source.open(walk.entry);
  REQUIRE(content);
  REQUIRE(::truncate((temp / "f").c_str(), 10) == 0);
  CHECK(drain(*content) == std::string(10, 'x'));
  CHECK_FALSE(content->next_segment());
  CHECK_FALSE(content->unchanged());
}

TEST_CASE("a file that is edited in place has changed, its time put back or not", "[races]") {
  const TempDir temp;
  test::write(temp / "f", "hello");
  Stopped walk(temp.path(), "f");
  const auto content = walk.source.open(walk.entry);
  REQUIRE(content);
  CHECK(drain(*content) == "hello");
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // ctime is coarse
  test::write(temp / "f", "jello");
  set_mtime(temp / "f", walk.entry.mtime.seconds, walk.entry.mtime.nanoseconds);
  CHECK_FALSE(content->unchanged());
}

TEST_CASE("opening takes size and times from what was opened", "[races]") {
  const TempDir temp;
  test::write(temp / "f", "hello");
  Stopped walk(temp.path(), "f");
  append(temp / "f", " world");
  set_mtime(temp / "f", 5, 6);
  REQUIRE(::chmod((temp / "f").c_str(), 0600) == 0);
  const auto content = walk.source.open(walk.entry);
  REQUIRE(content);
  CHECK(walk.entry.size == 11);
  CHECK(walk.entry.mtime == Timestamp{5, 6});
  CHECK(walk.entry.mode == 0600);
  CHECK(drain(*content) == "hello world");
  CHECK(content->unchanged());
}

TEST_CASE("a file that became another thing before it was opened is gone", "[races]") {
  const TempDir temp;
  test::write(temp / "outside", "secret");
  test::write(temp / "tree/d/f", "hello");
  Stopped walk(temp / "tree", "d/f");
  const std::string path = temp / "tree/d/f";
  REQUIRE(::unlink(path.c_str()) == 0);
  SECTION("nothing") {}
  SECTION("a fifo, which must not be waited for") { REQUIRE(::mkfifo(path.c_str(), 0600) == 0); }
  SECTION("a symlink, which must not be followed") {
    REQUIRE(::symlink((temp / "outside").c_str(), path.c_str()) == 0);
  }
  SECTION("a directory") { REQUIRE(::mkdir(path.c_str(), 0700) == 0); }
  SECTION("its directory is a symlink that leads out") {
    test::write(temp / "elsewhere/f", "secret");
    REQUIRE(::rmdir((temp / "tree/d").c_str()) == 0);
    REQUIRE(::symlink((temp / "elsewhere").c_str(), (temp / "tree/d").c_str()) == 0);
  }
  CHECK(walk.source.open(walk.entry) == nullptr);
  CHECK(texts(walk.warnings) == WarningList{});
  CHECK_FALSE(walk.entry.unreadable);
}

TEST_CASE("a special entry that vanished is not completed", "[races]") {
  const TempDir temp;
  REQUIRE(::symlink("x", (temp / "s").c_str()) == 0);
  Stopped walk(temp.path(), "s");
  REQUIRE(::unlink((temp / "s").c_str()) == 0);
  CHECK_FALSE(walk.source.complete(walk.entry));
  test::write(temp / "s", "a file now");
  CHECK_FALSE(walk.source.complete(walk.entry));
  CHECK(texts(walk.warnings) == WarningList{});
}

TEST_CASE("a directory that becomes a symlink during the walk never leads out", "[races]") {
  const TempDir temp;
  test::write(temp / "outside/secret", "");
  test::write(temp / "tree/a", "");
  test::write(temp / "tree/d/inside", "");
  test::write(temp / "tree/z", "");
  const std::string path = temp / "tree/d";
  const auto swap = [&] {
    REQUIRE(::rename(path.c_str(), (temp / "moved").c_str()) == 0);
    REQUIRE(::symlink((temp / "outside").c_str(), path.c_str()) == 0);
  };
  SECTION("before it is reached it is a symlink") {
    Stopped walk(temp / "tree", "a");
    swap();
    CHECK(walk.rest() == List{"d", "z"});
    CHECK(texts(walk.warnings) == WarningList{});
  }
  SECTION("while it is walked, what was opened is walked on") {
    Stopped walk(temp / "tree", "d");
    swap();
    CHECK(walk.rest() == List{"d/inside", "z"});
  }
}

TEST_CASE("names that vanish during the walk are passed over silently", "[races]") {
  const TempDir temp;
  for (const char* name : {"a", "b", "c/d", "e"}) test::write(temp / name, "");
  Stopped walk(temp.path(), "a");
  ::unlink((temp / "b").c_str());
  test::remove_tree(temp / "c");
  CHECK(walk.rest() == List{"e"});
  CHECK(texts(walk.warnings) == WarningList{});
}

TEST_CASE("a deep directory that is moved during the walk costs only what was left of it",
          "[races]") {
  const TempDir temp;
  make_deep(temp / "tree", 130);
  const auto level = [&](int depth) {
    std::string path = temp / "tree";
    for (int i = 0; i < depth; ++i) path += "/d";
    return path;
  };
  test::write(level(0) + "/z", "");
  test::write(level(5) + "/y", "");
  test::write(level(12) + "/x", "");
  // By then the descriptors of the first levels are closed, and have to be found again.
  Stopped walk(temp / "tree", level(99).substr((temp / "tree/").size()));
  REQUIRE(::rename(level(10).c_str(), (temp / "moved").c_str()) == 0);
  List expected = {"x", "y", "z"};
  std::size_t warnings = 0;
  SECTION("to a place outside: it is read on to its end") {}
  SECTION("and another directory stands in its place") { test::write(level(10) + "/other", ""); }
  SECTION("and a piece of it was moved again, so that nothing leads back") {
    REQUIRE(::rename((temp / "moved/d/d/d").c_str(), (temp / "piece").c_str()) == 0);
    // What stands where the way back seems to lead is not taken for it.
    for (const char* name : {"x", "y", "z"}) test::write(temp / name, "");
    expected = {"y", "z"};
    warnings = 3;  // levels 10, 11 and 12
  }
  List found;
  while (walk.source.next(walk.entry)) {
    const std::string path = walk.entry.path;
    // Of what may be there and was not looked at, nobody can say that it is gone.
    if (base_name(path) == "y") {
      const std::string lost = level(12).substr((temp / "tree/").size()) + "/x";
      CHECK(walk.source.can_tell(lost) == (warnings == 0));
      CHECK(walk.source.can_tell(level(9).substr((temp / "tree/").size()) + "/q"));
    }
    if (base_name(path).find_first_of("xyz") == 0) found.emplace_back(base_name(path));
    CHECK(path.find("other") == std::string::npos);
  }
  CHECK(found == expected);
  CHECK(walk.warnings.list.size() == warnings);
}

TEST_CASE("a file under a lease is opened when its holder gives it back", "[races]") {
  const TempDir temp;
  test::write(temp / "f", "hello");
  const auto before = std::signal(SIGIO, SIG_IGN);
  base::Fd holder(::open((temp / "f").c_str(), O_RDWR | O_CLOEXEC));
  if (::fcntl(holder.get(), F_SETLEASE, F_WRLCK) == 0) {
    const std::jthread later([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      ::fcntl(holder.get(), F_SETLEASE, F_UNLCK);
    });
    Stopped walk(temp.path(), "f");
    const auto content = walk.source.open(walk.entry);
    REQUIRE(content);
    CHECK(drain(*content) == "hello");
  }
  std::signal(SIGIO, before);
}

TEST_CASE("a path is opened beneath a directory without following any symlink", "[beneath]") {
  const TempDir temp;
  test::write(temp / "top/a/b/file", "x");
  test::write(temp / "outside/file", "x");
  REQUIRE(::symlink("a", (temp / "top/inner").c_str()) == 0);
  REQUIRE(::symlink((temp / "outside").c_str(), (temp / "top/outer").c_str()) == 0);
  REQUIRE(::symlink("a/b/file", (temp / "top/link").c_str()) == 0);
  const base::Fd top(::open((temp / "top").c_str(), O_PATH | O_DIRECTORY));
  CHECK(open_beneath(top.get(), "a/b/file", O_RDONLY).valid());
  CHECK(open_beneath(top.get(), "", O_RDONLY | O_DIRECTORY).valid());
  for (const char* path : {"inner/b/file", "outer/file", "link", "a/../../outside/file", "..",
                           "/etc/passwd", "absent", "a/b/file/x"}) {
    CAPTURE(path);
    CHECK_FALSE(open_beneath(top.get(), path, O_RDONLY).valid());
  }
  // The link itself can be looked at.
  CHECK(open_beneath(top.get(), "link", O_PATH).valid());
  CHECK(open_beneath(top.get(), "outer", O_PATH).valid());
  CHECK_FALSE(open_beneath(top.get(), std::string(5'000, 'x'), O_RDONLY).valid());
}

}  // namespace rota::tree
