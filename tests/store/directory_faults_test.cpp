// Every file operation of a directory store fails once, and crashes once; and the order that makes
// its objects survive a power cut.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>

#include "base/error.h"
#include "store/directory_store.h"
#include "support/faulty_files.h"
#include "support/files.h"

namespace rota::test {

namespace {

using base::as_bytes;
using store::DirectoryStore;

struct Object {
  std::string name;
  std::string text;
  friend bool operator==(const Object&, const Object&) = default;
};

std::ostream& operator<<(std::ostream& out, const Object& object) {
  return out << object.name << "=" << object.text.size();
}

/// What somebody else sees who opens the store now.
std::vector<Object> contents(const std::string& root) {
  DirectoryStore store(root);
  std::vector<Object> objects;
  store::for_each_object(store, "", [&](const store::ObjectInfo& info) {
    objects.push_back({info.name, std::string(base::as_text(store.get(info.name, info.size)))});
  });
  return objects;
}

std::size_t leftovers(const std::string& root) {
  const std::string temporary = root + "/.tmp";
  if (!base::exists(temporary)) return 0;
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator(temporary), {}));
}

/// Notes what is done, in short: "rename runs/1/a". Temporary files are all called "T".
class RecordingFiles final : public base::FileOps {
 public:
  explicit RecordingFiles(std::string root) : root_(std::move(root)) {}
  std::vector<std::string> log;

  base::Fd create(const std::string& path, unsigned mode) override {
    note("create", path);
    return real_.create(path, mode);
  }
  void write_all(int fd, std::span<const std::byte> data, const std::string& path) override {
    note("write", path);
    real_.write_all(fd, data, path);
  }
  void fsync(int fd, const std::string& path) override {
    note("fsync", path);
    real_.fsync(fd, path);
  }
  void rename(const std::string& from, const std::string& to) override {
    note("rename", to);
    real_.rename(from, to);
  }
  void unlink(const std::string& path) override {
    note("unlink", path);
    real_.unlink(path);
  }
  void make_directories(const std::string& path, unsigned mode) override {
    note("mkdir", path);
    real_.make_directories(path, mode);
  }
  void sync_directory(const std::string& path) override {
    note("sync", path);
    real_.sync_directory(path);
  }

 private:
  void note(const std::string& what, const std::string& path) {
    const std::string name = path == root_ ? "." : path.substr(root_.size() + 1);
    log.push_back(what + " " + (name.starts_with(".tmp/") ? "T" : name));
  }
  base::FileOps& real_ = base::real_files();
  std::string root_;
};

}  // namespace

TEST_CASE("a put that fails anywhere leaves the old or the whole new object", "[store][sweep]") {
  const bool crash = GENERATE(false, true);
  const bool exists = GENERATE(false, true);
  const int error_number = GENERATE(EIO, ENOSPC);
  const std::string old_text(100, 'o');
  const std::string new_text(100'000, 'n');
  const Object bystander{"runs/1/a", "a"};
  const Object before{"runs/2/b", old_text};
  const Object after{"runs/2/b", new_text};

  std::uint64_t n = 1;
  for (;; ++n) {
    INFO("operation " << n << (crash ? " crashes" : " fails"));
    const TempDir dir;
    const std::string root = dir / "root";
    std::vector<Object> old_state;
    if (exists) {
      DirectoryStore(root).put(bystander.name, as_bytes(bystander.text));
      DirectoryStore(root).put(before.name, as_bytes(before.text));
      old_state = {bystander, before};
    }
    std::vector<Object> new_state = {after};
    if (exists) new_state.insert(new_state.begin(), bystander);

    FaultyFiles files;
    DirectoryStore store(root, files);
    if (crash) {
      files.crash_at(n, error_number);
    } else {
      files.fail_at(n, error_number);
    }
    bool failed = false;
    try {
      store.put(after.name, as_bytes(after.text));
    } catch (const base::Error& error) {
      failed = true;
      INFO(error.what());
      CHECK(error.kind() == base::ErrorKind::io);
      CHECK_THAT(error.what(), Catch::Contains(after.name) && Catch::Contains(store.description()));
    }
    CHECK(failed == files.fired());
    const std::vector<Object> state = contents(root);
    if (failed) {
      CHECK((state == old_state || state == new_state));
      if (!crash) CHECK(leftovers(root) == 0);
      CHECK(leftovers(root) <= 1);
    }

    files.heal();
    if (failed) store.put(after.name, as_bytes(after.text));
    REQUIRE(contents(root) == new_state);
    if (!failed) break;
  }
  CHECK(n >= 9);  // two mkdir, create, write, fsync, rename, at least two syncs, the clean run
}

TEST_CASE("a remove that fails anywhere can be done again", "[store][sweep]") {
  const bool crash = GENERATE(false, true);
  std::uint64_t n = 1;
  for (;; ++n) {
    INFO("operation " << n << (crash ? " crashes" : " fails"));
    const TempDir dir;
    const std::string root = dir / "root";
    DirectoryStore(root).put("a/1", as_bytes("1"));
    DirectoryStore(root).put("b/2", as_bytes("2"));
    FaultyFiles files;
    DirectoryStore store(root, files);
    if (crash) {
      files.crash_at(n);
    } else {
      files.fail_at(n);
    }
    bool failed = false;
    try {
      store.remove("b/2");
    } catch (const base::Error& error) {
      failed = true;
      CHECK_THAT(error.what(), Catch::Contains("b/2") && Catch::Contains(store.description()));
    }
    CHECK(failed == files.fired());
    CHECK(contents(root).at(0) == Object{"a/1", "1"});
    files.heal();
    store.remove("b/2");
    REQUIRE(contents(root) == std::vector<Object>{{"a/1", "1"}});
    if (!failed) break;
  }
  CHECK(n >= 3);
}

TEST_CASE("an object is durable before its name, and its name before put returns", "[store]") {
  const TempDir dir;
  RecordingFiles files(dir / "root");
  DirectoryStore store(dir / "root", files);
  store.put("runs/1/a", as_bytes("x"));
  CHECK(files.log == std::vector<std::string>{"mkdir .tmp", "create T", "write T", "fsync T",
                                              "mkdir runs/1", "rename runs/1/a", "sync runs/1",
                                              "sync runs", "sync ."});
  files.log.clear();
  store.remove("runs/1/a");
  CHECK(files.log == std::vector<std::string>{"unlink runs/1/a", "sync runs/1"});
}

TEST_CASE("faulty files fail as told", "[support]") {
  const TempDir dir;
  FaultyFiles files;
  const auto make = [&](const std::string& name) {
    files.make_directories(dir / name, 0700);
    return base::exists(dir / name);
  };
  CHECK(make("a"));
  files.fail_at(2, ENOSPC);
  CHECK(make("b"));
  CHECK_FALSE(files.fired());
  CHECK_THROWS_AS(make("c"), base::FileError);
  CHECK(files.fired());
  CHECK(make("d"));
  CHECK(files.operations() == 4);

  files.crash_at(1);
  CHECK_THROWS_AS(make("e"), base::FileError);
  CHECK_THROWS_AS(make("f"), base::FileError);
  CHECK_FALSE(base::exists(dir / "e"));
  files.heal();
  CHECK(make("e"));

  base::Fd fd = files.create(dir / "file", 0600);
  files.crash_at(1);
  CHECK_THROWS_AS(files.write_all(fd.get(), as_bytes("abcdef"), "file"), base::FileError);
  CHECK_THROWS_AS(files.write_all(fd.get(), as_bytes("abcdef"), "file"), base::FileError);
  CHECK(read(dir / "file") == "abc");
}

}  // namespace rota::test
