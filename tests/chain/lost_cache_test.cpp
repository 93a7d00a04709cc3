// The machine's cache was lost: the next run learns again what it needs, from the index and from
// files that are still the same.

#include <sys/stat.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>

#include "chain/chain_fixture.h"

namespace rota::test {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSize = 8 << 20;
const std::string kOther = "so that there is a second piece";

/// Changes 1 % of a text in ten places.
void edit(std::string& text, std::uint64_t seed) {
  for (std::size_t i = 0; i < 10; ++i) {
    const std::string fresh = noise(text.size() / 1000, seed + i);
    text.replace(i * text.size() / 10 + 1000, fresh.size(), fresh);
  }
}

/// Removes what is kept of the chain, or only files of this name.
void lose(Backups& backups, const std::string& name) {
  if (name.empty()) {
    fs::remove_all(backups.cache());
  } else {
    for (const auto& entry : fs::recursive_directory_iterator(backups.cache())) {
      if (entry.path().filename() == name) fs::remove(entry.path());
    }
  }
  backups.reopen_state();
}

}  // namespace

TEST_CASE("after the cache was lost and a run, an edit of a large file stores little",
          "[chain][lost]") {
  const std::string what = GENERATE("", "content.db", "signatures");
  INFO("lost: " << (what.empty() ? "all" : what));
  Backups backups;
  std::string large = noise(kSize, 1);
  std::string middle = noise(1 << 20, 2);
  const std::string small = noise(100 << 10, 3);
  write(backups.path("large"), large);
  write(backups.path("middle"), middle);
  write(backups.path("small"), small);
  backups.run();
  write(backups.path("other"), kOther);
  backups.run();
  lose(backups, what);

  std::uint64_t opened = 0;
  const chain::RunRecord quiet = backups.watched([](WatchedSource&) {}, &opened);
  CHECK(opened == 2);  // small ones are not read for their signature
  CHECK(quiet.stored < 4'000);
  CHECK(quiet.pieces.back().entries == 2);  // what merging brought: the root and the other file
  CHECK(quiet.files == 5);
  CHECK(quiet.bytes == kSize + (1 << 20) + (100 << 10) + kOther.size());
  CHECK(backups.warnings.empty());

  backups.watched([](WatchedSource&) {}, &opened);
  CHECK(opened == 0);  // once is enough

  edit(large, 4);
  edit(middle, 50);
  write(backups.path("large"), large);
  write(backups.path("middle"), middle);
  const chain::RunRecord edited = backups.run();
  CHECK(edited.stored < (kSize + (1 << 20)) / 20);
  WARN("a 1 % edit of 8 and 1 MiB after the loss stores " << edited.stored << " bytes");
  CHECK(backups.check(edited.run) == "");
  CHECK(backups.quick_check_all() == "");
}

TEST_CASE("after the cache was lost a known content under another name stores nothing",
          "[chain][lost]") {
  Backups backups;
  write(backups.path("a"), noise(300'000, 1));
  write(backups.path("b"), noise(200'000, 2));
  backups.run();
  write(backups.path("c"), noise(200'000, 3));
  backups.run();
  lose(backups, "");
  // In the very run that learns again.
  write(backups.path("copy-of-b"), noise(200'000, 2));
  write(backups.path("copy-of-c"), noise(200'000, 3));
  const chain::RunRecord record = backups.run();
  CHECK(volumes(record) == 0);
  CHECK(backups.quick_check_all() == "");
}

TEST_CASE("a signature is made only from content that is what the index says", "[chain][lost]") {
  Backups backups;
  std::string text = noise(kSize, 1);
  write(backups.path("large"), text);
  write(backups.path("middle"), noise(1 << 20, 2));
  backups.run();
  lose(backups, "");
  // It has become another content though nothing else about it changed: a bad disk.
  const auto flip_read = [](const tree::Entry&, std::unique_ptr<tree::Content> inner) {
    class Flipped final : public PassedContent {
     public:
      using PassedContent::PassedContent;
      std::size_t read(std::span<std::byte> buffer) override {
        const std::size_t n = PassedContent::read(buffer);
        if (n > 0) buffer[n / 2] ^= std::byte{1};
        return n;
      }
    };
    return std::unique_ptr<tree::Content>(std::make_unique<Flipped>(std::move(inner)));
  };
  backups.watched([&](WatchedSource& source) { source.on_content = flip_read; });
  edit(text, 4);
  write(backups.path("large"), text);
  const chain::RunRecord edited = backups.run();
  CHECK(edited.stored > kSize / 2);  // nothing to compare with: whole
  CHECK(backups.quick_check_all() == "");
}

TEST_CASE("signatures that the cap or a change took are not made again", "[chain][lost]") {
  Backups backups;
  write(backups.path("a"), noise(300'000, 1));
  write(backups.path("b"), noise(300'000, 1));
  backups.run();
  write(backups.path("a"), noise(300'000, 2));
  backups.run();  // frees the signature that b has too
  std::uint64_t opened = 0;
  backups.watched([](WatchedSource&) {}, &opened);
  CHECK(opened == 0);
}

TEST_CASE("signatures of contents that no file has any more take no room", "[chain][lost]") {
  Backups backups;
  std::uint64_t first = 0;
  for (std::uint64_t n = 0; n < 6; ++n) {
    write(backups.path("large"), noise(kSize, n));
    const chain::RunRecord record = backups.run();
    struct stat st {};
    const std::string file = backups.cache() + "/" + record.chain + "/signatures";
    REQUIRE(::stat(file.c_str(), &st) == 0);
    const auto room = static_cast<std::uint64_t>(st.st_blocks) * 512;
    if (n == 0) first = room;
    CHECK(room > kSize / 100);
    CHECK(room < first + first / 4);
  }
}

}  // namespace rota::test
