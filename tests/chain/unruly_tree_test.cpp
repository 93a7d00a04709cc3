// Trees that misbehave while they are read: what vanishes, changes or cannot be read.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <set>

#include "chain/behaviour.h"
#include "tree/local_source.h"

namespace rota::test {

using chain::RunRecord;

namespace fs = std::filesystem;

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

}  // namespace rota::test
