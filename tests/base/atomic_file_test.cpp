#include "base/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <set>

#include "base/faulty_files.h"
#include "base/kind_of.h"
#include "support/files.h"

using namespace rota::base;
using rota::test::FaultyFiles;
using rota::test::kind_of;
using rota::test::TempDir;

namespace {

std::set<std::string> names_in(const std::string& directory) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    names.insert(entry.path().filename());
  }
  return names;
}

}  // namespace

TEST_CASE("a committed file has all that was written and nothing beside it", "[atomic_file]") {
  const TempDir dir;
  {
    AtomicFile file(dir / "state", 0640);
    file.write("first, ");
    file.write(std::as_bytes(std::span("second", 6)));
    CHECK_FALSE(exists(dir / "state"));
    file.commit();
  }
  CHECK(rota::test::read(dir / "state") == "first, second");
  CHECK(names_in(dir.path()) == std::set<std::string>{"state"});
  struct stat st {};
  REQUIRE(::stat((dir / "state").c_str(), &st) == 0);
  CHECK((st.st_mode & 0777 & ~0640U) == 0);
}

TEST_CASE("a file that is not committed leaves the old one and no trace", "[atomic_file]") {
  const TempDir dir;
  rota::test::write(dir / "state", "old");
  {
    AtomicFile file(dir / "state");
    file.write("new");
    CHECK(names_in(dir.path()).size() == 2);
  }
  CHECK(rota::test::read(dir / "state") == "old");
  CHECK(names_in(dir.path()) == std::set<std::string>{"state"});
}

TEST_CASE("two writers of one file do not meet, and the last commit stays", "[atomic_file]") {
  const TempDir dir;
  AtomicFile a(dir / "state");
  AtomicFile b(dir / "state");
  a.write("a");
  b.write("b");
  b.commit();
  a.commit();
  CHECK(rota::test::read(dir / "state") == "a");
}

TEST_CASE("the data is durable before the name, and the name before commit returns",
          "[atomic_file]") {
  const TempDir dir;
  FaultyFiles files;
  write_file(dir / "state", "text", 0600, files);
  CHECK(files.log() == "unlink create write fsync rename syncdir ");
}

TEST_CASE("whichever call fails, the file is the old one or the new one", "[atomic_file]") {
  int failures = 0;
  for (int fail_at = 1;; ++fail_at) {
    CAPTURE(fail_at);
    const TempDir dir;
    rota::test::write(dir / "state", "old");
    FaultyFiles files(fail_at);
    const auto kind = kind_of([&] { write_file(dir / "state", "new", 0600, files); });
    if (!files.failed()) {
      CHECK(kind == std::nullopt);
      CHECK(rota::test::read(dir / "state") == "new");
      break;
    }
    ++failures;
    CHECK(kind == ErrorKind::io);
    // Only when the rename went through is the new one there, and only its name may be lost.
    const bool renamed = files.log().find("rename syncdir") != std::string::npos;
    CHECK(rota::test::read(dir / "state") == (renamed ? "new" : "old"));
    CHECK(names_in(dir.path()) == std::set<std::string>{"state"});

    write_file(dir / "state", "new");
    CHECK(rota::test::read(dir / "state") == "new");
    CHECK(names_in(dir.path()) == std::set<std::string>{"state"});
  }
  CHECK(failures == 6);
}

TEST_CASE("a failure to clean up does not hide the failure itself", "[atomic_file]") {
  const TempDir dir;
  class NothingGoes final : public FileOps {
   public:
    Fd create(const std::string& path, unsigned mode) override {
      return real_files().create(path, mode);
    }
    void write_all(int, std::span<const std::byte>, const std::string&) override {
      throw Error(ErrorKind::io, "write");
    }
    void fsync(int, const std::string&) override {}
    void rename(const std::string&, const std::string&) override {}
    void unlink(const std::string&) override {
      if (++unlinks_ > 1) throw std::runtime_error("unlink");
    }
    void make_directories(const std::string&, unsigned) override {}
    void sync_directory(const std::string&) override {}

   private:
    int unlinks_ = 0;
  } files;
  CHECK(rota::test::message_of([&] { write_file(dir / "state", "x", 0600, files); }) == "write");
}

TEST_CASE("a file in a directory that is not there cannot be begun", "[atomic_file]") {
  const TempDir dir;
  CHECK(kind_of([&] { AtomicFile file(dir / "absent/state"); }) == ErrorKind::not_found);
}

TEST_CASE("what a person names is written to and not put away", "[atomic_file]") {
  const TempDir dir;
  SECTION("a link leads to the file") {
    rota::test::write(dir / "there/real", "old");
    std::filesystem::create_symlink("there/real", dir / "link");
    write_output(dir / "link", "new");
    CHECK(std::filesystem::is_symlink(dir / "link"));
    CHECK(rota::test::read(dir / "there/real") == "new");
    CHECK(names_in(dir / "there") == std::set<std::string>{"real"});
  }
  SECTION("a pipe takes it") {
    REQUIRE(::mkfifo((dir / "pipe").c_str(), 0600) == 0);
    const Fd reader(::open((dir / "pipe").c_str(), O_RDONLY | O_NONBLOCK));
    write_output(dir / "pipe", "through");
    std::string taken(20, '\0');
    taken.resize(static_cast<std::size_t>(::read(reader.get(), taken.data(), taken.size())));
    CHECK(taken == "through");
    CHECK(std::filesystem::is_fifo(dir / "pipe"));
  }
  SECTION("a device that is full says so and stays") {
    CHECK(kind_of([] { write_output("/dev/full", "x"); }) == ErrorKind::io);
    CHECK(std::filesystem::is_character_file("/dev/full"));
  }
  SECTION("a directory or a disk is none") {
    CHECK(kind_of([&] { write_output(dir.path(), "x"); }) == ErrorKind::refused);
    const std::string node = dir / "disk";
    if (::mknod(node.c_str(), S_IFBLK | 0600, 0) != 0) return;  // root alone makes such
    CHECK(kind_of([&] { write_output(node, "x"); }) == ErrorKind::refused);
  }
  SECTION("a new file is made") {
    write_output(dir / "new", "x", 0600);
    CHECK(rota::test::read(dir / "new") == "x");
  }
}
