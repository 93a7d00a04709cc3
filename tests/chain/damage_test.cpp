// A store that was damaged: verification finds it, and a restore gives what is right and names what
// is not. Never, whatever was damaged, does it give wrong content.

#include <sys/stat.h>

#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <random>
#include <set>

#include "base/error.h"
#include "base/kind_of.h"
#include "base/text.h"
#include "chain/chain_fixture.h"
#include "chain/chain_source.h"
#include "chain/damage_checks.h"
#include "chain/frame.h"
#include "chain/verify.h"
#include "support/random_tree.h"

namespace rota::test {

using base::ErrorKind;

namespace {

namespace fs = std::filesystem;

/// Two chains; the second is of a full and three increments, so that pieces were merged, extents
/// reach into other runs, and there is more than one volume to damage.
struct Small {
  Small() : backups(store) {
    write(backups.path("a"), "first");
    backups.run();
    write(backups.path("b"), "of the first chain");
    backups.run();
    write(backups.path("dir/edited"), noise(9'000, 1));
    write(backups.path("dir/kept"), noise(300, 2));
    fs::create_hard_link(backups.path("dir/kept"), backups.path("hard"));
    backups.full();
    for (std::uint64_t n = 0; n < 3; ++n) {
      write(backups.path("a"), "version " + std::to_string(n));
      write(backups.path("dir/edited"), noise(9'000, 1) + noise(500, 10 + n));
      write(backups.path("new" + std::to_string(n)), noise(200, 20 + n));
      backups.run();
    }
    all = backups.runs();
  }
  chain::VerifyResult verify(bool data, bool with_state = true) {
    base::Progress progress;
    return chain::verify(store, with_state ? backups.state.get() : nullptr, data, progress, {});
  }

  MemoryStore store;
  Backups backups;
  std::vector<std::string> all;
};

std::uint64_t stride_seed() {
  const char* asked = std::getenv("ROTA_TEST_SEED");
  return asked != nullptr ? std::stoull(asked) : 1;
}

}  // namespace

TEST_CASE("a store that is whole has no problems", "[chain][damage]") {
  Small small;
  CHECK(small.all.size() == 6);
  for (const bool data : {false, true}) {
    const chain::VerifyResult result = small.verify(data);
    CHECK(result.problems == std::vector<std::string>());
    CHECK(result.runs == 6);
    CHECK(result.unreferenced == 0);
    CHECK(result.newest == small.all.back());
    CHECK(result.objects == small.store.objects.size());
  }
  for (const std::string& run : small.all)
    CHECK(restore_checked(small.backups, run) == Outcome::whole);
}

TEST_CASE("an object that is missing or cut short is found by the listing", "[chain][damage]") {
  Small small;
  const std::map<std::string, base::Bytes> good = small.store.objects;
  for (const auto& [name, bytes] : good) {
    for (const bool cut : {false, true}) {
      INFO((cut ? "cut short: " : "missing: ") << name);
      small.store.objects = good;
      if (cut) {
        small.store.objects[name].resize(bytes.size() - 1);
      } else {
        small.store.objects.erase(name);
      }
      const auto record = chain::parse_record_name(name);
      // A run without a record is no run; only who remembers the newest can miss it.
      const bool unseen = record && !cut && record->run == small.all[1];
      for (const bool data : {false, true}) {
        const chain::VerifyResult result = small.verify(data);
        CHECK(result.good() == unseen);
        if (unseen) CHECK(result.unreferenced > 0);
        // The problem says of which object or run.
        bool named = unseen;
        const std::string run = record ? record->run : "";
        for (const std::string& problem : result.problems) {
          named = named || problem.find(record ? run : name) != std::string::npos;
        }
        CHECK(named);
      }
      std::set<Outcome> outcomes;
      for (const std::string& run : small.all) outcomes.insert(restore_checked(small.backups, run));
      // The other chain is not touched by it.
      CHECK(outcomes.contains(Outcome::whole));
      CHECK(outcomes.size() > 1);
    }
  }
}

TEST_CASE("a flipped bit is found by reading all data, and never restored", "[chain][damage]") {
  Small small;
  const std::map<std::string, base::Bytes> good = small.store.objects;
  const std::uint64_t seed = stride_seed();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  std::uint64_t flips = 0;
  std::map<Outcome, int> outcomes;
  for (const auto& [name, bytes] : good) {
    // All of the headers and ends, where each bit means something, and some of the rest.
    for (std::size_t at = 0; at < bytes.size();
         at += at < 32 || at + 6 > bytes.size() ? 1 : 1 + random() % (bytes.size() / 6)) {
      const unsigned bit = static_cast<unsigned>(random() % 8);
      INFO(name << " byte " << at << " bit " << bit);
      small.store.objects = good;
      small.store.objects[name][at] ^= static_cast<std::byte>(1U << bit);
      ++flips;
      bool found = false;
      try {
        found = !small.verify(true).good();
      } catch (const base::Error& error) {
        // A record that claims to be of a newer version cannot be judged.
        CHECK(error.kind() == ErrorKind::config);
        CHECK(std::string(error.what()).find("newer rota") != std::string::npos);
        found = true;
      }
      if (!found) {
        // zstd has bits that mean nothing. Only in the last record of an older chain, of which
        // nobody keeps a hash, does nothing else tell.
        CHECK(name == chain::record_name(small.all[0], small.all[1], chain::RunKind::increment));
        const auto meaning = [](const base::Bytes& record) {
          return chain::encode(chain::decode_record(record));
        };
        CHECK(meaning(small.store.objects[name]) == meaning(bytes));
      }
      // The runs that may need this object: those of its chain from it on; the newest is the one
      // that matters most.
      for (const std::string& run : {small.all[1], small.all.back()}) {
        ++outcomes[restore_checked(small.backups, run)];
      }
    }
  }
  WARN(flips << " flips: restores whole " << outcomes[Outcome::whole] << ", partly "
             << outcomes[Outcome::partly] << ", failed " << outcomes[Outcome::failed]);
  CHECK(outcomes[Outcome::partly] > 10);
  CHECK(outcomes[Outcome::failed] > 10);
}

TEST_CASE("a damaged file does not take the place of another when restored over a tree",
          "[chain][damage]") {
  Small small;
  const std::string target = small.backups.temp / "over";
  write(target + "/dir/kept", "an older version");
  write(target + "/hard", "another older version");
  // All volumes of the full, where the hard-linked file lies.
  for (auto& [name, bytes] : small.store.objects) {
    if (name.find(small.all[2] + "/v") == std::string::npos) continue;
    for (std::size_t at = 20; at < bytes.size(); ++at) bytes[at] = std::byte{0};
  }
  tree::TreeWriterOptions options;
  options.merge = true;
  small.backups.restore(small.all.back(), target, {}, options);
  CHECK(small.backups.damaged >= 1);
  std::set<std::string> named;
  for (const auto& [path, message] : small.backups.warnings) named.insert(path);
  CHECK(named.contains(target + "/dir/kept"));
  CHECK(named.contains(target + "/hard"));
  CHECK(read(target + "/dir/kept") == "an older version");
  CHECK(read(target + "/hard") == "another older version");
}

TEST_CASE("what stands in whole blocks of a damaged index comes back", "[chain][damage][lost]") {
  MemoryStore store;
  Backups backups(store);
  write(backups.path("a/first"), "of two names");
  write(backups.path("z/own"), "own");
  fs::create_hard_link(backups.path("a/first"), backups.path("z/link"));
  for (std::uint64_t n = 0; n < 1'500; ++n) {
    // Long and without anything in common, so that few of them fill a block.
    const std::string name =
        base::to_hex(base::sha256(base::as_bytes("name " + std::to_string(n))));
    write(backups.path("m/" + name + name + name), std::to_string(n));
  }
  const chain::RunRecord record = backups.run();
  const std::vector<chain::BlockRow>& blocks = record.pieces.front().blocks;
  REQUIRE(blocks.size() > 2);
  const std::string name = chain::index_name(record.chain, record.run, blocks.front().object);
  const std::map<std::string, base::Bytes> good = store.objects;
  const auto damage = [&](const chain::BlockRow& block) {
    store.objects = good;
    store.objects[name][block.position + block.size / 2] ^= std::byte{4};
  };
  const auto count = [](const std::string& directory) {
    const fs::directory_iterator all(directory);
    return static_cast<std::size_t>(std::distance(fs::begin(all), fs::end(all)));
  };
  const std::string target = backups.temp / "damaged";
  const auto is_named = [&](const std::string& path) {
    return std::ranges::any_of(backups.warnings, [&](const auto& warning) {
      return warning.first == target + "/" + path;
    });
  };

  // The first: it has the root, both directories and the first name of the linked file.
  damage(blocks.front());
  CHECK(restore_checked(backups, record.run) == Outcome::partly);
  REQUIRE(backups.lost.size() == 1);
  CHECK(backups.lost.front().first.empty());
  CHECK(backups.lost.front().end == blocks[1].first_path);
  CHECK(backups.lost.front().what.find(name) != std::string::npos);
  CHECK(is_named("m"));
  CHECK(is_named("z/link"));
  CHECK_FALSE(base::exists(target + "/z/link"));
  CHECK(read(target + "/z/own") == "own");
  const std::size_t came = count(target + "/m");
  CHECK(came > 700);
  CHECK(came < 1'500);
  struct stat made {};
  REQUIRE(::stat((target + "/m").c_str(), &made) == 0);
  CHECK((made.st_mode & 07777) == 0700);

  // A part of the tree that the damage does not touch, but for what is above it.
  remove_tree(target);
  backups.restore(record.run, target, {"z"});
  CHECK(backups.lost.empty());
  CHECK(backups.damaged == 2);  // the root, and the link, whose first name is not known
  CHECK(read(target + "/z/own") == "own");
  CHECK(is_named("z/link"));
  remove_tree(target);
  backups.restore(record.run, target, {"a/first"});
  CHECK(backups.lost.size() == 1);
  CHECK_FALSE(base::exists(target + "/a/first"));
  CHECK(kind_of([&] { backups.restore(record.run, target + "2", {"z/none"}); }) ==
        ErrorKind::not_found);

  // One in the middle: only its files are missing.
  damage(blocks[1]);
  CHECK(restore_checked(backups, record.run) == Outcome::partly);
  CHECK(backups.damaged == 0);
  REQUIRE(backups.lost.size() == 1);
  CHECK(backups.lost.front().first == blocks[1].first_path);
  CHECK(read(target + "/z/link") == "of two names");
  CHECK(count(target + "/m") < 1'500);

  // The writer does not take half an index for removed files.
  backups.state =
      std::make_unique<chain::LocalState>(backups.temp / "state", backups.temp / "another-cache");
  backups.clock.advance(std::chrono::hours(24));
  CHECK(kind_of([&] { backups.backup(store); }) == ErrorKind::corrupt);
}

TEST_CASE("objects of a newer format are not read and not called damaged", "[chain][damage]") {
  Small small;
  const std::map<std::string, base::Bytes> good = small.store.objects;
  constexpr std::size_t kVersionAt = 13;  // docs/format.md, "Objects"
  for (const auto& [name, bytes] : good) {
    INFO(name);
    small.store.objects = good;
    REQUIRE(small.store.objects[name][kVersionAt] == std::byte{chain::kFormatVersion});
    small.store.objects[name][kVersionAt] = std::byte{chain::kFormatVersion + 1};
    const auto newer = [](const std::string& text) {
      return text.find("newer rota") != std::string::npos &&
             text.find(fmt::format("version {}", chain::kFormatVersion + 1)) != std::string::npos;
    };
    if (const auto record = chain::parse_record_name(name)) {
      std::string said;
      try {
        for (const std::string& problem : small.verify(true, false).problems) said += problem;
      } catch (const base::Error& error) {
        CHECK(error.kind() == ErrorKind::config);
        said = error.what();
      }
      CHECK(newer(said));
      CHECK(said.find(record->run) != std::string::npos);
      try {
        small.backups.restore(record->run, small.backups.temp / "newer");
        FAIL("it was restored");
      } catch (const base::Error& error) {
        CHECK(error.kind() == ErrorKind::config);
        CHECK(newer(error.what()));
      }
    } else {
      // Volumes and index objects are covered by the hash that the record has of them.
      const chain::VerifyResult result = small.verify(true);
      REQUIRE(!result.problems.empty());
      CHECK(result.problems.front().find(name) != std::string::npos);
    }
  }
}

}  // namespace rota::test
