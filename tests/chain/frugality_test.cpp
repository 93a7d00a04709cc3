// How little a chain stores, reads and asks for.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <catch2/catch.hpp>
#include <filesystem>

#include "chain/behaviour.h"
#include "chain/chain_source.h"

namespace rota::test {

using chain::RunKind;
using chain::RunRecord;

namespace fs = std::filesystem;

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

}  // namespace rota::test
