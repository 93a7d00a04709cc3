// What is special about directories; what all stores share is in contract.cpp.
#include "store/directory_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <ctime>
#include <filesystem>

#include "base/error.h"
#include "base/pipeline.h"
#include "support/faulty_files.h"
#include "support/files.h"
#include "support/quick_clock.h"
#include "support/skip.h"

namespace rota::test {

namespace {

using base::as_bytes;
using base::Error;
using base::ErrorKind;
using store::DirectoryStore;

std::vector<std::string> names_in(store::Store& store) {
  std::vector<std::string> names;
  store::for_each_object(store, "",
                         [&](const store::ObjectInfo& object) { names.push_back(object.name); });
  return names;
}

std::string text_of(store::Store& store, const std::string& name) {
  return std::string(base::as_text(store.get(name, store::kMaxObject)));
}

template <typename Action>
Error failure(Action action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  FAIL("no error");
  return {ErrorKind::io, ""};
}

unsigned mode_of(const std::string& path) {
  struct stat st {};
  REQUIRE(::lstat(path.c_str(), &st) == 0);
  return st.st_mode & 07777;
}

bool is_empty(const std::string& directory) { return std::filesystem::is_empty(directory); }

/// A small filesystem of its own, unmounted at the end.
class SmallDisk {
 public:
  explicit SmallDisk(const std::string& path) : path_(path) {
    base::real_files().make_directories(path, 0700);
    mounted_ = ::mount("tmpfs", path.c_str(), "tmpfs", 0, "size=1m") == 0;
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk() {
    if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
  }
  bool mounted() const { return mounted_; }
  void make_read_only() {
    REQUIRE(::mount(nullptr, path_.c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr) == 0);
  }

 private:
  std::string path_;
  bool mounted_ = false;
};

constexpr char kNoMounts[] = "needs the right to mount a tmpfs";

}  // namespace

TEST_CASE("only the owner can look into a directory store", "[store]") {
  const TempDir dir;
  DirectoryStore store(dir / "new/root");
  store.put("runs/1/a", as_bytes("x"));
  for (const char* name :
       {"new", "new/root", "new/root/.tmp", "new/root/runs", "new/root/runs/1"}) {
    INFO(name);
    CHECK(mode_of(dir / name) == 0700);
  }
  CHECK(mode_of(dir / "new/root/runs/1/a") == 0600);
  CHECK(read(dir / "new/root/runs/1/a") == "x");
}

TEST_CASE("a directory store whose root is absent lists as empty and says so to readers",
          "[store]") {
  const TempDir dir;
  DirectoryStore store(dir / "root");
  CHECK(names_in(store).empty());
  CHECK_NOTHROW(store.remove("a/b"));
  std::byte buffer{};
  const std::string message = failure([&] { store.get("a", 1); }).what();
  CHECK_THAT(message, Catch::Contains("file://" + (dir / "root") + " does not exist"));
  CHECK(failure([&] { store.read("a", 0, std::span(&buffer, 1)); }).kind() == ErrorKind::not_found);
  CHECK_FALSE(base::exists(dir / "root"));
}

TEST_CASE("a root that is a file is an error for every call", "[store]") {
  const TempDir dir;
  write(dir / "root", "not a directory");
  DirectoryStore store(dir / "root");
  CHECK(failure([&] { store.list("", "", 1); }).kind() == ErrorKind::io);
  CHECK(failure([&] { store.get("a", 1); }).kind() == ErrorKind::io);
  CHECK(failure([&] { store.put("a", {}); }).kind() == ErrorKind::io);
  CHECK(failure([&] { store.remove("a"); }).kind() == ErrorKind::io);
  CHECK(read(dir / "root") == "not a directory");
}

TEST_CASE("the root of a directory store may be a symbolic link", "[store]") {
  const TempDir dir;
  base::real_files().make_directories(dir / "disk", 0700);
  REQUIRE(::symlink("disk", (dir / "root").c_str()) == 0);
  DirectoryStore store((dir / "root") + "///");
  store.put("a/b", as_bytes("x"));
  CHECK(read(dir / "disk/a/b") == "x");
  CHECK(names_in(store) == std::vector<std::string>{"a/b"});
  store.remove("a/b");
  CHECK_FALSE(base::exists(dir / "disk/a"));
}

TEST_CASE("symbolic links planted in a directory store are not followed", "[store]") {
  const TempDir dir;
  write(dir / "outside/secret", "secret");
  DirectoryStore store(dir / "root");
  store.put("real", as_bytes("x"));
  std::byte buffer{};

  SECTION("in the place of an object") {
    REQUIRE(::symlink("../outside/secret", (dir / "root/link").c_str()) == 0);
    CHECK(failure([&] { store.get("link", 100); }).kind() == ErrorKind::corrupt);
    CHECK(failure([&] { store.read("link", 0, std::span(&buffer, 1)); }).kind() ==
          ErrorKind::corrupt);
    CHECK(names_in(store) == std::vector<std::string>{"real"});
    SECTION("a put replaces the link") {
      store.put("link", as_bytes("mine"));
      CHECK(text_of(store, "link") == "mine");
    }
    SECTION("a remove removes the link") {
      store.remove("link");
      CHECK_FALSE(base::exists(dir / "root/link"));
    }
  }
  SECTION("in the place of a directory") {
    REQUIRE(::symlink("../outside", (dir / "root/link").c_str()) == 0);
    const Error error = failure([&] { store.get("link/secret", 100); });
    CHECK(error.kind() == ErrorKind::corrupt);
    CHECK_THAT(error.what(), Catch::Contains("link is a symbolic link"));
    CHECK_THAT(error.what(), Catch::Contains(store.description()));
    CHECK(failure([&] { store.put("link/secret", as_bytes("mine")); }).kind() ==
          ErrorKind::corrupt);
    CHECK(failure([&] { store.put("link/a/b", as_bytes("mine")); }).kind() == ErrorKind::corrupt);
    CHECK(failure([&] { store.remove("link/secret"); }).kind() == ErrorKind::corrupt);
    CHECK(names_in(store) == std::vector<std::string>{"real"});
    CHECK(store.list("link/", "", 10).objects.empty());
    CHECK(store.list("link/s", "", 10).objects.empty());
  }
  SECTION("in the place of the directory for temporary files") {
    remove_tree(dir / "root/.tmp");
    REQUIRE(::symlink("../outside", (dir / "root/.tmp").c_str()) == 0);
    CHECK(failure([&] { store.put("a", as_bytes("mine")); }).kind() == ErrorKind::corrupt);
    CHECK(names_in(store) == std::vector<std::string>{"real"});
  }
  CHECK(read(dir / "outside/secret") == "secret");
  CHECK(std::distance(std::filesystem::directory_iterator(dir / "outside"), {}) == 1);
}

TEST_CASE("things that are not objects are passed over or reported, never waited for", "[store]") {
  const TempDir dir;
  DirectoryStore store(dir / "root");
  store.put("a/b", as_bytes("x"));
  REQUIRE(::mkfifo((dir / "root/a/fifo").c_str(), 0600) == 0);
  base::real_files().make_directories(dir / "root/lost+found/x", 0700);
  base::real_files().make_directories(dir / "root/empty/deep", 0700);
  write(dir / "root/lost+found/y", "?");
  write(dir / "root/.hidden", "?");
  write(dir / "root/a/.b.swp", "?");
  write(dir / "root/a/b (copy)", "?");
  write(dir / "root/.tmp/abc", "?");
  write(dir / ("root/" + std::string(250, 'd') + "/" + std::string(250, 'd') + "/" +
               std::string(11, 'd')),
        "one byte too long");
  CHECK(names_in(store) == std::vector<std::string>{"a/b"});
  CHECK(store.list(".tmp/", "", 10).objects.empty());
  CHECK(store.list("lost+found/", "", 10).objects.empty());
  const store::Page page = store.list("", "", 1);
  CHECK(page.objects.size() == 1);
  CHECK_FALSE(page.more);
  CHECK(failure([&] { store.get("a/fifo", 1); }).kind() == ErrorKind::corrupt);
}

TEST_CASE("a component that is too long for the filesystem is absent and cannot be put",
          "[store]") {
  const TempDir dir;
  DirectoryStore store(dir / "root");
  const std::string name = "a/" + std::string(300, 'n');
  const Error error = failure([&] { store.put(name, as_bytes("x")); });
  CHECK(error.kind() == ErrorKind::io);
  CHECK_THAT(error.what(), Catch::Contains(name) && Catch::Contains("too long"));
  CHECK(failure([&] { store.get(name, 1); }).kind() == ErrorKind::not_found);
  CHECK(failure([&] { store.get(name + "/x", 1); }).kind() == ErrorKind::not_found);
  CHECK_NOTHROW(store.remove(name));
  CHECK(names_in(store).empty());
  CHECK(is_empty(dir / "root/.tmp"));
}

TEST_CASE("an object in the way of a directory is reported and kept", "[store]") {
  const TempDir dir;
  DirectoryStore store(dir / "root");
  store.put("a", as_bytes("x"));
  store.put("b/c", as_bytes("y"));
  CHECK(failure([&] { store.put("a/b", as_bytes("z")); }).kind() == ErrorKind::io);
  CHECK(failure([&] { store.put("b", as_bytes("z")); }).kind() == ErrorKind::io);
  CHECK(names_in(store) == std::vector<std::string>{"a", "b/c"});
  CHECK(is_empty(dir / "root/.tmp"));
}

TEST_CASE("removing the last object of a directory removes the directory", "[store]") {
  const TempDir dir;
  DirectoryStore store(dir / "root");
  store.put("a/b/c/1", as_bytes("x"));
  store.put("a/b/2", as_bytes("x"));
  store.remove("a/b/c/1");
  CHECK_FALSE(base::exists(dir / "root/a/b/c"));
  CHECK(base::exists(dir / "root/a/b"));
  store.remove("a/b/2");
  CHECK_FALSE(base::exists(dir / "root/a"));
  CHECK(base::exists(dir / "root"));
}

TEST_CASE("puts survive removes that take their directory away", "[store]") {
  const TempDir dir;
  base::Pipeline threads;
  for (int t = 0; t < 4; ++t) {
    threads.add([&, t] {
      DirectoryStore store(dir / "root");  // as separate processes would
      const std::string name = "a/b/c/" + std::to_string(t);
      for (int i = 0; i < 100; ++i) {
        store.put(name, as_bytes("x"));
        if (text_of(store, name) != "x") throw std::runtime_error("lost");
        store.remove(name);
        store.list("", "", 10);
      }
    });
  }
  REQUIRE_NOTHROW(threads.join());
  CHECK_FALSE(base::exists(dir / "root/a"));
}

TEST_CASE("the first put removes what crashed writers left, and nothing of living ones",
          "[store]") {
  const TempDir dir;
  DirectoryStore(dir / "root").put("a", as_bytes("x"));
  const auto leave = [&](const std::string& name, std::time_t age) {
    write(dir / ("root/.tmp/" + name), "left");
    const timeval then{std::time(nullptr) - age, 0};
    const timeval times[2] = {then, then};
    REQUIRE(::utimes((dir / ("root/.tmp/" + name)).c_str(), times) == 0);
  };
  constexpr std::time_t kDay = 24 * 60 * 60;
  leave("dead", kDay + 60);
  leave("alive", 3 * kDay);
  leave("young", kDay - 60);
  const base::Fd writer(::open((dir / "root/.tmp/alive").c_str(), O_WRONLY | O_CLOEXEC));
  REQUIRE(::flock(writer.get(), LOCK_EX | LOCK_NB) == 0);

  DirectoryStore store(dir / "root");
  CHECK(names_in(store) == std::vector<std::string>{"a"});
  CHECK(base::exists(dir / "root/.tmp/dead"));  // reading changes nothing
  store.put("b", as_bytes("x"));
  CHECK_FALSE(base::exists(dir / "root/.tmp/dead"));
  CHECK(base::exists(dir / "root/.tmp/alive"));
  CHECK(base::exists(dir / "root/.tmp/young"));
  CHECK(names_in(store) == std::vector<std::string>{"a", "b"});
}

TEST_CASE("a full disk fails the put alone and is named", "[store]") {
  const TempDir dir;
  const SmallDisk disk(dir / "disk");
  if (!disk.mounted()) return skip(kNoMounts);
  DirectoryStore store(dir / "disk/root");
  const std::string old(300 << 10, 'o');
  const std::string large(900 << 10, 'n');
  store.put("a", as_bytes(old));

  for (const std::string name : {"a", "b/c"}) {
    const Error error = failure([&] { store.put(name, as_bytes(large)); });
    CHECK(error.kind() == ErrorKind::io);
    CHECK_THAT(error.what(), Catch::Contains("the store " + store.description() + " is full: ") &&
                                 Catch::Contains("store " + name));
    CHECK(names_in(store) == std::vector<std::string>{"a"});
    CHECK(text_of(store, "a") == old);
    CHECK(is_empty(dir / "disk/root/.tmp"));
  }
  store.remove("a");
  store.put("b/c", as_bytes(large));
  CHECK(text_of(store, "b/c") == large);
}

TEST_CASE("a read-only disk can be read, and a put says what is wrong", "[store]") {
  const TempDir dir;
  SmallDisk disk(dir / "disk");
  if (!disk.mounted()) return skip(kNoMounts);
  DirectoryStore store(dir / "disk/root");
  store.put("a/b", as_bytes("x"));
  disk.make_read_only();
  for (const std::string name : {"a/b", "a/c", "c"}) {
    const Error error = failure([&] { store.put(name, as_bytes("y")); });
    CHECK(error.kind() == ErrorKind::io);
    CHECK_THAT(error.what(), Catch::Contains("the store " + store.description() + " is read-only"));
  }
  CHECK(failure([&] { store.remove("a/b"); }).kind() == ErrorKind::io);
  CHECK(text_of(store, "a/b") == "x");
  CHECK(names_in(store) == std::vector<std::string>{"a/b"});
  CHECK(failure([&] { DirectoryStore(dir / "disk/other").put("a", {}); }).kind() == ErrorKind::io);
}

TEST_CASE("reasons of the operating system become kinds and words", "[store]") {
  struct Row {
    int number;
    ErrorKind kind;
    const char* words;
  };
  const Row row =
      GENERATE(Row{ENOSPC, ErrorKind::io, "is full: no space left on device"},
               Row{EDQUOT, ErrorKind::io, "is full: disk quota exceeded"},
               Row{EROFS, ErrorKind::io, "is read-only"},
               Row{EACCES, ErrorKind::refused, "permission denied"},
               Row{EPERM, ErrorKind::refused, "operation not permitted"},
               Row{ESTALE, ErrorKind::unavailable, "does not answer: stale file handle"},
               Row{ENOTCONN, ErrorKind::unavailable, "does not answer"},
               Row{EIO, ErrorKind::io, "injected"});
  const TempDir dir;
  FaultyFiles files;
  DirectoryStore store(dir / "root", files);
  store.put("runs/x", as_bytes("x"));
  const auto check = [&](const Error& error) {
    INFO(error.what());
    CHECK(error.kind() == row.kind);
    CHECK_THAT(error.what(), Catch::Contains(row.words) && Catch::Contains("runs/x") &&
                                 Catch::Contains(store.description()));
  };
  files.fail_at(3, row.number);
  check(failure([&] { store.put("runs/x", as_bytes("y")); }));
  files.fail_at(1, row.number);
  check(failure([&] { store.remove("runs/x"); }));
}

TEST_CASE("a directory is written and read no faster than the rate", "[store]") {
  const TempDir dir;
  QuickClock clock;
  const auto seconds = [&](std::uint64_t rate, auto action) {
    DirectoryStore store(dir / "root", base::real_files(), {rate, &clock, {}});
    const auto before = clock.slept();
    action(store);
    return static_cast<double>((clock.slept() - before).count()) / 1000;
  };
  // The clock does not wait, so that each pause is as long as all that came before takes.
  const base::Bytes data(1'000'000);
  CHECK(seconds(100'000, [&](DirectoryStore& store) { store.put("a", data); }) > 9);
  CHECK(seconds(100'000, [&](DirectoryStore& store) { CHECK(store.get("a", 1 << 20) == data); }) >
        9);
  base::Bytes part(1'000'000);
  CHECK(seconds(100'000, [&](DirectoryStore& store) { store.read("a", 0, part); }) > 9);
  CHECK(seconds(0, [&](DirectoryStore& store) { CHECK(store.get("a", 1 << 20) == data); }) == 0);
}

TEST_CASE("what waits for the rate of a directory can be stopped", "[store]") {
  const TempDir dir;
  QuickClock clock;
  std::stop_source stop;
  DirectoryStore store(dir / "root", base::real_files(), {1'000, &clock, stop.get_token()});
  stop.request_stop();
  CHECK(failure([&] { store.put("a", base::Bytes(100'000)); }).kind() == ErrorKind::interrupted);
  CHECK(names_in(store).empty());
}

}  // namespace rota::test
