#include "tree/local_source.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>

#include "support/files.h"
#include "support/skip.h"
#include "tree/trees.h"

namespace rota::tree {

using test::skip;
using test::TempDir;
using List = std::vector<std::string>;

namespace {

std::string value(const Entry& entry, const std::string& name) {
  for (const Xattr& x : entry.xattrs) {
    if (x.name == name) return x.value;
  }
  return "-";
}

void link(const std::string& from, const std::string& to) {
  REQUIRE(::linkat(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), 0) == 0);
}

}  // namespace

TEST_CASE("a tree is walked depth first, names bytewise", "[source]") {
  const TempDir temp;
  for (const char* name : {"a/b", "a/c/d", "a.txt", "a-b", "B", "a0", "ab/x", "\xff", "\x01"}) {
    test::write(temp / name, "");
  }
  const List expected = {"",    "\x01",  "B",  "a",  "a/b",  "a/c", "a/c/d",
                         "a-b", "a.txt", "a0", "ab", "ab/x", "\xff"};
  CHECK(paths(walk(temp.path())) == expected);
  // However the root is written.
  CHECK(paths(walk(temp.path() + "///")) == expected);
}

TEST_CASE("entries of a walk stand in the order of compare_paths", "[source]") {
  const TempDir temp;
  for (const char* name : {"x/y/z", "x.y/z", "x y/z", "x/y.z", "x/y z/a", "x/y/z z"}) {
    test::write(temp / name, "");
  }
  const List found = paths(walk(temp.path()));
  CHECK(found.size() == 12);
  CHECK(std::is_sorted(found.begin(), found.end(),
                       [](const auto& a, const auto& b) { return compare_paths(a, b) < 0; }));
}

TEST_CASE("every kind but a socket is given, with its metadata", "[source]") {
  const TempDir temp;
  test::write(temp / "file", "hello");
  REQUIRE(::chmod((temp / "file").c_str(), 04751) == 0);
  set_mtime(temp / "file", 1'234'567'890, 123'456'789);
  REQUIRE(::mkdir((temp / "directory").c_str(), 0755) == 0);
  REQUIRE(::chmod((temp / "directory").c_str(), 03770) == 0);
  set_mtime(temp / "directory", -12'345, 1);
  REQUIRE(::symlink("/nowhere/\xff", (temp / "symlink").c_str()) == 0);
  set_mtime(temp / "symlink", 77, 999'999'999);
  REQUIRE(::mkfifo((temp / "fifo").c_str(), 0644) == 0);
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, (temp / "socket").c_str(), sizeof address.sun_path - 1);
  REQUIRE(::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  ::close(socket);

  const std::vector<Entry> entries = walk(temp.path());
  CHECK(paths(entries) == List{"", "directory", "fifo", "file", "symlink"});
  const Entry& file = at(entries, "file");
  CHECK(file.kind == EntryKind::file);
  CHECK(file.mode == 04751);
  CHECK(file.size == 5);
  CHECK(file.links == 1);
  CHECK(file.mtime == Timestamp{1'234'567'890, 123'456'789});
  const struct stat st = status(temp / "file");
  CHECK(file.ctime == Timestamp{st.st_ctim.tv_sec, static_cast<std::uint32_t>(st.st_ctim.tv_nsec)});
  CHECK(file.inode == st.st_ino);
  CHECK(file.uid == ::geteuid());
  CHECK(file.gid == st.st_gid);
  if (::geteuid() == 0) CHECK(file.user == "root");
  const Entry& directory = at(entries, "directory");
  CHECK(directory.kind == EntryKind::directory);
  CHECK(directory.mode == 03770);
  CHECK(directory.mtime == Timestamp{-12'345, 1});
  CHECK(directory.size == 0);
  CHECK(directory.links == 1);
  const Entry& symlink = at(entries, "symlink");
  CHECK(symlink.kind == EntryKind::symlink);
  CHECK(symlink.target == "/nowhere/\xff");
  CHECK(symlink.mtime == Timestamp{77, 999'999'999});
  CHECK(symlink.size == 0);
  CHECK(at(entries, "fifo").kind == EntryKind::fifo);
  CHECK(entries.front().kind == EntryKind::directory);
}

TEST_CASE("devices are given with their numbers", "[source]") {
  if (::geteuid() != 0) return skip("needs root to make device nodes");
  const TempDir temp;
  REQUIRE(::mknod((temp / "char").c_str(), S_IFCHR | 0620, ::makedev(300, 70'000)) == 0);
  REQUIRE(::mknod((temp / "block").c_str(), S_IFBLK | 0660, ::makedev(7, 3)) == 0);
  const std::vector<Entry> entries = walk(temp.path());
  CHECK(at(entries, "char").kind == EntryKind::char_device);
  CHECK(at(entries, "char").device_major == 300);
  CHECK(at(entries, "char").device_minor == 70'000);
  CHECK(at(entries, "block").kind == EntryKind::block_device);
  CHECK(at(entries, "block").device_major == 7);
  CHECK(at(entries, "block").device_minor == 3);
}

TEST_CASE("owners are given by number and name", "[source]") {
  if (::geteuid() != 0) return skip("needs root to give files away");
  const TempDir temp;
  test::write(temp / "daemon", "");
  REQUIRE(::chown((temp / "daemon").c_str(), 1, 65534) == 0);
  test::write(temp / "unknown", "");
  REQUIRE(::chown((temp / "unknown").c_str(), 3'999'999'999U, 3'999'999'998U) == 0);
  const std::vector<Entry> entries = walk(temp.path());
  CHECK(at(entries, "daemon").user == "daemon");
  CHECK(at(entries, "daemon").group == "nogroup");
  CHECK(at(entries, "unknown").uid == 3'999'999'999U);
  CHECK(at(entries, "unknown").gid == 3'999'999'998U);
  CHECK(at(entries, "unknown").user.empty());
  CHECK(at(entries, "unknown").group.empty());
}

TEST_CASE("extended attributes of all kinds are read", "[source]") {
  const TempDir temp;
  test::write(temp / "file", "x");
  REQUIRE(::mkdir((temp / "directory").c_str(), 0755) == 0);
  REQUIRE(::symlink("file", (temp / "symlink").c_str()) == 0);
  REQUIRE(::mkfifo((temp / "fifo").c_str(), 0644) == 0);
  set_xattr(temp / "file", "user.z", "last");
  set_xattr(temp / "file", "user.empty", "");
  set_xattr(temp / "file", "user.long", std::string(2'000, '\xfe'));
  set_xattr(temp / "file", "system.posix_acl_access", acl_for(4711, 6));
  set_xattr(temp / "directory", "user.d", std::string("\0\1", 2));
  set_xattr(temp / "directory", "system.posix_acl_default", acl_for(4712, 5));
  const bool root = ::geteuid() == 0;
  const std::string capability("\x01\0\0\x02\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
  if (root) {
    set_xattr(temp / "file", "security.capability", capability);
    set_xattr(temp / "symlink", "trusted.s", "link");
    set_xattr(temp / "fifo", "trusted.f", "pipe");
    set_xattr(temp.path(), "trusted.root", "top");
  }

  base::CollectedWarnings warnings;
  LocalSource source(temp.path(), {}, warnings);
  std::vector<Entry> entries = walk(source);
  Entry file = at(entries, "file");
  CHECK(file.xattrs.empty());  // they are read with the content
  REQUIRE(source.open(file));
  CHECK(std::is_sorted(file.xattrs.begin(), file.xattrs.end(),
                       [](const Xattr& a, const Xattr& b) { return a.name < b.name; }));
  CHECK(file.xattrs.size() == (root ? 5U : 4U));
  CHECK(value(file, "user.z") == "last");
  CHECK(value(file, "user.empty").empty());
  CHECK(value(file, "user.long") == std::string(2'000, '\xfe'));
  CHECK(value(file, "system.posix_acl_access") == acl_for(4711, 6));
  CHECK(value(at(entries, "directory"), "user.d") == std::string("\0\1", 2));
  CHECK(value(at(entries, "directory"), "system.posix_acl_default") == acl_for(4712, 5));
  if (root) {
    CHECK(value(file, "security.capability") == capability);
    CHECK(value(at(entries, "symlink"), "trusted.s") == "link");
    CHECK(value(at(entries, "fifo"), "trusted.f") == "pipe");
    CHECK(value(at(entries, ""), "trusted.root") == "top");
  }
  CHECK(at(entries, "symlink").xattrs.size() == (root ? 1U : 0U));
  CHECK(texts(warnings) == WarningList{});
}

TEST_CASE("many attributes are read, more than fit into one small buffer", "[source]") {
  const TempDir temp;
  test::write(temp / "d/x", "");
  for (int i = 0; i < 30; ++i) {
    set_xattr(temp / "d", "user." + std::string(50, 'n') + std::to_string(i), std::to_string(i));
  }
  CHECK(at(walk(temp.path()), "d").xattrs.size() == 30);
}

TEST_CASE("the second name of an inode is a link to the first, whatever its kind", "[source]") {
  const TempDir temp;
  test::write(temp / "b/file", "content");
  link(temp / "b/file", temp / "c");
  link(temp / "b/file", temp / "a");
  REQUIRE(::symlink("there", (temp / "s1").c_str()) == 0);
  link(temp / "s1", temp / "s2");
  REQUIRE(::mkfifo((temp / "p1").c_str(), 0600) == 0);
  link(temp / "p1", temp / "b/p0");
  const std::string odd = "n\xff\n'";
  test::write(temp / odd, "odd");
  link(temp / odd, temp / "z");

  const std::vector<Entry> entries = walk(temp.path());
  CHECK(at(entries, "a").kind == EntryKind::file);
  CHECK(at(entries, "a").links == 3);
  CHECK(at(entries, "a").size == 7);
  for (const char* name : {"b/file", "c"}) {
    CHECK(at(entries, name).kind == EntryKind::hard_link);
    CHECK(at(entries, name).target == "a");
    CHECK(at(entries, name).size == 0);
  }
  CHECK(at(entries, "s1").kind == EntryKind::symlink);
  CHECK(at(entries, "s2").kind == EntryKind::hard_link);
  CHECK(at(entries, "s2").target == "s1");
  CHECK(at(entries, "b/p0").kind == EntryKind::fifo);
  CHECK(at(entries, "p1").kind == EntryKind::hard_link);
  CHECK(at(entries, "p1").target == "b/p0");
  CHECK(at(entries, "z").target == odd);
}

TEST_CASE("where the first name of an inode is left out the next one carries it", "[source]") {
  const TempDir temp;
  test::write(temp / "a", "content");
  link(temp / "a", temp / "b");
  link(temp / "a", temp / "c");
  Selection selection;
  selection.rules.add_exclude(temp / "a");
  const std::vector<Entry> entries = walk(temp.path(), selection);
  CHECK(paths(entries) == List{"", "b", "c"});
  CHECK(at(entries, "b").kind == EntryKind::file);
  CHECK(at(entries, "b").size == 7);
  CHECK(at(entries, "c").kind == EntryKind::hard_link);
  CHECK(at(entries, "c").target == "b");
}

TEST_CASE("a root that does not exist or is no directory is an error", "[source]") {
  const TempDir temp;
  test::write(temp / "file", "");
  base::CollectedWarnings warnings;
  CHECK(error_of([&] { LocalSource(temp / "absent", {}, warnings); }).kind() ==
        base::ErrorKind::not_found);
  CHECK(error_of([&] { LocalSource(temp / "file", {}, warnings); }).kind() == base::ErrorKind::io);
}

TEST_CASE("a root that is a symlink is followed, what lies in the tree is not", "[source]") {
  const TempDir temp;
  test::write(temp / "real/x", "");
  REQUIRE(::symlink("real", (temp / "root").c_str()) == 0);
  REQUIRE(::symlink("/etc", (temp / "real/etc").c_str()) == 0);
  CHECK(paths(walk(temp / "root")) == List{"", "etc", "x"});
}

TEST_CASE("what may not be read is reported, and the rest goes on", "[source]") {
  if (::geteuid() != 0) return skip("needs root to become nobody");
  const TempDir temp;
  REQUIRE(::chmod(temp.path().c_str(), 0755) == 0);
  test::write(temp / "closed/inside", "x");
  REQUIRE(::chmod((temp / "closed").c_str(), 0700) == 0);
  test::write(temp / "secret", "x");
  REQUIRE(::chmod((temp / "secret").c_str(), 0600) == 0);
  test::write(temp / "open", "x");
  // Names can be read, what they are not.
  test::write(temp / "half/inside", "x");
  REQUIRE(::chmod((temp / "half").c_str(), 0744) == 0);
  const std::string found = as_nobody([&] {
    base::CollectedWarnings warnings;
    LocalSource source(temp.path(), {}, warnings);
    std::string text;
    Entry entry;
    while (source.next(entry)) {
      text += entry.path + (entry.unreadable ? "!" : "");
      if (entry.is_file()) {
        text += source.open(entry) ? "+" : "-";
        if (entry.unreadable) text += "!";
      }
      text += "\n";
    }
    for (const auto& [path, message] : warnings.list) {
      text += path.substr(temp.path().size()) + ": " + message + "\n";
    }
    return text;
  });
  CHECK(found ==
        "\nclosed!\nhalf\nopen+\nsecret-!\n"
        "/closed: cannot be read: permission denied\n"
        "/half/inside: cannot be looked at: permission denied\n"
        "/secret: cannot be read: permission denied\n");
}

TEST_CASE("a file that belongs to somebody else is read though its access time is theirs",
          "[source]") {
  if (::geteuid() != 0) return skip("needs root to become nobody");
  const TempDir temp;
  REQUIRE(::chmod(temp.path().c_str(), 0755) == 0);
  test::write(temp / "d/file", "words");
  CHECK(as_nobody([&] {
          base::CollectedWarnings warnings;
          LocalSource source(temp.path(), {}, warnings);
          const std::vector<Entry> entries = walk(source);
          return content_of(source, at(entries, "d/file"));
        }) == "words");
}

TEST_CASE("reading leaves access times as they were", "[source]") {
  const TempDir temp;
  test::write(temp / "d/file", "words");
  for (const char* name : {"d/file", "d"}) {
    const timespec times[2] = {{1'000, 0}, {2'000, 0}};  // atime before mtime: relatime would touch
    REQUIRE(::utimensat(AT_FDCWD, (temp / name).c_str(), times, 0) == 0);
  }
  base::CollectedWarnings warnings;
  LocalSource source(temp.path(), {}, warnings);
  const std::vector<Entry> entries = walk(source);
  CHECK(content_of(source, at(entries, "d/file")) == "words");
  CHECK(status(temp / "d/file").st_atim.tv_sec == 1'000);
  CHECK(status(temp / "d").st_atim.tv_sec == 1'000);
}

TEST_CASE("a tree far deeper than a path may be long, and than files may be open", "[source]") {
  const TempDir temp;
  make_deep(temp / "deep", 5'200);
  const OpenFileLimit limit(96);
  base::CollectedWarnings warnings;
  LocalSource source(temp / "deep", {}, warnings);
  std::size_t directories = 0;
  std::size_t files = 0;
  std::size_t longest = 0;
  Entry entry;
  while (source.next(entry)) {
    longest = std::max(longest, entry.path.size());
    if (entry.is_directory()) {
      ++directories;
      if (directories % 50 == 0) REQUIRE(source.complete(entry));
    } else {
      ++files;
      REQUIRE(content_of(source, entry) == "deep");
    }
  }
  CHECK(directories == 5'200);
  CHECK(files == 20);
  CHECK(longest > 20'000);
  CHECK(texts(warnings) == WarningList{});
}

TEST_CASE("the walk goes on behind a deep directory", "[source]") {
  const TempDir temp;
  make_deep(temp / "m", 300);
  test::write(temp / "m/d/d/z", "");
  test::write(temp / "m/z", "");
  test::write(temp / "z", "");
  const std::vector<Entry> entries = walk(temp.path());
  CHECK(entries.size() == 1 + 300 + 1 + 3);
  CHECK(paths({entries.end() - 3, entries.end()}) == List{"m/d/d/z", "m/z", "z"});
}

}  // namespace rota::tree
