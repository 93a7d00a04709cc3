#include "tree/compare.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "base/bytes.h"
#include "support/files.h"
#include "support/skip.h"
#include "tree/fake_source.h"
#include "tree/trees.h"

namespace rota::tree {

using test::TempDir;
using List = std::vector<std::string>;

namespace {

List differences(Source& a, Source& b) {
  static constexpr const char* kWords[] = {"added", "removed", "content", "metadata"};
  List list;
  compare(a, b, [&](const Difference& d) {
    list.push_back(std::string(kWords[static_cast<int>(d.change)]) + " " + d.entry.path +
                   (d.what.empty() ? "" : ": " + d.what));
  });
  return list;
}

List differences(const std::string& a, const std::string& b) {
  base::CollectedWarnings warnings;
  LocalSource first(a, {}, warnings);
  LocalSource second(b, {}, warnings);
  List list = differences(first, second);
  CHECK(texts(warnings) == WarningList{});
  return list;
}

/// Two fake trees with one entry each.
List between(const std::function<void(Entry&)>& change, EntryKind kind = EntryKind::symlink) {
  FakeSource a;
  FakeSource b;
  a.add("x", kind, "target");
  change(b.add("x", kind, "target"));
  return differences(a, b);
}

}  // namespace

TEST_CASE("a tree is no different from itself", "[compare]") {
  const TempDir temp;
  for (const char* name : {"a/b", "a.b", "c"}) test::write(temp / name, name);
  REQUIRE(::link((temp / "c").c_str(), (temp / "d").c_str()) == 0);
  CHECK(differences(temp.path(), temp.path()) == List{});
}

TEST_CASE("names that only one tree has are added or removed, each one, in order", "[compare]") {
  const TempDir temp;
  for (const char* name : {"1/a/x", "1/a.txt", "1/both", "1/z", "2/a-b", "2/both", "2/c/d"}) {
    test::write(temp / name, "");
  }
  for (const char* path : {"1", "2", "1/both", "2/both"}) set_mtime(temp / path, 1);
  CHECK(differences(temp / "1", temp / "2") == List{"removed a", "removed a/x", "added a-b",
                                                    "removed a.txt", "added c", "added c/d",
                                                    "removed z"});
}

TEST_CASE("content differs by its bytes, its size or its kind", "[compare]") {
  const TempDir temp;
  for (const auto& [name, one, two] : {std::tuple{"bytes", "abc", "abd"},
                                       {"size", "abc", "abcd"},
                                       {"same", "abc", "abc"},
                                       {"kind", "x", ""}}) {
    test::write(temp / "1" + "/" + name, one);
    test::write(temp / "2" + "/" + name, two);
  }
  REQUIRE(::unlink((temp / "2/kind").c_str()) == 0);
  REQUIRE(::symlink("x", (temp / "2/kind").c_str()) == 0);
  for (const char* side : {"1", "2"}) {
    for (const char* name : {"/bytes", "/size", "/same", "/kind", ""}) {
      set_mtime(temp / side + name, 1);
    }
  }
  CHECK(differences(temp / "1", temp / "2") ==
        List{"content bytes: content", "content kind: kind", "content size: content"});
}

TEST_CASE("holes and written zeros are the same content", "[compare]") {
  const TempDir temp;
  std::string zeros(300'001, '\0');
  zeros.back() = 'x';
  test::write(temp / "1/f", zeros);
  test::write(temp / "2/f", "");
  {
    const base::Fd fd(::open((temp / "2/f").c_str(), O_WRONLY));
    REQUIRE(::pwrite(fd.get(), "x", 1, 300'000) == 1);
  }
  for (const char* path : {"1", "2", "1/f", "2/f"}) set_mtime(temp / path, 1);
  CHECK(differences(temp / "1", temp / "2") == List{});
}

TEST_CASE("every field of the metadata counts, and is named", "[compare]") {
  const auto nothing = [](Entry&) {};
  CHECK(between(nothing) == List{});
  CHECK(between([](Entry& e) { e.mode = 0600; }) == List{"metadata x: mode"});
  CHECK(between([](Entry& e) { e.uid = 1; }) == List{"metadata x: owner"});
  CHECK(between([](Entry& e) { e.gid = 1; }) == List{"metadata x: group"});
  CHECK(between([](Entry& e) { ++e.mtime.nanoseconds; }) == List{"metadata x: mtime"});
  CHECK(between([](Entry& e) { e.target = "other"; }) == List{"metadata x: target"});
  CHECK(between([](Entry& e) { e.xattrs = {{"user.a", ""}}; }) == List{"metadata x: xattrs"});
  CHECK(between([](Entry& e) { e.device_major = 1; }, EntryKind::char_device) ==
        List{"metadata x: device"});
  CHECK(between([](Entry& e) { e.device_minor = 1; }, EntryKind::block_device) ==
        List{"metadata x: device"});
  CHECK(between([](Entry& e) { e.mode = 0, e.uid = 1, e.mtime = {}; }) ==
        List{"metadata x: mode, owner, mtime"});
}

TEST_CASE("what belongs to the place and not to the tree does not count", "[compare]") {
  CHECK(between([](Entry& e) {
          e.ctime = {1, 2};
          e.inode = 3;
          e.links = 4;
          e.user = "somebody";
          e.group = "some";
        }) == List{});
}

TEST_CASE("the root's metadata counts too", "[compare]") {
  FakeSource a;
  FakeSource b(FakeSource::Empty{});
  b.add("", EntryKind::directory).mode = 0700;
  CHECK(differences(a, b) == List{"metadata : mode"});
}

TEST_CASE("hard links differ by the name that they are linked to", "[compare]") {
  FakeSource a;
  FakeSource b;
  for (FakeSource* source : {&a, &b}) {
    source->add_file("1", "x");
    source->add_file("2", "x");
  }
  a.add("3", EntryKind::hard_link, "1").mode = 0600;  // it has no metadata of its own
  b.add("3", EntryKind::hard_link, "1");
  a.add("4", EntryKind::hard_link, "1");
  b.add("4", EntryKind::hard_link, "2");
  a.add("5", EntryKind::hard_link, "1");
  b.add_file("5", "x");
  CHECK(differences(a, b) == List{"metadata 4: target", "content 5: kind"});
}

TEST_CASE("a digest that is known is believed", "[compare]") {
  FakeSource a;
  FakeSource b;
  a.add_file("x", "content", true);
  a.set_text("is not read");
  b.add_file("x", "content");
  CHECK(differences(a, b) == List{});
}

TEST_CASE("a file that vanished or cannot be read is different", "[compare]") {
  FakeSource a;
  a.add_file("x", "content");
  FakeSource b;
  b.add("x", EntryKind::file);
  CHECK(differences(a, b) == List{"content x: content"});
  FakeSource c(FakeSource::Empty{});
  Entry none;
  none.path = "absent";
  CHECK_FALSE(compute_digest(c, none));
  CHECK_FALSE(none.digest);
}

TEST_CASE("a digest covers holes as zeros", "[compare]") {
  const TempDir temp;
  test::write(temp / "f", "");
  REQUIRE(::truncate((temp / "f").c_str(), 1'000'000) == 0);
  base::CollectedWarnings warnings;
  LocalSource source(temp.path(), {}, warnings);
  Entry entry = at(walk(source), "f");
  REQUIRE(compute_digest(source, entry));
  CHECK(*entry.digest == base::sha256(base::as_bytes(std::string(1'000'000, '\0'))));
}

TEST_CASE("an empty tree compares with any other", "[compare]") {
  FakeSource a(FakeSource::Empty{});
  FakeSource b(FakeSource::Empty{});
  CHECK(differences(a, b) == List{});
  FakeSource c(FakeSource::Empty{});
  FakeSource d;
  d.add_file("x", "");
  CHECK(differences(c, d) == List{"added ", "added x"});
}

}  // namespace rota::tree
