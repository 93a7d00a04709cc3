// What a verification reads, and what it finds that no hash tells.

#include "chain/verify.h"

#include <catch2/catch.hpp>
#include <functional>
#include <map>
#include <set>

#include "base/error.h"
#include "chain/chain_fixture.h"
#include "chain/piece.h"
#include "chain/sample.h"
#include "support/faulty_files.h"

namespace rota::test {

namespace {

using chain::Extent;
using chain::Sample;

/// Counts what is asked of each object below data/.
struct Asked {
  std::map<std::string, int> times;
  FaultyStore::Rule rule() {
    return [this](const StoreCall& call) {
      const bool content = call.kind == StoreCall::Kind::get || call.kind == StoreCall::Kind::read;
      if (content && call.name.starts_with("data/")) ++times[call.name];
      return Fault::none;
    };
  }
};

chain::VerifyResult verify(store::Store& store, bool data,
                           const std::optional<Sample>& sample = std::nullopt) {
  base::Progress progress;
  return chain::verify(store, nullptr, data, progress, {}, sample);
}

std::set<std::string> data_objects(store::Store& store) {
  std::set<std::string> names;
  store::for_each_object(store, "data/",
                         [&](const store::ObjectInfo& object) { names.insert(object.name); });
  return names;
}

void make_runs(Backups& backups, int count) {
  for (int n = 0; n < count; ++n) {
    write(backups.path("file" + std::to_string(n)), noise(3'000, static_cast<std::uint64_t>(n)));
    backups.run();
  }
}

}  // namespace

TEST_CASE("a run whose maker did not hear that it was put is no problem", "[chain][verify]") {
  MemoryStore store;
  Backups backups(store);
  make_runs(backups, 2);
  write(backups.path("late"), "late");
  backups.clock.advance(std::chrono::hours(24));
  FaultyStore lossy(store, [](const StoreCall& call) {
    const bool record = call.kind == StoreCall::Kind::put && call.name.starts_with("runs/");
    return record ? Fault::fail_after : Fault::none;
  });
  REQUIRE_THROWS_AS(backups.backup(lossy), base::Error);
  REQUIRE(backups.runs().size() == 3);
  base::Progress progress;
  const auto problems = [&] {
    return chain::verify(store, backups.state.get(), false, progress, {}).problems;
  };
  CHECK(problems() == std::vector<std::string>());
  backups.run();
  CHECK(problems() == std::vector<std::string>());
}

TEST_CASE("verifying all data asks for each object once", "[chain][verify]") {
  MemoryStore store;
  Backups backups(store);
  make_runs(backups, 9);
  Asked asked;
  FaultyStore counted(store, asked.rule());
  CHECK(verify(counted, true).problems.empty());
  CHECK(asked.times.size() == data_objects(store).size());
  for (const auto& [name, times] : asked.times) {
    if (times != 1) FAIL(name << " was asked for " << times << " times");
  }
}

TEST_CASE("samples that follow each other read everything, a part each time", "[chain][verify]") {
  MemoryStore store;
  Backups backups(store);
  make_runs(backups, 12);
  const std::set<std::string> all = data_objects(store);
  const std::string state = backups.state->state_directory();
  for (const auto& [share, rounds] : std::map<double, int>{{0.05, 20}, {0.3, 4}, {1, 1}}) {
    INFO("share " << share);
    std::set<std::string> seen;
    for (int n = 0; n < rounds; ++n) {
      Asked asked;
      FaultyStore counted(store, asked.rule());
      const Sample sample = chain::next_sample(state, share);
      const chain::VerifyResult result = verify(counted, false, sample);
      CHECK(result.problems.empty());
      if (share < 1) CHECK(asked.times.size() < all.size());
      for (const auto& [name, times] : asked.times) {
        CHECK(times == 1);
        CHECK(sample.contains(name));
        seen.insert(name);
      }
      chain::keep_sample(state, sample);
    }
    CHECK(seen == all);
  }
}

TEST_CASE("a sample that was not completed is taken again", "[chain][verify]") {
  MemoryStore store;
  Backups backups(store);
  const std::string state = backups.state->state_directory();
  const Sample first = chain::next_sample(state, 0.3);
  CHECK(first.position == 0);
  chain::keep_sample(state, first);
  const Sample second = chain::next_sample(state, 0.3);
  CHECK(second.position == first.width);
  for (std::uint64_t n = 1;; ++n) {
    FaultyFiles files;
    files.fail_at(n);
    try {
      chain::keep_sample(state, second, files);
    } catch (const base::Error&) {
    }
    const std::uint32_t position = chain::next_sample(state, 0.3).position;
    if (!files.fired()) {
      CHECK(n > 2);
      CHECK(position == 2 * first.width);
      break;
    }
    CHECK((position == second.position || position == 2 * first.width));
  }
  write(state + "/sample", "{\"next\": \"x\"}");
  CHECK(chain::next_sample(state, 0.3).position == 0);
}

TEST_CASE("each damaged object is found by one sample of a round", "[chain][verify]") {
  MemoryStore store;
  Backups backups(store);
  make_runs(backups, 4);
  const auto good = store.objects;
  for (const std::string& name : data_objects(store)) {
    store.objects = good;
    store.objects[name].back() ^= std::byte{1};
    Sample sample;
    sample.width = (std::uint64_t{1} << 32) / 4;
    int found = 0;
    for (int n = 0; n < 4; ++n) {
      const chain::VerifyResult result = verify(store, false, sample);
      CHECK(result.problems.size() == (sample.contains(name) ? 1 : 0));
      found += result.problems.empty() ? 0 : 1;
      sample.position += static_cast<std::uint32_t>(sample.width);
    }
    CHECK(found == 1);
  }
}

TEST_CASE("an index that points where nothing is is found", "[chain][verify]") {
  MemoryStore store;
  Backups backups(store);
  write(backups.path("a"), noise(3'000, 1));
  const chain::RunRecord whole = backups.run();
  const auto good = store.objects;
  const auto size = static_cast<std::uint32_t>(whole.objects.front().size);
  REQUIRE(whole.objects.front().type == chain::ObjectType::volume);

  /// The run with this extent in its index, right in all its hashes.
  const auto problems_with = [&](const Extent& extent, std::uint64_t files = 2) {
    store.objects = good;
    chain::RunRecord record = whole;
    chain::Piece piece;
    base::Bytes object;
    chain::PieceWriter writer([&](std::uint32_t, base::Bytes bytes) { object = std::move(bytes); },
                              [](const chain::BlockRow&) {});
    chain::IndexRecord root;
    root.entry.kind = tree::EntryKind::directory;
    writer.add(root, nullptr);
    chain::IndexRecord file;
    file.entry.path = "a";
    file.entry.size = 3'000;
    file.entry.digest.emplace();
    file.extents = std::make_shared<chain::ExtentTable>();
    file.extents->push(extent);
    writer.add(file, nullptr);
    writer.finish();
    piece.entries = writer.entries();
    piece.blocks = writer.take_blocks();
    std::erase_if(record.objects,
                  [](const chain::ObjectRow& row) { return row.type == chain::ObjectType::index; });
    piece.objects.push_back({chain::ObjectType::index, 0, object.size(), base::sha256(object), ""});
    record.objects.push_back(piece.objects.front());
    record.pieces = {piece};
    record.files = files;
    store.objects[chain::index_name(record.chain, record.run, 0)] = object;
    store.objects[chain::record_name(record.chain, record.run, record.kind)] =
        chain::encode(record);
    return verify(store, true).problems;
  };
  CHECK(problems_with({0, 0, 16, size - 16, 0, 3'000}).empty());
  const auto expect = [&](const Extent& extent, const std::string& what) {
    const std::vector<std::string> problems = problems_with(extent);
    REQUIRE(problems.size() == 1);
    CHECK_THAT(problems.front(), Catch::Contains(whole.run) && Catch::Contains(what));
  };
  expect({0, 1, 16, size - 16, 0, 3'000}, "v000001");
  expect({0, 0, 16, size - 15, 0, 3'000}, "v000000");
  expect({0, 0, 15, size - 16, 0, 3'000}, "v000000");
  expect({0, 0, size + 1, 1, 0, 3'000}, "v000000");
  expect({1, 0, 16, size - 16, 0, 3'000}, "a run that was not there yet");
  expect({0, 0, 16, size - 16, 0, 2'999}, "do not cover");
  const std::vector<std::string> counted = problems_with({0, 0, 16, size - 16, 0, 3'000}, 3);
  REQUIRE(counted.size() == 1);
  CHECK_THAT(counted.front(), Catch::Contains("has 2 entries and should have 3"));
}

TEST_CASE("runs that do not agree on a piece that they share are found", "[chain][verify]") {
  MemoryStore store;
  Backups backups(store);
  make_runs(backups, 2);
  const std::vector<std::string> runs = backups.runs();
  const std::string name = chain::record_name(runs[0], runs[1], chain::RunKind::increment);
  chain::RunRecord record = chain::decode_record(store.objects[name]);
  REQUIRE(record.pieces.size() == 2);
  ++record.pieces.front().entries;
  store.objects[name] = chain::encode(record);
  const std::vector<std::string> problems = verify(store, true).problems;
  REQUIRE(problems.size() == 1);
  CHECK_THAT(problems.front(), Catch::Contains(runs[1]) && Catch::Contains("in another way"));
}

TEST_CASE("what stands behind a damaged or missing record is looked at", "[chain][verify]") {
  MemoryStore store;
  Backups backups(store);
  make_runs(backups, 4);
  const std::vector<std::string> runs = backups.runs();
  const auto kind = [&](std::size_t n) {
    return n == 0 ? chain::RunKind::full : chain::RunKind::increment;
  };
  const auto good = store.objects;
  for (std::size_t n = 0; n < 3; ++n) {
    for (const bool missing : {false, true}) {
      for (const bool data : {false, true}) {
        CAPTURE(n, missing, data);
        store.objects = good;
        const std::string name = chain::record_name(runs[0], runs[n], kind(n));
        if (missing) {
          store.objects.erase(name);
        } else {
          store.objects.at(name)[20] ^= std::byte{1};
        }
        // Nothing else is said, of no other run.
        std::vector<std::string> problems = verify(store, data).problems;
        REQUIRE(problems.size() == 1);
        CHECK_THAT(problems.front(),
                   Catch::Contains("run " + runs[n] + ":") && Catch::Contains("not looked at"));
        // And what is wrong there is found.
        const std::string volume = chain::volume_name(runs[0], runs[3], 0);
        store.objects.erase(volume);
        const chain::VerifyResult result = verify(store, data);
        REQUIRE(result.problems.size() >= 2);
        CHECK(result.problems[1] == volume + " is missing");
        CHECK(result.harms[1].run == runs[3]);
        // The lost run's own data, too, once an index leads there.
        store.objects.erase(chain::volume_name(runs[0], runs[n], 0));
        bool told = false;
        for (const std::string& problem : verify(store, data).problems) {
          told = told || problem.find(chain::volume_name(runs[0], runs[n], 0)) != std::string::npos;
        }
        CHECK(told == data);
      }
    }
  }
}

TEST_CASE("a record that was replaced does not hide what is behind it", "[chain][verify]") {
  MemoryStore store;
  Backups backups(store);
  make_runs(backups, 3);
  const std::vector<std::string> runs = backups.runs();
  const std::string name = chain::record_name(runs[0], runs[0], chain::RunKind::full);
  chain::RunRecord record = chain::decode_record(store.objects.at(name));
  record.host = "another";
  store.objects[name] = chain::encode(record);
  const std::string volume = chain::volume_name(runs[0], runs[1], 0);
  store.objects.erase(volume);
  const std::vector<std::string> problems = verify(store, false).problems;
  REQUIRE(problems.size() == 2);
  CHECK_THAT(problems[0], Catch::Contains(runs[1]) && Catch::Contains("replaced"));
  CHECK(problems[1] == volume + " is missing");
}

}  // namespace rota::test
