// A cache that is lost or damaged costs work, and nothing else.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <map>

#include "base/sqlite.h"
#include "chain/behaviour.h"

namespace rota::test {

using chain::RunKind;
using chain::RunRecord;

namespace fs = std::filesystem;

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

}  // namespace rota::test
