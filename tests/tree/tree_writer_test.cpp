#include "tree/tree_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <stop_token>
#include <thread>

#include "support/files.h"
#include "support/random_tree.h"
#include "support/skip.h"
#include "tree/fake_source.h"
#include "tree/trees.h"

namespace rota::tree {

using test::differences;
using test::skip;
using test::TempDir;
using List = std::vector<std::string>;

namespace {

List names_in(const std::string& directory) { return paths(walk(directory)); }

bool says(const WarningList& warnings, const std::string& text) {
  for (const std::string& warning : warnings) {
    if (warning.find(text) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("a tree is written with times of directories and root to the nanosecond", "[writer]") {
  const TempDir temp;
  test::write(temp / "from/a/b/file", "content");
  test::write(temp / "from/a/z", "");
  test::write(temp / "from/empty/x", "");
  REQUIRE(::unlink((temp / "from/empty/x").c_str()) == 0);
  REQUIRE(::symlink("a", (temp / "from/link").c_str()) == 0);
  set_mtime(temp / "from/link", 5, 55);
  set_mtime(temp / "from/a/b/file", 1'000'000'000, 999'999'999);
  set_mtime(temp / "from/a/b", 4'000'000'000, 1);
  set_mtime(temp / "from/a", -100, 2);
  set_mtime(temp / "from/empty", 0, 0);
  set_mtime(temp / "from", 3, 3);
  CHECK(copy(temp / "from", temp / "to") == WarningList{});
  CHECK(differences(temp / "from", temp / "to") == "");
  CHECK(mtime(temp / "to") == Timestamp{3, 3});
  CHECK(mtime(temp / "to/a") == Timestamp{-100, 2});
  CHECK(mtime(temp / "to/a/b") == Timestamp{4'000'000'000, 1});
  CHECK(mtime(temp / "to/a/b/file") == Timestamp{1'000'000'000, 999'999'999});
  CHECK(mtime(temp / "to/link") == Timestamp{5, 55});
}

TEST_CASE("modes come over whole, also those that keep out their owner", "[writer]") {
  const TempDir temp;
  unsigned number = 0;
  for (const mode_t mode : {0, 0400, 0222, 01777, 02755, 04755, 06711, 07777}) {
    const std::string name = std::to_string(number++);
    test::write(temp / "from/d" + name + "/inside", "x");
    test::write(temp / "from/f" + name, "x");
    if (::geteuid() != 0 && (mode & 0400) == 0) continue;
    REQUIRE(::chmod((temp / "from/f" + name).c_str(), mode) == 0);
    if (::geteuid() != 0 && (mode & 0500) != 0500) continue;
    REQUIRE(::chmod((temp / "from/d" + name).c_str(), mode) == 0);
  }
  CHECK(copy(temp / "from", temp / "to") == WarningList{});
  CHECK(differences(temp / "from", temp / "to") == "");
  CHECK((status(temp / "to/f7").st_mode & 07777) == 07777);
  CHECK((status(temp / "to/d3").st_mode & 07777) == 01777);
}

TEST_CASE("sparse files stay sparse", "[writer]") {
  const TempDir temp;
  test::write(temp / "from/all", "");
  REQUIRE(::truncate((temp / "from/all").c_str(), 50 << 20) == 0);
  test::write(temp / "from/middle", std::string(10'000, 'x'));
  REQUIRE(::truncate((temp / "from/middle").c_str(), 80 << 20) == 0);
  {
    const base::Fd fd(::open((temp / "from/middle").c_str(), O_WRONLY));
    REQUIRE(::pwrite(fd.get(), "mid", 3, 40 << 20) == 3);
  }
  if (status(temp / "from/all").st_blocks > 16) return skip("the filesystem keeps no holes");
  CHECK(copy(temp / "from", temp / "to") == WarningList{});
  CHECK(differences(temp / "from", temp / "to") == "");
  CHECK(status(temp / "to/all").st_blocks <= 16);
  CHECK(status(temp / "to/middle").st_blocks <= status(temp / "from/middle").st_blocks + 16);
}

TEST_CASE("files larger than a buffer and than a batch come over", "[writer]") {
  const TempDir temp;
  for (int i = 0; i < 3; ++i) {
    std::string text(3'000'000 + i, 'a');
    for (std::size_t at = 0; at < text.size(); at += 1'000)
      text[at] = static_cast<char>(at / 1'000);
    test::write(temp / "from/f" + std::to_string(i), text);
  }
  CHECK(copy(temp / "from", temp / "to") == WarningList{});
  CHECK(differences(temp / "from", temp / "to") == "");
}

TEST_CASE("hard links of all kinds come over as such", "[writer]") {
  const TempDir temp;
  test::write(temp / "from/b/file", "content");
  REQUIRE(::link((temp / "from/b/file").c_str(), (temp / "from/a").c_str()) == 0);
  REQUIRE(::link((temp / "from/b/file").c_str(), (temp / "from/z").c_str()) == 0);
  REQUIRE(::symlink("nowhere", (temp / "from/s").c_str()) == 0);
  REQUIRE(::linkat(AT_FDCWD, (temp / "from/s").c_str(), AT_FDCWD, (temp / "from/b/s").c_str(), 0) ==
          0);
  REQUIRE(::mkfifo((temp / "from/p").c_str(), 0600) == 0);
  REQUIRE(::link((temp / "from/p").c_str(), (temp / "from/q").c_str()) == 0);
  CHECK(copy(temp / "from", temp / "to") == WarningList{});
  CHECK(differences(temp / "from", temp / "to") == "");
  CHECK(status(temp / "to/a").st_nlink == 3);
  CHECK(status(temp / "to/a").st_ino == status(temp / "to/z").st_ino);
  CHECK(status(temp / "to/s").st_ino == status(temp / "to/b/s").st_ino);
  CHECK(status(temp / "to/p").st_ino == status(temp / "to/q").st_ino);
}

TEST_CASE("a target that holds anything is refused", "[writer]") {
  const TempDir temp;
  test::write(temp / "from/a", "new");
  test::write(temp / "to/.hidden", "old");
  const base::Error error = error_of([&] { copy(temp / "from", temp / "to"); });
  CHECK(error.kind() == base::ErrorKind::refused);
  CHECK(std::string(error.what()).find("--overwrite") != std::string::npos);
  CHECK(names_in(temp / "to") == List{"", ".hidden"});
  // And what is no directory.
  CHECK_THROWS_AS(copy(temp / "from", temp / "to/.hidden"), base::Error);
  CHECK(test::read(temp / "to/.hidden") == "old");
}

TEST_CASE("a target that is absent is made, with its parents", "[writer]") {
  const TempDir temp;
  test::write(temp / "from/a", "x");
  CHECK(copy(temp / "from", temp / "some/where/to") == WarningList{});
  CHECK(differences(temp / "from", temp / "some/where/to") == "");
}

TEST_CASE("a root that is not to be touched keeps its own metadata", "[writer]") {
  const TempDir temp;
  test::write(temp / "from/a", "x");
  set_mtime(temp / "from", 7);
  REQUIRE(::mkdir((temp / "to").c_str(), 0750) == 0);
  REQUIRE(::chmod((temp / "to").c_str(), 0750) == 0);
  TreeWriterOptions options;
  options.touch_root = false;
  CHECK(copy(temp / "from", temp / "to", options) == WarningList{});
  CHECK((status(temp / "to").st_mode & 07777) == 0750);
  CHECK(mtime(temp / "to") != Timestamp{7, 0});
}

TEST_CASE("ACLs of the target and above it do not leak into what is written", "[writer]") {
  const TempDir temp;
  test::write(temp / "from/d/f", "x");
  test::write(temp / "from/f", "x");
  test::write(temp / "from/linked", "x");
  REQUIRE(::link((temp / "from/linked").c_str(), (temp / "from/linked2").c_str()) == 0);
  REQUIRE(::mkfifo((temp / "from/p").c_str(), 0640) == 0);
  REQUIRE(::symlink("x", (temp / "from/s").c_str()) == 0);
  test::write(temp / "from/own", "x");
  set_xattr(temp / "from/own", "system.posix_acl_access", acl_for(4712, 4));
  REQUIRE(::mkdir((temp / "above").c_str(), 0755) == 0);
  set_xattr(temp / "above", "system.posix_acl_default", acl_for(4711, 7));
  TreeWriterOptions options;
  SECTION("the target is made and inherits") {}
  SECTION("the target is there and has it") {
    REQUIRE(::mkdir((temp / "above/to").c_str(), 0700) == 0);
  }
  SECTION("in merge mode") { options.merge = true; }
  SECTION("in merge mode, with directories that have it too") {
    options.merge = true;
    REQUIRE(::mkdir((temp / "above/to").c_str(), 0700) == 0);
    REQUIRE(::mkdir((temp / "above/to/d").c_str(), 0700) == 0);
    REQUIRE(get_xattr(temp / "above/to/d", "system.posix_acl_default") != "-");
  }
  CHECK(copy(temp / "from", temp / "above/to", options) == WarningList{});
  CHECK(differences(temp / "from", temp / "above/to") == "");
  CHECK(get_xattr(temp / "above", "system.posix_acl_default") != "-");
}

TEST_CASE("a root that is not touched keeps its default ACL to itself", "[writer]") {
  const bool merge = GENERATE(false, true);
  const TempDir temp;
  test::write(temp / "from/d/f", "x");
  test::write(temp / "from/f", "x");
  REQUIRE(::mkfifo((temp / "from/p").c_str(), 0640) == 0);
  test::write(temp / "from/own", "x");
  set_xattr(temp / "from/own", "system.posix_acl_access", acl_for(4712, 4));
  REQUIRE(::mkdir((temp / "to").c_str(), 0755) == 0);
  set_xattr(temp / "to", "system.posix_acl_default", acl_for(4711, 7));
  TreeWriterOptions options;
  options.touch_root = false;
  options.merge = merge;
  CHECK(copy(temp / "from", temp / "to", options) == WarningList{});
  CHECK(get_xattr(temp / "to", "system.posix_acl_default") != "-");
  for (const char* name : {"d", "d/f", "f", "p"}) {
    CAPTURE(name);
    CHECK(get_xattr(temp / "to/" + name, "system.posix_acl_access") == "-");
    CHECK(get_xattr(temp / "to/" + name, "system.posix_acl_default") == "-");
    CHECK(status(temp / "to/" + name).st_mode == status(temp / "from/" + name).st_mode);
  }
  CHECK(get_xattr(temp / "to/own", "system.posix_acl_access") == acl_for(4712, 4));
}

TEST_CASE("without root owners are given up with one warning", "[writer]") {
  if (::geteuid() != 0) return skip("needs root to become nobody");
  const TempDir temp;
  REQUIRE(::chmod(temp.path().c_str(), 0777) == 0);
  for (const char* name : {"from/a", "from/b", "from/c/d"}) test::write(temp / name, "x");
  REQUIRE(::chmod((temp / "from/a").c_str(), 04755) == 0);
  const std::string found = as_nobody([&] {
    std::string text;
    for (const std::string& warning : copy(temp / "from", temp / "to")) text += warning + "\n";
    return text;
  });
  CHECK(found ==
        temp / "to" + ": the owners of 5 entries could not be set; restore as root to set them\n");
  CHECK(test::read(temp / "to/c/d") == "x");
  CHECK(status(temp / "to/a").st_uid == 65534);
  CHECK((status(temp / "to/a").st_mode & 07777) == 0755);  // setuid of somebody else
}

TEST_CASE("without root a device is a warning, and the rest comes over", "[writer]") {
  if (::geteuid() != 0) return skip("needs root to make device nodes and to become nobody");
  const TempDir temp;
  REQUIRE(::chmod(temp.path().c_str(), 0777) == 0);
  test::write(temp / "from/z", "x");
  REQUIRE(::mknod((temp / "from/null").c_str(), S_IFCHR | 0666, ::makedev(1, 3)) == 0);
  const std::string found = as_nobody([&] {
    return says(copy(temp / "from", temp / "to"),
                "to/null: this character device could not be made: operation not permitted (it "
                "needs root)")
               ? "reported"
               : "not reported";
  });
  CHECK(found == "reported");
  CHECK(names_in(temp / "to") == List{"", "z"});
}

TEST_CASE("a full disk ends everything with one clear error", "[writer]") {
  const TempDir temp;
  REQUIRE(::mkdir((temp / "to").c_str(), 0755) == 0);
  const TmpfsMount mount(temp / "to", "1m");
  if (!mount.mounted()) return skip("needs the right to mount");
  for (int i = 0; i < 400; ++i) {
    test::write(temp / "from/f" + std::to_string(i), std::string(20'000, 'x'));
  }
  const base::Error error = error_of([&] { copy(temp / "from", temp / "to/in"); });
  CHECK(error.kind() == base::ErrorKind::io);
  CHECK(std::string(error.what()).find("no space left on device") != std::string::npos);
  CHECK(std::string(error.what()).find(temp / "to/in/f") != std::string::npos);
  // What did not fit was not left half.
  for (const Entry& entry : walk(temp / "to")) {
    if (entry.is_file()) CHECK((entry.size == 20'000 || entry.size == 0));
  }
}

TEST_CASE("a stop request ends the writing at once", "[writer]") {
  const TempDir temp;
  std::stop_source stop;
  base::CollectedWarnings warnings;
  base::Progress progress;
  FakeSource source;
  const auto run = [&] {
    TreeWriter writer(temp / "to", {}, warnings, progress, stop.get_token());
    writer.consume(source);
  };
  SECTION("before it begins") {
    source.add_file("a", "x");
    stop.request_stop();
    CHECK(error_of(run).kind() == base::ErrorKind::interrupted);
    CHECK(names_in(temp / "to") == List{""});
  }
  SECTION("between files") {
    for (int i = 1'000; i < 4'000; ++i) {
      source.add_file("f" + std::to_string(i), "x");
      if (i == 1'100) source.on_read([&] { stop.request_stop(); });
    }
    CHECK(error_of(run).kind() == base::ErrorKind::interrupted);
    CHECK(source.given() < 3'000);
  }
  SECTION("within a file, of which nothing is left") {
    source.add_file("large", "x");
    source.on_open([&] { stop.request_stop(); });
    CHECK(error_of(run).kind() == base::ErrorKind::interrupted);
    CHECK(names_in(temp / "to") == List{""});
  }
}

TEST_CASE("a file that changes while it is read is read again once", "[writer]") {
  const TempDir temp;
  FakeSource source;
  source.add_file("once", "x");
  source.changes(1);
  source.add_file("restless", "x");
  source.changes(99);
  CHECK(
      write_tree(source, temp / "to") ==
      WarningList{temp / "to/restless" + ": changed while it was read; the copy may be of no use"});
  CHECK(names_in(temp / "to") == List{"", "once", "restless"});
}

TEST_CASE("a sparse file that shrinks while it is read keeps the rest in its place", "[writer]") {
  // A source whose first data segment gives less than it said.
  class Short final : public Source {
   public:
    bool next(Entry& entry) override {
      entry = Entry{};
      entry.kind = given_ == 0 ? EntryKind::directory : EntryKind::file;
      entry.mode = 0755;
      entry.uid = ::geteuid();
      entry.gid = ::getegid();
      if (given_ == 1) entry.path = "f";
      return given_++ < 2;
    }
    bool complete(Entry&) override { return true; }
    std::unique_ptr<Content> open(Entry&) override {
      class Pieces final : public Content {
       public:
        std::optional<Segment> next_segment() override {
          static constexpr Segment kSegments[] = {{false, 10}, {true, 10}, {false, 5}};
          if (at_ == 3) return std::nullopt;
          left_ = at_ == 0 ? 4 : 5;
          return kSegments[at_++];
        }
        std::size_t read(std::span<std::byte> buffer) override {
          const std::size_t n = std::exchange(left_, 0);
          std::fill_n(buffer.begin(), n, std::byte{'x'});
          return n;
        }

       private:
        std::size_t at_ = 0;
        std::size_t left_ = 0;
      };
      return std::make_unique<Pieces>();
    }

   private:
    int given_ = 0;
  };
  const TempDir temp;
  Short source;
  CHECK(write_tree(source, temp / "to") == WarningList{});
  CHECK(test::read(temp / "to/f") == "xxxx" + std::string(16, '\0') + "xxxxx");
}

TEST_CASE("names vanish from the source without harm", "[writer]") {
  const TempDir temp;
  FakeSource source;
  source.add("gone", EntryKind::symlink, "");  // LocalSource would say so in complete()
  source.add_file("here", "x");
  const WarningList warnings = write_tree(source, temp / "to");
  CHECK(warnings.size() == 1);
  CHECK(names_in(temp / "to") == List{"", "here"});
}

TEST_CASE("a tree of 5,000 levels is written with few open files", "[writer]") {
  const TempDir temp;
  FakeSource source;
  std::string path;
  for (int level = 0; level < 5'000; ++level) {
    path += (level == 0 ? "" : "/") + std::string(level % 100 == 0 ? 255 : 1, 'd');
    source.add(path, EntryKind::directory);
  }
  source.add_file(path + "/bottom", "x");
  {
    const OpenFileLimit limit(256);
    CHECK(write_tree(source, temp / "to") == WarningList{});
  }
  base::CollectedWarnings warnings;
  LocalSource written(temp / "to", {}, warnings);
  Entry entry;
  std::size_t count = 0;
  for (; written.next(entry); ++count) {
    if (entry.mtime != Timestamp{1'000'000'000, 5}) FAIL("a time is wrong at " << count);
  }
  CHECK(count == 5'002);
  CHECK(entry.path == path + "/bottom");
}

TEST_CASE("many directories of one file each are written with few open files", "[writer]") {
  const TempDir temp;
  FakeSource source;
  for (int i = 1'000; i < 1'700; ++i) {
    const std::string directory = "d" + std::to_string(i);
    source.add(directory, EntryKind::directory);
    source.add_file(directory + "/f", "x");
    // The walk is faster than the workers, so that as much waits as may wait.
    source.on_read([] { std::this_thread::sleep_for(std::chrono::milliseconds(2)); });
  }
  {
    const OpenFileLimit limit(256);
    CHECK(write_tree(source, temp / "to") == WarningList{});
  }
  CHECK(names_in(temp / "to").size() == 1'401);
}

TEST_CASE("a directory gets its time when the last of its files is in its place", "[writer]") {
  const TempDir temp;
  FakeSource source;
  source.add("d", EntryKind::directory);
  source.add_file("d/slow", "x");
  source.on_read([] { std::this_thread::sleep_for(std::chrono::milliseconds(100)); });
  source.add_file("e", "x");
  TreeWriterOptions options;
  options.merge = true;  // its rename, behind all else, would change the directory's time
  CHECK(write_tree(source, temp / "to", options) == WarningList{});
  CHECK(mtime(temp / "to/d") == Timestamp{1'000'000'000, 5});
}

TEST_CASE("100,000 files in one directory come over", "[writer]") {
  const TempDir temp;
  // In memory where that may be done: it is about order and batches, and not about the disk.
  const TmpfsMount mount(temp.path(), "500m");
  REQUIRE(::mkdir((temp / "from").c_str(), 0755) == 0);
  const base::Fd from(::open((temp / "from").c_str(), O_RDONLY | O_DIRECTORY));
  for (int i = 0; i < 100'000; ++i) {
    REQUIRE(::mknodat(from.get(), std::to_string(i).c_str(), S_IFREG | 0600, 0) == 0);
  }
  CHECK(copy(temp / "from", temp / "to") == WarningList{});
  const List names = names_in(temp / "from");
  CHECK(names.size() == 100'001);
  CHECK(names == names_in(temp / "to"));
}

}  // namespace rota::tree
