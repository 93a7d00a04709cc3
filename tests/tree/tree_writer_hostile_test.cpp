// Sources that lie and stores that are damaged: nothing is written outside the target, and what is
// wrong is not left behind.
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "support/files.h"
#include "tree/fake_source.h"
#include "tree/tree_writer.h"
#include "tree/trees.h"

namespace rota::tree {

using test::TempDir;
using List = std::vector<std::string>;

namespace {

/// A target beside a directory that must stay as it is.
struct Place {
  TempDir temp;
  std::string target = temp / "in/target";
  List outside_before;

  Place() {
    test::write(temp / "in/neighbour", "untouched");
    test::write(temp / "in/secret/file", "untouched");
  }
  List outside() const {
    List list;
    for (const Entry& entry : walk(temp.path())) {
      if (!is_within(entry.path, "in/target")) list.push_back(entry.path);
    }
    return list;
  }
  ~Place() {
    CHECK(outside() == List{"", "in", "in/neighbour", "in/secret", "in/secret/file"});
    CHECK(test::read(temp / "in/neighbour") == "untouched");
    CHECK(test::read(temp / "in/secret/file") == "untouched");
    CHECK(status(temp / "in/secret/file").st_nlink == 1);
    CHECK((status(temp / "in/secret").st_mode & 07777) == 0755);
  }
};

}  // namespace

TEST_CASE("a path that leads out of the tree is corrupt", "[hostile]") {
  for (const std::string path :
       {"../x", "a/../../x", "/tmp/rota-hostile", "a/./b", "..", "a//b", "a/"}) {
    for (const EntryKind kind : {EntryKind::file, EntryKind::directory, EntryKind::symlink,
                                 EntryKind::fifo, EntryKind::hard_link}) {
      CAPTURE(path);
      Place place;
      FakeSource source;
      source.add("a", EntryKind::directory);
      source.add(path, kind, "a");
      TreeWriterOptions options;
      options.merge = kind == EntryKind::file;
      CHECK(error_of([&] { write_tree(source, place.target, options); }).kind() ==
            base::ErrorKind::corrupt);
    }
  }
}

TEST_CASE("an entry whose directory is missing is corrupt", "[hostile]") {
  for (const std::string path : {"b/c", "a/b/c"}) {
    CAPTURE(path);
    Place place;
    FakeSource source;
    source.add("a", EntryKind::directory);
    source.add_file(path, "x");
    const base::Error error = error_of([&] { write_tree(source, place.target); });
    CHECK(error.kind() == base::ErrorKind::corrupt);
    CHECK(std::string(error.what()).find("missing") != std::string::npos);
  }
}

TEST_CASE("a directory that the index has lost is made for its owner only, if so asked",
          "[hostile]") {
  TreeWriterOptions options;
  options.make_lost_directories = true;
  options.merge = GENERATE(false, true);
  Place place;
  std::uint64_t damaged = 0;
  SECTION("some") {
    FakeSource source;
    source.add("a", EntryKind::directory);
    source.add_file("a/b/c/one", "1");
    source.add_file("a/b/c/two", "2");
    source.add("a/b/d", EntryKind::directory);
    source.add_file("e/three", "3");
    CHECK(write_tree(source, place.target, options, &damaged).size() == 3);
    CHECK(damaged == 3);  // a/b, a/b/c, e
    CHECK(test::read(place.target + "/a/b/c/two") == "2");
    CHECK(test::read(place.target + "/e/three") == "3");
    for (const std::string made : {"/a/b", "/a/b/c", "/e"}) {
      CHECK((status(place.target + made).st_mode & 07777) == 0700);
    }
    CHECK((status(place.target + "/a/b/d").st_mode & 07777) != 0700);
  }
  SECTION("the root") {
    FakeSource source(FakeSource::Empty{});
    source.add_file("a/x", "x");
    CHECK(write_tree(source, place.target, options, &damaged).size() == 2);
    CHECK(damaged == 2);
    CHECK(test::read(place.target + "/a/x") == "x");
  }
  SECTION("but nothing is made below what is no directory, or out of order") {
    for (const EntryKind kind : {EntryKind::symlink, EntryKind::fifo}) {
      FakeSource source;
      source.add("a", kind, place.temp / "in/secret");
      source.add_file("a/b", "x");
      CHECK(error_of([&] { write_tree(source, place.target + "1", options); }).kind() ==
            base::ErrorKind::corrupt);
      test::remove_tree(place.target + "1");
    }
    FakeSource source;
    source.add_file("d/x", "x");
    source.add_file("c/x", "x");
    CHECK(error_of([&] { write_tree(source, place.target, options); }).kind() ==
          base::ErrorKind::corrupt);
    CHECK(paths(walk(place.target)) == List{"", "d"});
  }
}

TEST_CASE("what stands below a symlink is corrupt, and the symlink is not followed", "[hostile]") {
  TreeWriterOptions options;
  options.merge = GENERATE(false, true);
  Place place;
  const std::string out = place.temp / "in/secret";
  FakeSource source;
  source.add("a", EntryKind::symlink, out);
  SECTION("a file") { source.add_file("a/b", "x"); }
  SECTION("a directory") { source.add("a/b", EntryKind::directory); }
  SECTION("the same name once more, as a directory") {
    source.add("a", EntryKind::directory);
    source.add_file("a/b", "x");
  }
  CHECK(error_of([&] { write_tree(source, place.target, options); }).kind() ==
        base::ErrorKind::corrupt);
}

TEST_CASE("a name that stands twice, or out of order, is corrupt", "[hostile]") {
  Place place;
  FakeSource source;
  source.add_file("b", "x");
  SECTION("twice as a file") { source.add_file("b", "y"); }
  SECTION("twice as another kind") { source.add("b", EntryKind::directory); }
  SECTION("too late") { source.add_file("a", "x"); }
  SECTION("in a directory that was left") {
    source.add("c", EntryKind::directory);
    source.add_file("d", "x");
    source.add_file("c/x", "x");
  }
  SECTION("the root again") { source.add("", EntryKind::directory); }
  CHECK(error_of([&] { write_tree(source, place.target); }).kind() == base::ErrorKind::corrupt);
}

TEST_CASE("a tree whose root is no directory, or missing, is corrupt", "[hostile]") {
  for (const EntryKind kind : {EntryKind::file, EntryKind::symlink, EntryKind::hard_link}) {
    Place place;
    FakeSource source(FakeSource::Empty{});
    source.add("", kind, "/etc");
    CHECK(error_of([&] { write_tree(source, place.target); }).kind() == base::ErrorKind::corrupt);
  }
  Place place;
  FakeSource source(FakeSource::Empty{});
  source.add_file("a", "x");
  CHECK(error_of([&] { write_tree(source, place.target); }).kind() == base::ErrorKind::corrupt);
}

TEST_CASE("a hard link leads only to what lies in the target", "[hostile]") {
  TreeWriterOptions options;
  options.merge = GENERATE(false, true);
  Place place;
  FakeSource source;
  SECTION("out by its path") {
    for (const std::string target : {"../secret/file", "/etc/passwd", "a/../../secret/file"}) {
      FakeSource one;
      one.add("a", EntryKind::directory);
      one.add("b", EntryKind::hard_link, target);
      CHECK(error_of([&] { write_tree(one, place.target, options); }).kind() ==
            base::ErrorKind::corrupt);
      test::remove_tree(place.target);
    }
  }
  SECTION("out through a symlink") {
    source.add("a", EntryKind::symlink, place.temp / "in/secret");
    source.add("b", EntryKind::hard_link, "a/file");
    const WarningList warnings = write_tree(source, place.target, options);
    REQUIRE(warnings.size() == 1);
    CHECK_THAT(warnings[0], Catch::StartsWith(place.target + "/b: ") && Catch::Contains("a/file"));
  }
  SECTION("to a symlink: it is the symlink that gets a second name") {
    source.add("a", EntryKind::symlink, place.temp / "in/secret/file").links = 2;
    source.add("b", EntryKind::hard_link, "a");
    CHECK(write_tree(source, place.target, options) == WarningList{});
    CHECK(S_ISLNK(status(place.target + "/b").st_mode));
  }
  SECTION("to a directory, to nothing, to itself, to the root") {
    source.add("a", EntryKind::directory);
    source.add("b", EntryKind::hard_link, "a");
    source.add("c", EntryKind::hard_link, "absent");
    source.add("d", EntryKind::hard_link, "d");
    source.add("e", EntryKind::hard_link, "");
    source.add_file("f", "x");
    CHECK(write_tree(source, place.target, options).size() == 4);
    CHECK(paths(walk(place.target)) == List{"", "a", "f"});
  }
}

TEST_CASE("a symlink that somebody puts into the target meanwhile is not followed", "[hostile]") {
  Place place;
  FakeSource source;
  source.add_file("a", "x").links = 2;  // is written at once, on the way
  source.on_read([&] {
    REQUIRE(::symlink((place.temp / "in/secret").c_str(), (place.target + "/d").c_str()) == 0);
    REQUIRE(::symlink((place.temp / "in/neighbour").c_str(), (place.target + "/e").c_str()) == 0);
  });
  TreeWriterOptions options;
  SECTION("where a directory goes: an error") {
    source.add("d", EntryKind::directory);
    source.add_file("d/x", "x");
    CHECK(error_of([&] { write_tree(source, place.target); }).kind() == base::ErrorKind::io);
  }
  SECTION("where a file goes: a warning, and the rest goes on") {
    source.add_file("e", "x");
    source.add_file("f", "x");
    const WarningList warnings = write_tree(source, place.target);
    REQUIRE(warnings.size() == 1);
    CHECK_THAT(warnings[0], Catch::StartsWith(place.target + "/e: "));
    CHECK(test::read(place.target + "/f") == "x");
  }
  SECTION("in merge mode both give way") {
    options.merge = true;
    source.add("d", EntryKind::directory);
    source.add_file("d/x", "x");
    source.add_file("e", "x");
    CHECK(write_tree(source, place.target, options) == WarningList{});
    CHECK(S_ISDIR(status(place.target + "/d").st_mode));
    CHECK(S_ISREG(status(place.target + "/e").st_mode));
  }
}

TEST_CASE("a content that is not what its digest says is not left behind", "[hostile]") {
  const std::string text(300'000, 't');
  for (const std::string& wrong :
       {std::string("other"), text + "x", text.substr(1), "x" + text.substr(1), std::string()}) {
    CAPTURE(wrong.size());
    Place place;
    FakeSource source;
    source.add_file("a", "good", true);
    source.add_file("b", text, true);
    source.set_text(wrong);
    source.add_file("c", "good", true);
    source.add_file("d", text, true).links = 2;
    source.set_text(wrong);
    source.add("e", EntryKind::hard_link, "d");
    std::uint64_t damaged = 0;
    const WarningList warnings = write_tree(source, place.target, {}, &damaged);
    CHECK(damaged == 2);
    CHECK(warnings.size() == 3);
    CHECK(paths(walk(place.target)) == List{"", "a", "c"});
    CHECK(test::read(place.target + "/c") == "good");
    CHECK(mtime(place.target) == Timestamp{1'000'000'000, 5});
  }
}

TEST_CASE("in merge mode a damaged content leaves the old file as it was", "[hostile]") {
  Place place;
  test::write(place.target + "/a", "old");
  FakeSource source;
  source.add_file("a", "new", true);
  source.set_text("bad");
  std::uint64_t damaged = 0;
  TreeWriterOptions options;
  options.merge = true;
  CHECK(write_tree(source, place.target, options, &damaged).size() == 1);
  CHECK(damaged == 1);
  CHECK(test::read(place.target + "/a") == "old");
  CHECK(paths(walk(place.target)) == List{"", "a"});
}

TEST_CASE("a content that cannot be read back is left out and counted", "[hostile]") {
  Place place;
  FakeSource source;
  source.add_file("a", "half", true);
  source.on_read([] { throw base::Error(base::ErrorKind::corrupt, "frame 7 is damaged"); });
  source.add_file("b", "good", true);
  std::uint64_t damaged = 0;
  const WarningList warnings = write_tree(source, place.target, {}, &damaged);
  CHECK(damaged == 1);
  CHECK(warnings == WarningList{place.target + "/a: was not restored: frame 7 is damaged"});
  CHECK(paths(walk(place.target)) == List{"", "b"});
}

TEST_CASE("a store that fails ends everything, at once", "[hostile]") {
  for (const base::ErrorKind kind : {base::ErrorKind::unavailable, base::ErrorKind::io}) {
    Place place;
    FakeSource source;
    source.add_file("f1000", "half", true);
    source.on_read([&] { throw base::Error(kind, "the store does not answer"); });
    for (int i = 1'001; i < 9'000; ++i) source.add_file("f" + std::to_string(i), "good", true);
    const base::Error error = error_of([&] { write_tree(source, place.target); });
    CHECK(error.kind() == kind);
    CHECK(std::string(error.what()) == "the store does not answer");
    CHECK(source.given() < 8'000);  // the rest was not even looked at
    CHECK_FALSE(base::exists(place.target + "/f1000"));
  }
}

TEST_CASE("an index that promises a huge hole for a small file is found out first", "[hostile]") {
  class Huge final : public Source {
   public:
    bool next(Entry& entry) override {
      entry = Entry{};
      entry.kind = given_ == 0 ? EntryKind::directory : EntryKind::file;
      entry.mode = 0755;
      if (given_ == 1) {
        entry.path = "f";
        entry.size = 5;
        entry.digest = base::sha256({});
      }
      return given_++ < 2;
    }
    bool complete(Entry&) override { return true; }
    std::unique_ptr<Content> open(Entry&) override {
      class Hole final : public Content {
       public:
        std::optional<Segment> next_segment() override { return Segment{true, 1ULL << 60}; }
        std::size_t read(std::span<std::byte>) override { return 0; }
      };
      return std::make_unique<Hole>();
    }

   private:
    int given_ = 0;
  };
  Place place;
  Huge source;
  std::uint64_t damaged = 0;
  write_tree(source, place.target, {}, &damaged);
  CHECK(damaged == 1);
  CHECK(paths(walk(place.target)) == List{""});
}

}  // namespace rota::tree
