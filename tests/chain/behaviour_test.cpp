// What a chain promises beyond giving back what it took: how much it stores, reads and asks for,
// and what it does when the tree, the clock or the machine misbehaves.

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <catch2/catch.hpp>
#include <filesystem>
#include <map>
#include <set>

#include "base/error.h"
#include "base/kind_of.h"
#include "base/sqlite.h"
#include "chain/chain_fixture.h"
#include "chain/chain_source.h"
#include "tree/local_source.h"

namespace rota::test {

using base::ErrorKind;
using chain::RunKind;
using chain::RunRecord;

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLarge = 5 << 20;  // more than what packers take

/// A few files of each size class.
void make_tree(Backups& backups) {
  write(backups.path("a"), "a small file");
  write(backups.path("dir/b"), noise(20'000, 1));
  write(backups.path("dir/sub/c"), noise(3'000, 2));
  write(backups.path("large"), noise(kLarge, 3));
  fs::create_symlink("a", backups.path("link"));
}

bool is_restored(Backups& backups, const RunRecord& record) {
  const std::string found = backups.quick_check(record.run);
  if (!found.empty()) WARN(found);
  return found.empty();
}

std::string contents(Backups& backups, const std::string& run, const std::string& path) {
  const std::string target = backups.temp / "one";
  remove_tree(target);
  backups.restore(run, target, {path});
  return read(target + "/" + path);
}

/// A directory's names below it, relative, sorted.
std::vector<std::string> listing(const std::string& root) {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    names.push_back(entry.path().lexically_relative(root));
  }
  std::ranges::sort(names);
  return names;
}

std::uint64_t inode(const std::string& path) {
  struct stat st {};
  REQUIRE(::lstat(path.c_str(), &st) == 0);
  return st.st_ino;
}

}  // namespace

TEST_CASE("an unchanged tree costs a stat walk", "[chain]") {
  Backups backups;
  make_tree(backups);
  const RunRecord full = backups.run();
  CHECK(full.kind == RunKind::full);
  CHECK(volumes(full) == 1);
  std::uint64_t opened = 0;
  std::uint64_t completed = 0;
  const RunRecord next = backups.watched(
      [&](WatchedSource& source) {
        source.on_complete = [&](tree::Entry&) { return ++completed > 0; };
      },
      &opened);
  CHECK(next.kind == RunKind::increment);
  CHECK(next.objects.empty());
  CHECK(opened == 0);
  CHECK(completed == 0);
  CHECK(next.files == full.files);
  CHECK(next.bytes == full.bytes);
  CHECK(next.files == listing(backups.tree).size() + 1);
  CHECK(next.bytes == 12 + 20'000 + 3'000 + kLarge);
  CHECK(is_restored(backups, next));
}

TEST_CASE("new metadata alone stores no content again", "[chain]") {
  Backups backups;
  make_tree(backups);
  backups.run();
  for (const char* name : {"a", "dir/b", "large", "dir"}) {
    fs::permissions(backups.path(name), fs::perms(0700));
  }
  const RunRecord moded = backups.run();
  CHECK(volumes(moded) == 0);
  CHECK(is_restored(backups, moded));
  for (const char* name : {"a", "dir/b", "large", "dir"}) {
    const timespec times[2] = {{0, UTIME_OMIT}, {1'000'000'000, 5}};
    REQUIRE(::utimensat(AT_FDCWD, backups.path(name).c_str(), times, 0) == 0);
  }
  const RunRecord touched = backups.run();
  CHECK(volumes(touched) == 0);
  CHECK(is_restored(backups, touched));
}

TEST_CASE("renamed and copied files upload nothing", "[chain]") {
  Backups backups;
  make_tree(backups);
  write(backups.path("log"), noise(kLarge, 4));
  write(backups.path("log.1"), noise(kLarge + 1, 5));
  backups.run();
  SECTION("renamed") {
    fs::rename(backups.path("dir"), backups.path("other"));
    fs::rename(backups.path("a"), backups.path("other/z"));
    fs::rename(backups.path("large"), backups.path("0"));
  }
  SECTION("copied") {
    fs::copy_file(backups.path("dir/b"), backups.path("dir/b2"));
    fs::copy_file(backups.path("dir/b"), backups.path("another"));
    fs::copy_file(backups.path("large"), backups.path("large2"));
  }
  SECTION("renamed over what there was, as logs are rotated") {
    fs::rename(backups.path("log.1"), backups.path("log.2"));
    fs::rename(backups.path("log"), backups.path("log.1"));
    fs::rename(backups.path("dir/b"), backups.path("a"));
  }
  SECTION("the other name of a hard link is left") {
    fs::create_hard_link(backups.path("large"), backups.path("zz"));
    fs::create_hard_link(backups.path("a"), backups.path("za"));
    CHECK(volumes(backups.run()) == 0);
    fs::remove(backups.path("large"));
    fs::remove(backups.path("a"));
  }
  const RunRecord record = backups.run();
  CHECK(volumes(record) == 0);
  CHECK(is_restored(backups, record));
}

TEST_CASE("an entry that has just changed is read again next time", "[chain]") {
  Backups backups;
  make_tree(backups);
  // The run is in the second of the change: a later change may leave the same times.
  backups.clock.set(base::real_clock().now() - std::chrono::hours(24));
  backups.run();
  std::uint64_t opened = 0;
  backups.clock.set(base::real_clock().now());
  const RunRecord second = backups.watched([](WatchedSource&) {}, &opened);
  CHECK(opened >= 4);
  CHECK(volumes(second) == 0);
  // That one was read a day later: it is certain.
  backups.watched([](WatchedSource&) {}, &opened);
  CHECK(opened == 0);
}

TEST_CASE("a run has at most log2(n) + 1 pieces and reads right", "[chain]") {
  MemoryStore store;
  Backups backups(store);
  make_tree(backups);
  for (unsigned n = 1; n <= 20; ++n) {
    INFO("run " << n);
    if (n > 1) {
      write(backups.path("new/" + std::to_string(n)), noise(100, n));
      fs::remove(backups.path("new/" + std::to_string(n - 3)));
      write(backups.path("a"), "version " + std::to_string(n));
    }
    const RunRecord record = backups.run();
    CHECK(record.runs.size() == n);
    CHECK(record.pieces.size() <= static_cast<std::size_t>(std::bit_width(n)));
    CHECK(record.files == listing(backups.tree).size() + 1);
    CHECK(backups.check(record.run) == "");
  }
  CHECK(backups.quick_check_all() == "");
}

TEST_CASE("one file costs few requests", "[chain]") {
  MemoryStore store;
  Backups backups(store);
  make_tree(backups);
  for (unsigned n = 1; n <= 17; ++n) {
    INFO("run " << n);
    if (n > 1) write(backups.path("often"), noise(30'000, n / 6) + std::to_string(n));
    if (n > 1) write(backups.path("new/" + std::to_string(n)), noise(100, n));
    if (n == 3) write(backups.path("dir/sub/deeper/still/file"), noise(5'000, 100));
    const RunRecord record = backups.run();
    if (n < 3) continue;
    std::uint64_t most = 0;
    for (const char* path : {"dir/sub/deeper/still/file", "often", "dir/b"}) {
      INFO(path);
      const auto fetch = [&](const chain::LocalState* state, Calls& calls) {
        FaultyStore counted(store, calls.rule());
        const chain::Catalog catalog(counted, state);
        const chain::RunInfo& run = catalog.select("", backups.clock.now());
        chain::ChainSource source(counted, catalog.record(run),
                                  state != nullptr ? state->index_copies(run.chain) : "", {path});
        base::CollectedWarnings warnings;
        base::Progress progress;
        const std::string target = backups.temp / "fetched";
        tree::TreeWriter(target, {}, warnings, progress, {}).consume(source);
        CHECK(read(target + "/" + path) == read(backups.path(path)));
        CHECK(lines(warnings.list) == "");
        remove_tree(target);
      };
      Calls cold;
      fetch(nullptr, cold);
      CHECK(cold.all() <= 12);
      most = std::max(most, cold.all());
      Calls warm;
      fetch(backups.state.get(), warm);
      CHECK(warm.lists == 1);
      // A changed small file may lie in up to three runs.
      CHECK(warm.gets + warm.reads <= (std::string(path) == "often" ? 3 : 1));
    }
    if (n >= 16) WARN("one file of run " << n << " costs at most " << most << " requests");
    CHECK(record.runs.size() == n);
  }
}

TEST_CASE("a file that vanishes before it is read is simply gone", "[chain]") {
  Backups backups;
  make_tree(backups);
  backups.run();
  write(backups.path("new"), "new");
  write(backups.path("newlarge"), noise(kLarge, 8));
  write(backups.path("a"), "changed");
  write(backups.path("large"), noise(kLarge, 9));
  const std::set<std::string> victims = {"new", "newlarge", "a", "large"};
  const RunRecord record = backups.watched([&](WatchedSource& source) {
    source.on_open = [&](tree::Entry& entry) {
      if (victims.contains(entry.path)) fs::remove(backups.path(entry.path));
      return true;
    };
  });
  CHECK(lines(backups.warnings) == "");
  CHECK(record.files == listing(backups.tree).size() + 1);
  backups.restore(record.run, backups.temp / "all");
  CHECK(lines(backups.warnings) == "");
  CHECK(listing(backups.temp / "all") == listing(backups.tree));
  CHECK(is_restored(backups, backups.run()));
}

TEST_CASE("a directory that is moved away while it is read leaves a run that can be restored",
          "[chain]") {
  Backups backups;
  make_tree(backups);
  fs::create_hard_link(backups.path("a"), backups.path("dir/hard"));
  fs::create_symlink("x", backups.path("dir/symlink"));
  const bool known = GENERATE(true, false);
  if (known) backups.run();
  fs::permissions(backups.path("dir"), fs::perms(0750));
  backups.clock.advance(std::chrono::hours(24));
  base::CollectedWarnings ignored;
  tree::LocalSource local(backups.tree, {}, ignored);
  WatchedSource source(local);
  source.on_complete = [&](tree::Entry& entry) {
    if (entry.path == "dir") fs::rename(backups.path("dir"), backups.path("moved"));
    return true;
  };
  const RunRecord record = backups.backup(backups.store, source);
  const std::string target = backups.temp / "restored";
  backups.restore(record.run, target);
  CHECK(backups.damaged == 0);
  CHECK(lines(backups.warnings) == "");
  CHECK(is_restored(backups, backups.run()));
}

TEST_CASE("a file that changes while it is read is read twice and kept with a warning", "[chain]") {
  Backups backups;
  make_tree(backups);
  const char* name = GENERATE("a", "large");
  const bool settles = GENERATE(true, false);
  std::uint64_t reads = 0;
  const RunRecord record = backups.watched([&](WatchedSource& source) {
    source.on_content = [&](const tree::Entry& entry, std::unique_ptr<tree::Content> content) {
      class Restless final : public PassedContent {
       public:
        using PassedContent::PassedContent;
        bool unchanged() override { return false; }
      };
      if (entry.path != name) return content;
      ++reads;
      if (settles && reads > 1) return content;
      return std::unique_ptr<tree::Content>(std::make_unique<Restless>(std::move(content)));
    };
  });
  CHECK(reads == 2);
  REQUIRE(backups.warnings.size() == (settles ? 0 : 1));
  if (!settles) {
    CHECK(backups.warnings.front().first == name);
    CHECK(backups.warnings.front().second.find("changed while it was read") != std::string::npos);
  }
  CHECK(record.warnings == backups.warnings.size());
  CHECK(is_restored(backups, record));
  // It is read again next time.
  reads = 0;
  std::uint64_t opened = 0;
  backups.watched([](WatchedSource&) {}, &opened);
  CHECK(opened == (settles ? 0 : 1));
}

TEST_CASE("an unreadable file keeps the version before, with one warning", "[chain]") {
  Backups backups;
  make_tree(backups);
  write(backups.path("grown"), "small");
  backups.run();
  const std::string old_large = read(backups.path("large"));
  write(backups.path("a"), "changed");
  write(backups.path("large"), noise(kLarge + 7, 9));
  write(backups.path("grown"), noise(kLarge, 10));
  write(backups.path("new"), "new");
  write(backups.path("newlarge"), noise(kLarge, 11));
  const std::set<std::string> victims = {"a", "large", "grown", "new", "newlarge"};
  const bool by_reading = GENERATE(false, true);
  backups.clock.advance(std::chrono::hours(24));
  base::CollectedWarnings local_warnings;
  tree::LocalSource local(backups.tree, {}, local_warnings);
  WatchedSource source(local);
  base::CollectedWarnings of_source;
  if (by_reading) {
    class Broken final : public PassedContent {
     public:
      using PassedContent::PassedContent;
      std::size_t read(std::span<std::byte> buffer) override {
        if (read_ > 100'000) base::throw_os("cannot read", "it", EIO);
        const std::size_t n =
            PassedContent::read(buffer.first(std::min<std::size_t>(buffer.size(), 70'000)));
        read_ += n > 0 ? std::max<std::size_t>(n, 101'000) : 0;
        if (n > 0 && n < 70'000) base::throw_os("cannot read", "it", EIO);
        return n;
      }

     private:
      std::size_t read_ = 0;
    };
    source.on_content = [&](const tree::Entry& entry, std::unique_ptr<tree::Content> content) {
      if (!victims.contains(entry.path)) return content;
      return std::unique_ptr<tree::Content>(std::make_unique<Broken>(std::move(content)));
    };
  } else {
    source.on_open = [&](tree::Entry& entry) {
      if (!victims.contains(entry.path)) return true;
      of_source.warn(entry.path, "cannot be read");
      entry.unreadable = true;
      return false;
    };
  }
  const RunRecord record = backups.backup(backups.store, source);
  auto warned = backups.warnings;
  warned.insert(warned.end(), of_source.list.begin(), of_source.list.end());
  std::multiset<std::string> names;
  for (const auto& [path, message] : warned) names.insert(path);
  CHECK(names == std::multiset<std::string>(victims.begin(), victims.end()));
  CHECK(contents(backups, record.run, "a") == "a small file");
  CHECK(contents(backups, record.run, "grown") == "small");
  CHECK(contents(backups, record.run, "large") == old_large);
  CHECK(listing(backups.temp / "one") == std::vector<std::string>{"large"});
  backups.restore(record.run, backups.temp / "all");
  CHECK(listing(backups.temp / "all") == std::vector<std::string>{"a", "dir", "dir/b", "dir/sub",
                                                                  "dir/sub/c", "grown", "large",
                                                                  "link"});
  CHECK(record.files == 9);
  // When it can be read again, it is.
  CHECK(is_restored(backups, backups.run()));
}

TEST_CASE("an unreadable directory keeps what was below it", "[chain]") {
  Backups backups;
  make_tree(backups);
  const RunRecord first = backups.run();
  fs::create_directory(backups.path("new"));
  for (int again = 0; again < 2; ++again) {
    const RunRecord record = backups.watched([&](WatchedSource& source) {
      source.on_next = [&](tree::Entry& entry) {
        if (entry.path == "dir" || entry.path == "new") entry.unreadable = true;
        return entry.path == "dir" || !tree::is_within(entry.path, "dir");
      };
    });
    CHECK(record.files == first.files + 1);
    CHECK(record.bytes == first.bytes);
    CHECK(is_restored(backups, record));
  }
  // Readable again, and something happened meanwhile.
  fs::remove(backups.path("dir/b"));
  write(backups.path("dir/sub/d"), "new");
  CHECK(is_restored(backups, backups.run()));
}

TEST_CASE("a name may become another kind of thing", "[chain]") {
  Backups backups;
  const auto make = [&](const std::string& name, int kind) {
    const std::string path = backups.path(name);
    remove_tree(path);
    if (kind == 0) write(path, noise(3'000, name.size()));
    if (kind == 1) write(path + "/inside/file", "inside " + name);
    if (kind == 2) fs::create_symlink("somewhere", path);
    if (kind == 3) REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    if (kind == 4) write(path, noise(kLarge, 1));
    if (kind == 5) fs::create_hard_link(backups.path("0"), path);
  };
  constexpr int kKinds = 6;
  write(backups.path("0"), "the first name");
  for (int from = 0; from < kKinds; ++from) {
    for (int to = 0; to < kKinds; ++to) make("x" + std::to_string(from * kKinds + to), from);
  }
  CHECK(is_restored(backups, backups.run()));
  for (int from = 0; from < kKinds; ++from) {
    for (int to = 0; to < kKinds; ++to) make("x" + std::to_string(from * kKinds + to), to);
  }
  const RunRecord record = backups.run();
  CHECK(lines(backups.warnings) == "");
  CHECK(is_restored(backups, record));
  CHECK(backups.check(record.run) == "");
}

TEST_CASE("a hard link's first name goes away", "[chain]") {
  Backups backups;
  make_tree(backups);
  fs::create_hard_link(backups.path("a"), backups.path("b"));
  fs::create_hard_link(backups.path("a"), backups.path("dir/a"));
  fs::create_hard_link(backups.path("large"), backups.path("larger"));
  const RunRecord first = backups.run();
  CHECK(backups.check(first.run) == "");
  fs::remove(backups.path("a"));
  fs::remove(backups.path("large"));
  const RunRecord second = backups.run();
  CHECK(backups.check(second.run) == "");
  CHECK(volumes(second) == 0);
  // And a new first name comes.
  fs::create_hard_link(backups.path("b"), backups.path("0"));
  const RunRecord third = backups.run();
  CHECK(backups.check(third.run) == "");
  CHECK(volumes(third) == 0);
  CHECK(backups.check(first.run) == "");
}

TEST_CASE("a hard link whose first name vanishes while it is read comes with the next run",
          "[chain]") {
  Backups backups;
  write(backups.path("a"), "two names");
  write(backups.path("dir/c"), "another");
  fs::create_hard_link(backups.path("a"), backups.path("dir/b"));
  const bool known = GENERATE(true, false);
  if (known) backups.run();
  write(backups.path("a"), "changed");
  backups.clock.advance(std::chrono::hours(24));
  base::CollectedWarnings ignored;
  tree::LocalSource local(backups.tree, {}, ignored);
  WatchedSource source(local);
  source.on_open = [&](tree::Entry& entry) {
    if (entry.path == "a") fs::remove(backups.path("a"));
    return true;
  };
  const RunRecord record = backups.backup(backups.store, source);
  // Its content cannot be had any more; that is said now and when it is missed.
  REQUIRE(backups.warnings.size() == 1);
  CHECK(backups.warnings.front().first == "a");
  for (const bool merge : {false, true}) {
    for (const char* part : {"", "dir"}) {
      const std::string target = backups.temp / "restored";
      remove_tree(target);
      if (merge) write(target + "/a", "a stranger's");
      tree::TreeWriterOptions options;
      options.merge = merge;
      backups.restore(record.run, target, {part}, options);
      REQUIRE(backups.warnings.size() == 1);
      CHECK(backups.warnings.front().first == target + "/dir/b");
      CHECK_FALSE(base::exists(target + "/dir/b"));
      CHECK(read(target + "/dir/c") == "another");
    }
  }
  CHECK(is_restored(backups, backups.run()));
}

TEST_CASE("parts of a run are restored alone", "[chain]") {
  Backups backups;
  make_tree(backups);
  write(backups.path("dir.txt"), "sorts behind all that is in dir");
  fs::create_hard_link(backups.path("a"), backups.path("dir/hard1"));
  fs::create_hard_link(backups.path("a"), backups.path("dir/sub/hard2"));
  fs::create_hard_link(backups.path("large"), backups.path("zlarge"));
  backups.run();
  write(backups.path("dir/sub/later"), "later");
  const RunRecord record = backups.run();
  const auto part = [&](const std::vector<std::string>& paths) {
    const std::string target = backups.temp / "part";
    remove_tree(target);
    backups.restore(record.run, target, paths);
    CHECK(lines(backups.warnings) == "");
    const std::vector<std::string> names = listing(target);
    for (const std::string& name : names) {
      INFO(name);
      struct stat st {};
      REQUIRE(::lstat((target + "/" + name).c_str(), &st) == 0);
      struct stat original {};
      REQUIRE(::lstat(backups.path(name).c_str(), &original) == 0);
      CHECK(st.st_mode == original.st_mode);
      CHECK(st.st_mtim.tv_nsec == original.st_mtim.tv_nsec);
      if (S_ISREG(st.st_mode)) {
        CHECK(read(target + "/" + name) == read(backups.path(name)));
      }
    }
    return names;
  };
  using Names = std::vector<std::string>;
  CHECK(part({"a"}) == Names{"a"});
  CHECK(part({"dir/sub/later"}) == Names{"dir", "dir/sub", "dir/sub/later"});
  CHECK(part({"zlarge"}) == Names{"zlarge"});
  CHECK(part({"dir.txt", "dir/b", "link"}) == Names{"dir", "dir.txt", "dir/b", "link"});
  CHECK(part({"dir/sub", "dir/sub/c"}) ==
        Names{"dir", "dir/sub", "dir/sub/c", "dir/sub/hard2", "dir/sub/later"});
  CHECK(part({""}).size() == listing(backups.tree).size());
  CHECK(part({"dir"}) == Names{"dir", "dir/b", "dir/hard1", "dir/sub", "dir/sub/c", "dir/sub/hard2",
                               "dir/sub/later"});
  // Their first name was not wanted; they are still one file.
  CHECK(inode(backups.temp / "part/dir/hard1") == inode(backups.temp / "part/dir/sub/hard2"));
  CHECK(part({"a", "dir/hard1"}) == Names{"a", "dir", "dir/hard1"});
  CHECK(inode(backups.temp / "part/dir/hard1") == inode(backups.temp / "part/a"));
  for (const char* absent : {"absent", "a/b", "dir/suc", "dir/sub/c/d", "di"}) {
    INFO(absent);
    CHECK(kind_of([&] { part({absent}); }) == ErrorKind::not_found);
  }
}

TEST_CASE("a chain that is old enough is followed by a new full", "[chain]") {
  Backups backups;
  make_tree(backups);
  backups.settings.max_full_age = {};
  backups.settings.max_full_age.days = 3;
  const RunRecord full = backups.run();
  CHECK(backups.run().chain == full.chain);
  CHECK(backups.run().chain == full.chain);
  const RunRecord next = backups.run();
  CHECK(next.kind == RunKind::full);
  CHECK(next.chain == next.run);
  CHECK(next.pieces.size() == 1);
  // It shares nothing with the chain before.
  for (const std::string& run : {full.run}) {
    store::for_each_object(
        backups.store, chain::data_prefix(full.chain, run),
        [&](const store::ObjectInfo& object) { backups.store.remove(object.name); });
  }
  CHECK(backups.check(next.run) == "");
  CHECK(backups.run().chain == next.chain);
}

TEST_CASE("a store that this machine does not know is refused until it is adopted", "[chain]") {
  Backups backups;
  make_tree(backups);
  const auto refused = [&] {
    return kind_of([&] { backups.backup(backups.store); }) == ErrorKind::refused;
  };
  const auto goes_on = [&](RunKind kind) {
    const RunRecord record = backups.run();
    CHECK(record.kind == kind);
    CHECK(is_restored(backups, record));
  };
  backups.run();
  const RunRecord last = backups.run();

  SECTION("the state was lost") {
    remove_tree(backups.temp / "state");
    backups.reopen_state();
    CHECK(refused());
    CHECK(chain::adopt(backups.store, *backups.state) == last.run);
    goes_on(RunKind::increment);
  }
  SECTION("another machine wrote the newest run") {
    fs::copy(backups.temp / "state", backups.temp / "clone", fs::copy_options::recursive);
    auto clone =
        std::make_unique<chain::LocalState>(backups.temp / "clone", backups.temp / "clone-cache");
    write(backups.path("a"), "newer");
    std::swap(backups.state, clone);
    const RunRecord theirs = backups.run();
    std::swap(backups.state, clone);
    CHECK(refused());
    CHECK(chain::adopt(backups.store, *backups.state) == theirs.run);
    goes_on(RunKind::increment);
  }
  SECTION("the disk is not mounted") {
    fs::rename(backups.temp / "store", backups.temp / "unmounted");
    CHECK(refused());
    CHECK_FALSE(base::exists(backups.temp / "store"));
    SECTION("and is mounted again") {
      fs::rename(backups.temp / "unmounted", backups.temp / "store");
      goes_on(RunKind::increment);
    }
    SECTION("and shall be begun anew") {
      CHECK(chain::adopt(backups.store, *backups.state) == "");
      goes_on(RunKind::full);
    }
  }
  SECTION("the newest run was removed") {
    backups.store.remove(chain::record_name(last.chain, last.run, last.kind));
    CHECK(refused());
    CHECK(chain::adopt(backups.store, *backups.state) == backups.runs().front());
    goes_on(RunKind::increment);
  }
  CHECK(backups.quick_check_all() == "");
}

TEST_CASE("a disk that is not mounted does not make an interrupted run forgotten", "[chain]") {
  Backups backups;
  make_tree(backups);
  backups.run();
  write(backups.path("new"), noise(10'000, 3));
  const bool visible = GENERATE(false, true);
  FaultyStore faulty(backups.store, [&](const StoreCall& call) {
    if (call.kind != StoreCall::Kind::put || !call.name.starts_with("runs/")) return Fault::none;
    return visible ? Fault::fail_after : Fault::fail_before;
  });
  backups.clock.advance(std::chrono::hours(24));
  CHECK(kind_of([&] { backups.backup(faulty); }) == ErrorKind::unavailable);
  fs::rename(backups.temp / "store", backups.temp / "unmounted");
  CHECK(kind_of([&] { backups.backup(backups.store); }) == ErrorKind::refused);
  fs::rename(backups.temp / "unmounted", backups.temp / "store");
  backups.keep_new();
  const RunRecord record = backups.run();
  CHECK(record.runs.size() == (visible ? 3 : 2));
  CHECK(orphans(backups.store) == std::vector<std::string>());
  CHECK(backups.quick_check_all() == "");
}

TEST_CASE("a lost cache costs nothing but work", "[chain]") {
  Backups backups;
  make_tree(backups);
  backups.run();
  write(backups.path("a"), "changed");
  backups.run();
  remove_tree(backups.cache());
  backups.reopen_state();
  write(backups.path("dir/b"), noise(20'000, 7));
  const RunRecord record = backups.run();
  CHECK(record.kind == RunKind::increment);
  CHECK(record.stored < 30'000);
  CHECK(backups.quick_check_all() == "");
  CHECK(is_restored(backups, backups.run()));
}

TEST_CASE("a damaged cache costs nothing but work", "[chain]") {
  MemoryStore store;
  Backups backups(store);
  make_tree(backups);
  for (unsigned i = 0; i < 300; ++i) {
    write(backups.path("many/" + std::to_string(i)), noise(3'000, 50 + i));
  }
  backups.run();
  for (int n = 0; n < 2; ++n) {
    write(backups.path("dir/b"), noise(20'000, 1) + std::to_string(n));
    backups.run();
  }
  enum class Damage { empty, half, garbage, middle, longer };
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(backups.cache())) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  CHECK(files.size() >= 3 + 3 + 2);  // records, index copies, contents and signatures
  const auto copy = [](const std::string& from, const std::string& to) {
    remove_tree(to);
    fs::copy(from, to, fs::copy_options::recursive);
  };
  copy(backups.temp / "state", backups.temp / "good-state");
  copy(backups.cache(), backups.temp / "good-cache");
  const std::map<std::string, base::Bytes> objects = store.objects;
  std::uint64_t step = 0;
  for (const std::string& file : files) {
    for (const Damage damage :
         {Damage::empty, Damage::half, Damage::garbage, Damage::middle, Damage::longer}) {
      INFO(file << " damage " << static_cast<int>(damage));
      store.objects = objects;
      copy(backups.temp / "good-state", backups.temp / "state");
      copy(backups.temp / "good-cache", backups.cache());
      std::string text = read(file);
      if (damage == Damage::empty) text.clear();
      if (damage == Damage::half) text.resize(text.size() / 2);
      if (damage == Damage::garbage) text = noise(text.size(), ++step);
      if (damage == Damage::middle) {
        const std::size_t half = text.size() / 2;
        text.replace(half / 2, half, noise(half, ++step));
      }
      if (damage == Damage::longer) text += noise(5'000, ++step);
      write(file, text);
      backups.reopen_state();
      ++step;
      // Content that the chain has under another name, a part of it, and none of it.
      write(backups.path("a"), "version " + std::to_string(step));
      write(backups.path("dir/b"), noise(20'000, 1) + std::to_string(step));
      write(backups.path("copy"), noise(3'000, 50 + step % 300));
      write(backups.path("many/" + std::to_string(step % 300)), noise(3'500, step));
      for (int run = 0; run < 2; ++run) {
        backups.clock.advance(std::chrono::hours(24));
        const RunRecord record = backups.backup(store);
        CHECK(record.kind == RunKind::increment);
        CHECK(lines(backups.warnings) == "");
        REQUIRE(backups.quick_check_now(record.run) == "");
        write(backups.path("b"), "the next run sees what this one made of its cache");
      }
    }
  }
}

TEST_CASE("a damaged row of the cache misleads nobody", "[chain]") {
  MemoryStore store;
  Backups backups(store);
  for (const std::size_t size : {std::size_t{20'000}, kLarge}) {
    write(backups.path("a" + std::to_string(size)), noise(size, 1));
    write(backups.path("b" + std::to_string(size)), noise(size, 2));
  }
  const RunRecord full = backups.run();
  {
    base::Database database(backups.cache() + "/" + full.chain + "/content.db");
    // Each file of a size gets the other's signature, or the other's place.
    const std::string columns = GENERATE(
        "signature_at = {0}.signature_at, "
        "signature_sum = {0}.signature_sum",
        "position = {0}.position, size = {0}.size");
    database.execute("CREATE TEMP TABLE old AS SELECT * FROM content");
    database.execute("UPDATE content SET " + fmt::format(fmt::runtime(columns), "old") +
                     " FROM old WHERE old.key <> content.key AND "
                     "old.signature_size = content.signature_size");
  }
  for (const std::size_t size : {std::size_t{20'000}, kLarge}) {
    // What the other's signature knows, and this file's extents do not have.
    write(backups.path("a" + std::to_string(size)), noise(size, 2) + "more");
    write(backups.path("c" + std::to_string(size)), noise(size, 2));
  }
  CHECK(is_restored(backups, backups.run()));
}

TEST_CASE("the same content with and without holes is edited", "[chain]") {
  MemoryStore store;
  Backups backups(store);
  // Packed, the two differ; to the eye of whoever reads them they are the same.
  const std::size_t size = GENERATE(std::size_t{600'000}, std::size_t{7'000'000});
  const std::string head = noise(size, 1);
  const std::string tail = noise(size / 3, 2);
  const std::size_t hole = 256 << 10;
  const bool sparse_first = GENERATE(true, false);
  const auto make = [&](const std::string& name, bool sparse) {
    const std::string path = backups.path(name);
    write(path, head);
    REQUIRE(::truncate(path.c_str(), static_cast<off_t>((head.size() / 4096 + 1) * 4096)) == 0);
    const base::Fd fd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
    if (sparse) {
      REQUIRE(::ftruncate(fd.get(), static_cast<off_t>((head.size() / 4096 + 1) * 4096 + hole)) ==
              0);
    } else {
      base::real_files().write_all(fd.get(), std::vector<std::byte>(hole), path);
    }
    base::real_files().write_all(fd.get(), std::as_bytes(std::span(tail)), path);
  };
  const auto edit = [&](const std::string& name, const std::string& text) {
    const base::Fd fd(::open(backups.path(name).c_str(), O_WRONLY | O_CLOEXEC));
    REQUIRE(::pwrite(fd.get(), text.data(), text.size(), 5'000) ==
            static_cast<ssize_t>(text.size()));
  };
  SECTION("two files in one run") {
    make("a", sparse_first);
    make("b", !sparse_first);
    REQUIRE(read(backups.path("a")) == read(backups.path("b")));
    backups.run();
    edit("b", "edited");
    CHECK(is_restored(backups, backups.run()));
    edit("a", "edited");
    CHECK(is_restored(backups, backups.run()));
    edit("b", "edited again");
    CHECK(is_restored(backups, backups.run()));
  }
  SECTION("one file that is written anew, after the cache was lost") {
    make("a", sparse_first);
    backups.run();
    remove_tree(backups.cache());
    backups.reopen_state();
    make("a", !sparse_first);
    CHECK(is_restored(backups, backups.run()));
    edit("a", "edited");
    CHECK(is_restored(backups, backups.run()));
    edit("a", "edited again");
    CHECK(is_restored(backups, backups.run()));
  }
}

TEST_CASE("two runs in one second follow each other", "[chain]") {
  MemoryStore store;
  Backups backups(store);
  make_tree(backups);
  std::vector<std::string> order;
  for (int n = 0; n < 12; ++n) {
    INFO("run " << n);
    write(backups.path("a"), "version " + std::to_string(n));
    backups.settings.force_full = n % 4 == 2;
    const RunRecord record = backups.backup(backups.store);
    backups.keep(record.run);
    order.push_back(record.run);
    CHECK(chain::Catalog(store, nullptr).newest()->run == record.run);
  }
  CHECK(backups.runs() == order);
  CHECK(backups.quick_check_all() == "");
}

TEST_CASE("a clock that is set forward and back by days does not change the order of runs",
          "[chain]") {
  MemoryStore store;
  Backups backups(store);
  make_tree(backups);
  std::vector<std::string> order;
  for (int n = 0; n < 8; ++n) {
    INFO("run " << n);
    write(backups.path("a"), "version " + std::to_string(n));
    if (n % 2 == 1) backups.clock.advance(std::chrono::hours(-24 * 5));
    if (n % 3 == 2) backups.clock.advance(std::chrono::hours(24 * 40));
    backups.settings.force_full = n == 4 || n == 5;
    const RunRecord record = backups.run();
    order.push_back(record.run);
    const chain::Catalog catalog(store, nullptr);
    CHECK(catalog.select("", backups.clock.now()).run == record.run);
    CHECK(contents(backups, catalog.newest()->run, "a") == "version " + std::to_string(n));
  }
  CHECK(backups.runs() == order);
  CHECK(backups.quick_check_all() == "");
}

TEST_CASE("a full that was made while the clock was ahead does not put off the next", "[chain]") {
  MemoryStore store;
  Backups backups(store);
  make_tree(backups);
  backups.settings.max_full_age = {};
  backups.settings.max_full_age.days = 3;
  const base::Instant right = backups.clock.now();
  backups.clock.advance(std::chrono::hours(24 * 400));
  const RunRecord full = backups.run();
  backups.clock.set(right);
  for (int n = 0; n < 3; ++n) CHECK(backups.run().chain == full.chain);
  const RunRecord next = backups.run();
  CHECK(next.kind == RunKind::full);
  CHECK(chain::Catalog(store, nullptr).newest()->run == next.run);
  // It follows the one before by name, and by its time it is ahead too: nor does that matter.
  CHECK(backups.run().chain == next.chain);
  CHECK(backups.quick_check_all() == "");
}

}  // namespace rota::test
