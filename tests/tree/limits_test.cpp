// What an index cannot hold, and what would take a lifetime: left out with a warning, and no more.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "base/kind_of.h"
#include "support/files.h"
#include "support/skip.h"
#include "tree/compare.h"
#include "tree/entry_codec.h"
#include "tree/fake_source.h"
#include "tree/trees.h"
#include "tree/xattr_spill.h"
#include "tree/zeros.h"

namespace rota::tree {

using base::Bytes;
using base::ErrorKind;
using test::kind_of;
using test::skip;
using test::TempDir;

namespace {

constexpr std::uint64_t kTiB = std::uint64_t{1} << 40;

/// Directories below each other, named by 250 letters each.
void nest(const std::string& top, int levels) {
  REQUIRE(::mkdir(top.c_str(), 0755) == 0);
  base::Fd at(::open(top.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (int i = 0; i < levels; ++i) {
    const std::string name(250, 'd');
    REQUIRE(::mkdirat(at.get(), name.c_str(), 0755) == 0);
    at = base::Fd(::openat(at.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    REQUIRE(at.valid());
  }
}

/// Until it would have more than a limit allows; how many there are.
int load(const std::string& path, std::size_t bytes) {
  int count = 0;
  for (std::size_t sum = 0; sum < bytes; sum += 65'536) {
    const std::string name = "user." + std::to_string(10 + count);
    if (::setxattr(path.c_str(), name.c_str(), std::string(65'536, 'v').data(), 65'536, 0) != 0) {
      return 0;
    }
    ++count;
  }
  return count;
}

/// An entry with xattrs of that size, told by a letter.
Entry laden(char letter, std::size_t bytes) {
  Entry entry;
  entry.path = std::string(1, letter);
  for (int i = 10; bytes > 0; ++i) {
    const std::size_t size = std::min<std::size_t>(bytes, 60'000);
    entry.xattrs.push_back({"user." + std::to_string(i), std::string(size, letter)});
    bytes -= size;
  }
  return entry;
}

}  // namespace

TEST_CASE("a path too long for an index is left out with one warning", "[source][limits]") {
  const TempDir temp;
  const auto most = static_cast<int>(kMaxWalkedPath / 251);
  nest(temp / "m", most + 40);
  test::write(temp / "z", "");
  base::CollectedWarnings warnings;
  LocalSource source(temp.path(), {}, warnings);
  std::string longest;
  std::vector<Entry> entries;
  Entry entry;
  while (source.next(entry)) {
    if (entry.path.size() > longest.size()) longest = entry.path;
    if (entry.path == "z") {
      CHECK_FALSE(source.can_tell(longest + "/" + std::string(250, 'd')));
      CHECK_FALSE(source.can_tell(longest + "/" + std::string(250, 'd') + "/below"));
      CHECK(source.can_tell(longest + "/other"));
    }
    entries.push_back(entry);
  }
  CHECK(entries.back().path == "z");
  CHECK(entries.size() == static_cast<std::size_t>(most) + 3);
  CHECK(longest.size() <= kMaxWalkedPath);
  CHECK(longest.size() + 251 > kMaxWalkedPath);
  REQUIRE(warnings.list.size() == 1);
  CHECK(warnings.list[0].first.size() < 1'000);
  CHECK(warnings.list[0].first.starts_with(temp / "m/ddd"));
  CHECK(warnings.list[0].second ==
        "its path is longer than 32,768 bytes: it was left out, with all below it");
}

TEST_CASE("a copy leaves out what is too deep, and says so", "[limits]") {
  const TempDir temp;
  nest(temp / "from", static_cast<int>(kMaxWalkedPath / 251) + 2);
  test::write(temp / "from/z", "here");
  const WarningList warnings = copy(temp / "from", temp / "to");
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0].find("it was left out") != std::string::npos);
  CHECK(test::read(temp / "to/z") == "here");
}

TEST_CASE("what is excluded is not warned of, however deep", "[source][limits]") {
  const TempDir temp;
  nest(temp / "m", static_cast<int>(kMaxWalkedPath / 251) + 2);
  Selection selection;
  selection.rules.add_exclude(temp / "m");
  CHECK(paths(walk(temp.path(), selection)) == std::vector<std::string>{""});
}

TEST_CASE("of xattrs beyond the limit the first by name are kept, with a warning",
          "[source][limits]") {
  const TempDir temp;
  REQUIRE(::mkdir((temp / "t").c_str(), 0755) == 0);
  const TmpfsMount mount(temp / "t", "8m");
  if (!mount.mounted()) return skip("needs the right to mount");
  test::write(temp / "t/f", "content");
  test::write(temp / "t/few", "content");
  if (load(temp / "t/f", kMaxXattrs + 1) == 0) return skip("tmpfs has no such xattrs here");
  set_xattr(temp / "t/f", "trusted.system", "kept");
  load(temp / "t/few", kMaxXattrs - (64 << 10));
  base::CollectedWarnings warnings;
  LocalSource source(temp / "t", {}, warnings);
  std::vector<Entry> entries = walk(source);
  Entry file = at(entries, "f");
  REQUIRE(source.open(file));
  CHECK(file.xattrs.size() == 16);
  CHECK(file.xattrs.front().name == "trusted.system");
  CHECK(xattr_bytes(file) <= kMaxXattrs);
  REQUIRE(warnings.list.size() == 1);
  CHECK(warnings.list[0].first == temp / "t/f");
  CHECK(warnings.list[0].second.find("not all of its extended attributes were kept") !=
        std::string::npos);
  Entry few = at(entries, "few");
  REQUIRE(source.open(few));
  CHECK(few.xattrs.size() == 15);
  CHECK(warnings.list.size() == 1);
  // What is kept can be written and read.
  Bytes bytes;
  EntryEncoder encoder;
  file.digest = base::sha256({});
  encoder.path(bytes, file.path);
  encoder.entry(bytes, file, 0);
}

TEST_CASE("a file of endless holes is left out, and an ordinary sparse one is not",
          "[source][limits]") {
  const TempDir temp;
  const auto make = [&](const char* name, std::uint64_t size) {
    const base::Fd fd(::open((temp / name).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    return ::ftruncate(fd.get(), static_cast<off_t>(size)) == 0 &&
           ::pwrite(fd.get(), "data", 4, static_cast<off_t>(size / 2)) == 4;
  };
  if (!make("endless", LocalSource::kMaxHoles + kTiB) || !make("large", kTiB)) {
    return skip("the filesystem has no such large files");
  }
  base::CollectedWarnings warnings;
  LocalSource source(temp.path(), {}, warnings);
  std::vector<Entry> entries = walk(source);
  Entry endless = at(entries, "endless");
  CHECK(source.open(endless) == nullptr);
  CHECK(endless.unreadable);
  Entry large = at(entries, "large");
  CHECK(source.open(large) != nullptr);
  CHECK_FALSE(large.unreadable);
  CHECK(texts(warnings) ==
        WarningList{temp / "endless: has holes of more than 2.2 TB together, which rota does not "
                           "hash: it was left out"});
}

TEST_CASE("hashing a hole ends when it shall stop", "[limits]") {
  std::stop_source stop;
  stop.request_stop();
  base::Sha256 hasher;
  CHECK(kind_of([&] { hash_zeros(hasher, UINT64_MAX, stop.get_token()); }) ==
        ErrorKind::interrupted);
  base::Sha256 zeros;
  hash_zeros(zeros, 70'000, {});
  CHECK(zeros.finish() == base::sha256(Bytes(70'000)));
}

TEST_CASE("a comparison that reads a hole can be stopped", "[compare][limits]") {
  const TempDir temp;
  for (const char* tree : {"1", "2"}) {
    test::write(temp / tree + "/f", "");
    REQUIRE(::truncate((temp / tree + "/f").c_str(), static_cast<off_t>(kTiB)) == 0);
  }
  base::CollectedWarnings warnings;
  LocalSource first(temp / "1", {}, warnings);
  LocalSource second(temp / "2", {}, warnings);
  std::stop_source stop;
  stop.request_stop();
  CHECK(kind_of([&] {
          compare(
              first, second, [](const Difference&) {}, Contents::read, stop.get_token());
        }) == ErrorKind::interrupted);
}

TEST_CASE("names that nobody may look at are not said to be gone", "[source][limits]") {
  if (::geteuid() != 0) return skip("needs root to become nobody");
  const TempDir temp;
  REQUIRE(::chmod(temp.path().c_str(), 0755) == 0);
  test::write(temp / "half/inside/x", "x");
  test::write(temp / "half/outside", "x");
  REQUIRE(::chmod((temp / "half").c_str(), 0744) == 0);
  test::write(temp / "other/a", "x");
  test::write(temp / "z", "x");
  const auto told = [&](const Selection& selection) {
    return as_nobody([&] {
      base::CollectedWarnings warnings;
      LocalSource source(temp.path(), selection, warnings);
      std::string text;
      Entry entry;
      for (bool more = true; more;) {
        more = source.next(entry);
        text += more ? entry.path + ":" : "end:";
        for (const char* path : {"half/inside", "half/inside/x", "half/j", "half/outside", "k"}) {
          if (!source.can_tell(path)) text += std::string(" ") + path;
        }
        text += "\n";
      }
      return text + std::to_string(warnings.count());
    });
  };
  const std::string unknown = " half/inside half/inside/x half/outside";
  // Behind the entry that came after them nothing is to be asked of them any more.
  CHECK(told({}) == ":\nhalf:\nother:" + unknown + "\nother/a:\nz:\nend:\n2");
  // A directory that is only taken for what is in it is taken for what may be in it.
  Selection selection;
  selection.rules = ExcludeRules::parse("+ **/outside\n- " + temp.path() + "/**\n", "rules");
  CHECK(told(selection) == ":\nhalf: half/inside half/inside/x\nend:" + unknown + "\n2");
  // What is left out is not missed.
  Selection without;
  without.rules.add_exclude(temp / "half/inside");
  CHECK(told(without) == ":\nhalf:\nother: half/outside\nother/a:\nz:\nend:\n1");
}

TEST_CASE("many names that nobody may look at are remembered in little room", "[source][limits]") {
  if (::geteuid() != 0) return skip("needs root to become nobody");
  const TempDir temp;
  REQUIRE(::chmod(temp.path().c_str(), 0755) == 0);
  const auto name = [](int i) { return "half/f" + std::to_string(1'000 + i); };
  for (int i = 0; i < 300; ++i) test::write(temp / name(i), "");
  REQUIRE(::chmod((temp / "half").c_str(), 0744) == 0);
  test::write(temp / "z", "");
  CHECK(as_nobody([&] {
          base::CollectedWarnings warnings;
          LocalSource source(temp.path(), {}, warnings);
          Entry entry;
          while (source.next(entry) && entry.path != "z") {
          }
          int known = 0;
          for (int i = 0; i < 300; ++i) known += source.can_tell(name(i)) ? 1 : 0;
          return std::to_string(known) + (source.can_tell("half/g") ? " told" : "");
        }) == "0 told");
}

TEST_CASE("an encoder refuses what its decoder would refuse", "[limits]") {
  const auto encoded = [](const Entry& entry) {
    Bytes bytes;
    EntryEncoder encoder;
    encoder.path(bytes, entry.path);
    encoder.entry(bytes, entry, 0);
    base::ByteReader in(bytes);
    EntryDecoder decoder;
    Entry read;
    read.path = decoder.path(in);
    check_path(read.path);
    decoder.entry(in, in.u8(), read);
  };
  Entry good;
  good.path = "a";
  good.kind = EntryKind::symlink;
  good.target = "b";
  CHECK(kind_of([&] { encoded(good); }) == std::nullopt);
  const auto refused = [&](auto change) {
    Entry bad = good;
    change(bad);
    return kind_of([&] { encoded(bad); }) == ErrorKind::io;
  };
  std::string deep = "d";
  while (deep.size() <= kMaxPath) deep += "/" + std::string(kMaxName, 'd');
  CHECK(refused([&](Entry& e) { e.path = deep; }));
  CHECK(refused([](Entry& e) { e.path = std::string(kMaxName + 1, 'n'); }));
  CHECK(refused([](Entry& e) { e.path = "a/../b"; }));
  CHECK(refused([](Entry& e) { e.mode = 010000; }));
  CHECK(refused([](Entry& e) { e.mtime.nanoseconds = 1'000'000'000; }));
  CHECK(refused([](Entry& e) { e.ctime.nanoseconds = 1'000'000'000; }));
  CHECK(refused([](Entry& e) { e.user = std::string(kMaxOwnerName + 1, 'u'); }));
  CHECK(refused([](Entry& e) { e.group = std::string(kMaxOwnerName + 1, 'g'); }));
  CHECK(refused([](Entry& e) { e.target = std::string(kMaxPath + 1, 't'); }));
  CHECK(refused([](Entry& e) { e.xattrs = {{"user.a", std::string(kMaxXattrValue + 1, 'v')}}; }));
  CHECK(refused([](Entry& e) { e.xattrs = {{std::string(kMaxXattrName + 1, 'n'), "v"}}; }));
  CHECK(refused([](Entry& e) { e.xattrs = laden('x', kMaxXattrs + 1).xattrs; }));
  CHECK(refused([](Entry& e) {
    e.kind = EntryKind::hard_link;
    e.target = "..";
  }));
}

TEST_CASE("xattrs of a batch lie in a file while it waits", "[limits]") {
  std::vector<Entry> entries;
  for (const char letter : {'a', 'b', 'c', 'd', 'e'}) {
    entries.push_back(laden(letter, letter == 'c' ? 0 : 400'000));
  }
  const std::vector<Entry> before = entries;
  XattrSpill spill;
  std::size_t held = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    spill.keep(i, entries[i]);
    held += xattr_bytes(entries[i]);
  }
  CHECK(held <= XattrSpill::kInMemory);
  CHECK(entries[4].xattrs.empty());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    spill.give_back(i, entries[i]);
    CHECK(entries[i].xattrs == before[i].xattrs);
  }
}

}  // namespace rota::tree
