// Random trees through the whole chain: what was backed up at each run is what comes out of it.

#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>

#include "chain/chain_fixture.h"
#include "chain/verify.h"
#include "support/random_tree.h"

namespace rota::test {

namespace {

std::uint64_t seeds() {
  const char* asked = std::getenv("ROTA_TEST_LONG");
  return asked != nullptr && std::string(asked) == "1" ? 100 : 3;
}

void write_at(const std::string& path, const std::string& data, off_t offset) {
  const base::Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
  REQUIRE(fd.valid());
  REQUIRE(::pwrite(fd.get(), data.data(), data.size(), offset) ==
          static_cast<ssize_t>(data.size()));
}

void verify_all(Backups& backups) {
  base::Progress progress;
  const chain::VerifyResult result =
      chain::verify(backups.store, backups.state.get(), true, progress, {});
  CHECK(result.problems == std::vector<std::string>());
  CHECK(result.unreferenced == 0);
  CHECK(orphans(backups.store) == std::vector<std::string>());
}

/// A tree through `runs` runs, with fulls in between.
void live(std::uint64_t seed, int runs, base::Clock* clock) {
  INFO("seed " << seed);
  // In memory most of the time: what is made durable on a disk takes long.
  MemoryStore store;
  const std::unique_ptr<Backups> made =
      seed % 10 == 1 ? std::make_unique<Backups>() : std::make_unique<Backups>(store);
  Backups& backups = *made;
  if (clock != nullptr) backups.used_clock = clock;
  RandomTree tree(seed, backups.tree);
  for (int n = 0; n < runs; ++n) {
    INFO("run " << n);
    if (n > 0) tree.mutate();
    const chain::RunRecord record = n == 4 || n == 8 ? backups.full() : backups.run();
    CHECK(lines(backups.warnings) == "");
    REQUIRE(backups.quick_check(record.run) == "");
  }
  for (const std::string& run : backups.runs()) {
    INFO(run);
    REQUIRE(backups.check(run) == "");
  }
  CHECK(backups.runs().size() == static_cast<std::size_t>(runs));
  verify_all(backups);
}

}  // namespace

TEST_CASE("every run of a random tree is restored exactly", "[chain][property]") {
  for (std::uint64_t seed = 1; seed <= seeds(); ++seed) live(seed, 11, nullptr);
}

TEST_CASE("every run is restored exactly when all entries are read again", "[chain][property]") {
  // By the real clock everything has just changed, and may have changed since it was read.
  for (std::uint64_t seed = 1001; seed < 1001 + seeds() / 3; ++seed) {
    live(seed, 4, &base::real_clock());
  }
}

TEST_CASE("an edit of a large file stores far less than the file", "[chain][property]") {
  MemoryStore store;
  Backups backups(store);
  constexpr std::uint64_t kSize = 12 << 20;
  const std::string big = backups.path("big");
  const std::string sparse = backups.path("sparse");
  write(big, noise(kSize, 1));
  for (off_t at = 0; at < 6; ++at) write_at(sparse, noise(1 << 20, 10 + at), at * (5 << 20));
  const chain::RunRecord whole = backups.run();
  CHECK(whole.stored > kSize + (6 << 20));
  CHECK(whole.stored < kSize + (6 << 20) + (1 << 20));  // holes take no room

  const auto stores_less = [&](const char* what, std::uint64_t limit) {
    INFO(what);
    const chain::RunRecord record = backups.run();
    WARN(what << " stores " << record.stored << " bytes");
    CHECK(record.stored < limit);
    CHECK(lines(backups.warnings) == "");
    REQUIRE(backups.quick_check(record.run) == "");
  };
  for (off_t n = 0; n < 40; ++n) write_at(big, noise(100, 100 + n), n * 300'000 + 77);
  stores_less("40 scattered edits", 100'000);

  write_at(big, noise(300'000, 2), kSize);
  stores_less("appending 300 kB", 400'000);

  std::string text = read(big);
  text.insert(5'000'001, noise(1'000, 3));
  write(big, text);
  stores_less("inserting 1 kB, so that all that follows moves", 30'000);

  REQUIRE(::truncate(big.c_str(), 9'000'001) == 0);
  stores_less("cutting the end off", 30'000);

  {
    const base::Fd fd(::open(big.c_str(), O_RDWR | O_CLOEXEC));
    REQUIRE(::fallocate(fd.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 1 << 20, 3 << 20) ==
            0);
  }
  stores_less("punching a hole", 30'000);

  write_at(sparse, noise(5'000, 4), 7 << 20);  // within a hole
  write_at(sparse, noise(5'000, 5), 500'000);  // within data
  stores_less("writing into holes and data of a sparse file", 60'000);

  text = read(big);
  write(big, text.substr(4 << 20) + text.substr(0, 4 << 20));
  stores_less("swapping the halves of a file", 60'000);

  REQUIRE(backups.quick_check_all() == "");
  REQUIRE(backups.check(backups.runs().back()) == "");
  verify_all(backups);
}

TEST_CASE("a large file that is edited again and again stays whole", "[chain][property]") {
  MemoryStore store;
  Backups backups(store);
  const std::string big = backups.path("big");
  constexpr std::uint64_t kSize = 5 << 20;
  write(big, noise(kSize, 1));
  backups.run();
  std::uint64_t fulls = 0;
  for (std::uint64_t n = 0; n < 12; ++n) {
    INFO("edit " << n);
    for (std::uint64_t i = 0; i < 20; ++i) {
      write_at(big, noise(20'000, 1000 * n + i),
               static_cast<off_t>((n * 13 + i * 250'007) % kSize));
    }
    const chain::RunRecord record = backups.run();
    if (record.stored > kSize) ++fulls;
    REQUIRE(backups.quick_check(record.run) == "");
  }
  // By design, what a restore reads never exceeds 1.5 times the file.
  CHECK(fulls >= 1);
  CHECK(fulls <= 6);
  REQUIRE(backups.quick_check_all() == "");
}

}  // namespace rota::test
