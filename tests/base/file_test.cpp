#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>

#include "base/bytes.h"
#include "base/kind_of.h"
#include "support/files.h"

using namespace rota::base;
using rota::test::kind_of;
using rota::test::message_of;
using rota::test::TempDir;

namespace {

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) != -1; }

}  // namespace

TEST_CASE("a descriptor is closed by its owner, once", "[file]") {
  int number = -1;
  {
    Fd a(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    REQUIRE(a.valid());
    number = a.get();
    Fd b(std::move(a));
    CHECK(is_open(number));
    Fd c(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    const int replaced = c.get();
    c = std::move(b);
    CHECK_FALSE(is_open(replaced));
    CHECK(c.get() == number);
    CHECK(is_open(number));
  }
  CHECK_FALSE(is_open(number));
  CHECK_FALSE(Fd().valid());
}

TEST_CASE("the parent of a path is its directory part", "[file]") {
  CHECK(parent_directory("a/b") == "a");
  CHECK(parent_directory("/a/b/c") == "/a/b");
  CHECK(parent_directory("a") == ".");
  CHECK(parent_directory("/a") == "/");
  CHECK(parent_directory("/") == "/");
}

TEST_CASE("a file is read whole up to its limit and not beyond", "[file]") {
  const TempDir dir;
  const std::string text(200'000, 'x');
  rota::test::write(dir / "file", text);
  CHECK(read_file(dir / "file", text.size()) == text);
  CHECK(kind_of([&] { read_file(dir / "file", text.size() - 1); }) == ErrorKind::corrupt);
  rota::test::write(dir / "empty", "");
  CHECK(read_file(dir / "empty", 0) == "");
}

TEST_CASE("a failure to read says what and why", "[file]") {
  const TempDir dir;
  CHECK(kind_of([&] { read_file(dir / "absent", 10); }) == ErrorKind::not_found);
  CHECK(kind_of([&] { open_for_reading(dir / "absent"); }) == ErrorKind::not_found);
  CHECK(message_of([&] { read_file(dir / "absent", 10); }) ==
        "cannot open " + (dir / "absent") + ": no such file or directory");
  CHECK(kind_of([&] { read_file(dir.path(), 10); }) == ErrorKind::io);
}

TEST_CASE("reading at an offset gives less only at the end", "[file]") {
  const TempDir dir;
  rota::test::write(dir / "file", "0123456789");
  const Fd fd = open_for_reading(dir / "file");
  std::array<std::byte, 4> buffer{};
  CHECK(read_at(fd.get(), buffer, 3, "file") == 4);
  CHECK(as_text(buffer) == "3456");
  CHECK(read_at(fd.get(), buffer, 8, "file") == 2);
  CHECK(as_text(std::span(buffer).first(2)) == "89");
  CHECK(read_at(fd.get(), buffer, 10, "file") == 0);
  CHECK(read_at(fd.get(), buffer, 1'000'000, "file") == 0);
  CHECK(kind_of([&] { read_at(-1, buffer, 0, "file"); }) == ErrorKind::io);
}

TEST_CASE("a name exists even as a link to nowhere", "[file]") {
  const TempDir dir;
  REQUIRE(::symlink("nowhere", (dir / "link").c_str()) == 0);
  CHECK(exists(dir / "link"));
  CHECK(exists(dir.path()));
  CHECK_FALSE(exists(dir / "absent"));
}

TEST_CASE("a file is created only where there is nothing", "[file]") {
  const TempDir dir;
  FileOps& files = real_files();
  {
    const Fd fd = files.create(dir / "new", 0600);
    files.write_all(fd.get(), as_bytes("text"), dir / "new");
    files.fsync(fd.get(), dir / "new");
  }
  CHECK(read_file(dir / "new", 100) == "text");
  CHECK(kind_of([&] { files.create(dir / "new", 0600); }) == ErrorKind::io);
  CHECK(kind_of([&] { files.create(dir / "absent/new", 0600); }) == ErrorKind::not_found);
  // Nor through a link that waits for it.
  REQUIRE(::symlink((dir / "elsewhere").c_str(), (dir / "link").c_str()) == 0);
  CHECK(kind_of([&] { files.create(dir / "link", 0600); }) == ErrorKind::io);
  CHECK_FALSE(exists(dir / "elsewhere"));
}

TEST_CASE("a full disk is told by its reason", "[file]") {
  const Fd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  REQUIRE(full.valid());
  CHECK(message_of([&] { real_files().write_all(full.get(), as_bytes("x"), "the report"); }) ==
        "cannot write the report: no space left on device");
}

TEST_CASE("removing what is not there is no error", "[file]") {
  const TempDir dir;
  rota::test::write(dir / "file", "x");
  real_files().unlink(dir / "file");
  CHECK_FALSE(exists(dir / "file"));
  CHECK_NOTHROW(real_files().unlink(dir / "file"));
  CHECK(kind_of([&] { real_files().unlink(dir.path()); }) == ErrorKind::io);
}

TEST_CASE("a rename replaces, and needs something to rename", "[file]") {
  const TempDir dir;
  rota::test::write(dir / "a", "new");
  rota::test::write(dir / "b", "old");
  real_files().rename(dir / "a", dir / "b");
  CHECK(read_file(dir / "b", 10) == "new");
  CHECK_FALSE(exists(dir / "a"));
  CHECK(kind_of([&] { real_files().rename(dir / "a", dir / "b"); }) == ErrorKind::not_found);
}

TEST_CASE("directories are made with their parents, as often as asked", "[file]") {
  const TempDir dir;
  FileOps& files = real_files();
  files.make_directories(dir / "a/b/c", 0700);
  struct stat st {};
  REQUIRE(::stat((dir / "a/b/c").c_str(), &st) == 0);
  CHECK(S_ISDIR(st.st_mode));
  CHECK_NOTHROW(files.make_directories(dir / "a/b/c", 0700));
  CHECK_NOTHROW(files.make_directories(dir / "a/b/d/", 0700));
  CHECK(exists(dir / "a/b/d"));

  rota::test::write(dir / "file", "x");
  CHECK(kind_of([&] { files.make_directories(dir / "file", 0700); }) == ErrorKind::io);
  CHECK(kind_of([&] { files.make_directories(dir / "file/below", 0700); }) == ErrorKind::io);
  REQUIRE(::symlink("a", (dir / "link").c_str()) == 0);
  CHECK_NOTHROW(files.make_directories(dir / "link", 0700));
}

TEST_CASE("a directory can be made durable, a missing one cannot", "[file]") {
  const TempDir dir;
  CHECK_NOTHROW(real_files().sync_directory(dir.path()));
  CHECK(kind_of([&] { real_files().sync_directory(dir / "absent"); }) == ErrorKind::not_found);
}
