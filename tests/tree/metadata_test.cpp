#include "tree/metadata.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <thread>

#include "support/files.h"
#include "support/skip.h"
#include "tree/link_table.h"
#include "tree/trees.h"

namespace rota::tree {

using test::skip;
using test::TempDir;

namespace {

Entry file_entry() {
  Entry entry;
  entry.path = "f";
  entry.mode = 0644;
  entry.uid = ::geteuid();
  entry.gid = ::getegid();
  entry.mtime = {-5, 7};
  return entry;
}

MetadataShortfall set_all(const std::string& path, const Entry& entry, bool by_name = false,
                          int flags = O_WRONLY) {
  const base::Fd fd(::open(path.c_str(), flags | O_NOFOLLOW | O_CLOEXEC));
  REQUIRE(fd.valid());
  NameCache names;
  MetadataShortfall shortfall;
  apply_metadata(fd.get(), entry, by_name, names, shortfall);
  return shortfall;
}

std::string text(const MetadataShortfall& shortfall) {
  return std::to_string(shortfall.owners) + " " + std::to_string(shortfall.xattrs) + " " +
         std::to_string(shortfall.others) + " " + shortfall.first_other;
}

}  // namespace

TEST_CASE("names and numbers of users and groups are found both ways", "[metadata]") {
  NameCache names;
  CHECK(names.user(0) == "root");
  CHECK(names.group(0) == "root");
  CHECK(names.user(0) == "root");
  CHECK(names.uid("daemon") == 1);
  CHECK(names.gid("daemon") == 1);
  CHECK(names.user(3'999'999'999U).empty());
  CHECK(names.group(3'999'999'999U).empty());
  CHECK_FALSE(names.uid("no such user"));
  CHECK_FALSE(names.gid(""));
}

TEST_CASE("two caches may ask from two threads", "[metadata]") {
  const auto ask = [] {
    for (std::uint32_t id = 0; id < 200; ++id) {
      NameCache names;
      const std::string user = names.user(id % 4);
      if (user == "root") CHECK(names.uid(user) == 0);
      names.group(id);
    }
  };
  std::string bad;
  const std::jthread other([&] {
    for (std::uint32_t id = 0; id < 200; ++id) {
      NameCache names;
      if (names.user(1) != "daemon") bad = names.user(1);
    }
  });
  ask();
  CHECK(bad.empty());
}

TEST_CASE("metadata is set in the order that keeps it all", "[metadata]") {
  if (::geteuid() != 0) return skip("needs root to give files away");
  const TempDir temp;
  test::write(temp / "f", "x");
  Entry entry = file_entry();
  entry.uid = 1234;
  entry.gid = 4321;
  entry.mode = 06451;
  const std::string capability("\x01\0\0\x02\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
  entry.xattrs = {{"security.capability", capability},
                  {"system.posix_acl_access", acl_for(4711, 6)},
                  {"user.x", "y"}};
  CHECK(text(set_all(temp / "f", entry)) == "0 0 0 ");
  const struct stat st = status(temp / "f");
  CHECK(st.st_uid == 1234);
  CHECK(st.st_gid == 4321);
  CHECK((st.st_mode & 07777) == 06451);
  CHECK(mtime(temp / "f") == Timestamp{-5, 7});
  CHECK(get_xattr(temp / "f", "security.capability") == capability);
  CHECK(get_xattr(temp / "f", "user.x") == "y");
  CHECK(get_xattr(temp / "f", "system.posix_acl_access") != "-");
}

TEST_CASE("metadata of what cannot be opened is set through its path only", "[metadata]") {
  const TempDir temp;
  const bool root = ::geteuid() == 0;
  Entry entry = file_entry();
  entry.kind = EntryKind::symlink;
  if (root) entry.xattrs = {{"trusted.x", "y"}};
  if (root) entry.uid = 99;
  test::write(temp / "aim", "");
  REQUIRE(::symlink("aim", (temp / "s").c_str()) == 0);
  CHECK(text(set_all(temp / "s", entry, false, O_PATH)) == "0 0 0 ");
  CHECK(mtime(temp / "s") == Timestamp{-5, 7});
  CHECK(status(temp / "s").st_uid == entry.uid);
  CHECK(get_xattr(temp / "s", "trusted.x") == (root ? "y" : "-"));
  // Not what it points to.
  CHECK(mtime(temp / "aim") != Timestamp{-5, 7});
  CHECK(get_xattr(temp / "aim", "trusted.x") == "-");
  CHECK(status(temp / "aim").st_uid == ::geteuid());

  REQUIRE(::mkfifo((temp / "p").c_str(), 0600) == 0);
  entry.kind = EntryKind::fifo;
  entry.mode = 0640;
  CHECK(text(set_all(temp / "p", entry, false, O_PATH)) == "0 0 0 ");
  CHECK((status(temp / "p").st_mode & 07777) == 0640);
  CHECK(mtime(temp / "p") == Timestamp{-5, 7});
}

TEST_CASE("owners go by name where the name is known", "[metadata]") {
  if (::geteuid() != 0) return skip("needs root to give files away");
  const TempDir temp;
  test::write(temp / "f", "x");
  Entry entry = file_entry();
  entry.uid = 12'345;
  entry.gid = 12'346;
  entry.user = "daemon";
  entry.group = "no such group";
  set_all(temp / "f", entry, true);
  CHECK(status(temp / "f").st_uid == 1);
  CHECK(status(temp / "f").st_gid == 12'346);
  set_all(temp / "f", entry, false);
  CHECK(status(temp / "f").st_uid == 12'345);
}

TEST_CASE("what nobody may not set is counted, and setuid is not lent out", "[metadata]") {
  if (::geteuid() != 0) return skip("needs root to become nobody");
  const TempDir temp;
  REQUIRE(::chmod(temp.path().c_str(), 0777) == 0);
  const std::string found = as_nobody([&] {
    test::write(temp / "f", "x");
    test::write(temp / "own", "x");
    test::write(temp / "d/x", "");
    Entry entry = file_entry();
    entry.mode = 06755;
    entry.xattrs = {{"trusted.x", "y"}, {"user.x", "y"}};
    std::string result = text(set_all(temp / "own", entry)) + "\n";
    entry.uid = 0;
    entry.gid = 0;
    result += text(set_all(temp / "f", entry)) + "\n";
    entry.kind = EntryKind::directory;
    result += text(set_all(temp / "d", entry, false, O_RDONLY)) + "\n";
    return result;
  });
  CHECK(found == "0 1 0 \n1 1 0 \n1 1 0 \n");
  CHECK((status(temp / "own").st_mode & 07777) == 06755);
  CHECK((status(temp / "f").st_mode & 07777) == 0755);
  CHECK(get_xattr(temp / "f", "user.x") == "y");
}

TEST_CASE("an ACL without the right to write does not keep user attributes out", "[metadata]") {
  if (::geteuid() != 0) return skip("needs root to become nobody");
  const TempDir temp;
  REQUIRE(::chmod(temp.path().c_str(), 0777) == 0);
  std::string acl = acl_for(4711, 4);
  acl[6] = 4;  // the owner may only read
  CHECK(as_nobody([&] {
          test::write(temp / "f", "x");
          Entry entry = file_entry();
          entry.mode = 0454;
          entry.xattrs = {{"system.posix_acl_access", acl}, {"user.x", "y"}};
          return text(set_all(temp / "f", entry));
        }) == "0 0 0 ");
  CHECK(get_xattr(temp / "f", "user.x") == "y");
}

TEST_CASE("attributes that are not to be kept are removed, and no others", "[metadata]") {
  const TempDir temp;
  test::write(temp / "d/x", "");
  set_xattr(temp / "d", "user.a", "1");
  set_xattr(temp / "d", "user.b", "2");
  set_xattr(temp / "d", "system.posix_acl_access", acl_for(4711, 7));
  set_xattr(temp / "d", "system.posix_acl_default", acl_for(4711, 7));
  const base::Fd fd(::open((temp / "d").c_str(), O_RDONLY | O_DIRECTORY));
  remove_other_xattrs(fd.get(), {{"user.b", ""}, {"system.posix_acl_default", ""}});
  CHECK(get_xattr(temp / "d", "user.a") == "-");
  CHECK(get_xattr(temp / "d", "user.b") == "2");
  CHECK(get_xattr(temp / "d", "system.posix_acl_access") == "-");
  CHECK(get_xattr(temp / "d", "system.posix_acl_default") != "-");
}

TEST_CASE("shortfalls add up to one warning of each sort", "[metadata]") {
  MetadataShortfall all;
  base::CollectedWarnings warnings;
  all.report("/t", warnings);
  CHECK(warnings.list.empty());
  MetadataShortfall one;
  one.owners = 2;
  one.xattrs = 1;
  all.add(one);
  one.others = 1;
  one.first_other = "the mode of a: reason";
  all.add(one);
  one.first_other = "the mode of b: reason";
  all.add(one);
  all.report("/t", warnings);
  REQUIRE(warnings.list.size() == 3);
  CHECK(warnings.list[0].second.find("owners of 6 ") != std::string::npos);
  CHECK(warnings.list[1].second.find("3 extended") != std::string::npos);
  CHECK(warnings.list[2].second.find("2 entries") != std::string::npos);
  CHECK(warnings.list[2].second.find("of a: reason") != std::string::npos);
}

TEST_CASE("the first name of each group of hard links is remembered", "[links]") {
  LinkTable table;
  const std::string odd("x\xff\n\0y", 5);
  CHECK_FALSE(table.first_or_register(LinkTable::inode_group(1, 2), odd));
  CHECK(table.first_or_register(LinkTable::inode_group(1, 2), "other") == odd);
  CHECK(table.first_or_register(LinkTable::inode_group(1, 2), "third") == odd);
  CHECK_FALSE(table.first_or_register(LinkTable::inode_group(2, 1), "a"));
  CHECK_FALSE(table.first_or_register(LinkTable::inode_group(12, 0), "b"));
  CHECK_FALSE(table.first_or_register(LinkTable::inode_group(1, 20), "c"));
  CHECK(table.first_or_register(LinkTable::inode_group(1, 20), "d") == "c");
  CHECK_FALSE(table.first_or_register("text", ""));
  CHECK(table.first_or_register("text", "x") == "");
}

TEST_CASE("many groups of hard links are remembered, more than fit into its memory", "[links]") {
  LinkTable table;
  const std::string stem(200, 'p');
  constexpr std::uint64_t kGroups = 30'000;  // 7 MB against a cache of 2 MB
  for (std::uint64_t i = 0; i < kGroups; ++i) {
    if (table.first_or_register(LinkTable::inode_group(7, i), stem + std::to_string(i))) FAIL();
  }
  for (std::uint64_t i = 0; i < kGroups; i += 997) {
    CHECK(table.first_or_register(LinkTable::inode_group(7, i), "x") == stem + std::to_string(i));
  }
}

}  // namespace rota::tree
