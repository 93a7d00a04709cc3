#include "recovery/drill.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <set>

#include "base/error.h"
#include "recovery/drill_compare.h"
#include "support/files.h"
#include "tree/fake_source.h"
#include "tree/local_source.h"

using namespace rota;
using base::Error;
using base::ErrorKind;
using recovery::choose_sample;
using recovery::ChosenSample;
using recovery::compare_restored;
using recovery::parse_sample_size;
using test::TempDir;
using tree::Entry;
using tree::EntryKind;
using tree::FakeSource;

namespace {

using Open = std::function<std::unique_ptr<tree::Source>()>;

/// A hundred files of so many bytes and a directory.
Open hundred_files(std::size_t size) {
  return [size] {
    auto source = std::make_unique<FakeSource>();
    source->add("d", EntryKind::directory);
    for (int i = 100; i < 200; ++i)
      source->add_file(fmt::format("d/{}", i), std::string(size, 'x'));
    return source;
  };
}

std::set<std::string> paths(const Open& open, const ChosenSample& chosen) {
  recovery::SampledSource source(open(), chosen.sample);
  std::set<std::string> found;
  Entry entry;
  while (source.next(entry)) found.insert(entry.path);
  return found;
}

/// One tree, and how what was restored of it differs.
struct Compared {
  TempDir dir;
  std::string origin = dir / "origin";
  std::string restored = dir / "restored";
  base::CollectedWarnings warnings;
  base::Progress progress;

  Compared() {
    for (const std::string& top : {origin, restored}) {
      test::write(top + "/a", "content");
      test::write(top + "/d/b", "more");
      std::filesystem::create_symlink("a", top + "/link");
    }
    level();
  }
  /// The same times everywhere.
  void level() const {
    for (const std::string& top : {origin, restored}) {
      for (const char* name : {"/a", "/d/b", "/link", "/d", ""}) {
        const timespec times[2] = {{1'000'000, 5}, {1'000'000, 5}};
        ::utimensat(AT_FDCWD, (top + name).c_str(), times, AT_SYMLINK_NOFOLLOW);
      }
    }
  }
  recovery::Differences differences() {
    tree::LocalSource source(origin, {}, warnings);
    return compare_restored(source, restored, warnings, progress, {});
  }
  std::string first() {
    const recovery::Differences found = differences();
    return found.first.empty() ? "" : found.first.front();
  }
};

/// A drill of a directory as if it were a run of a chain.
struct Drilled {
  TempDir dir;
  std::string origin = dir / "origin";
  std::string scratch = dir / "scratch";
  profile::Places places{dir / "config", dir / "state", dir / "cache", dir / "run"};
  base::CollectedWarnings warnings;
  base::Progress progress;
  std::stop_source stop;
  recovery::DrillTree tree;
  recovery::DrillOptions options;
  int passes = 0;
  std::function<void(int pass)> before_pass = [](int) {};

  Drilled() {
    test::write(origin + "/a", "content");
    test::write(origin + "/d/b", "more");
    std::filesystem::create_directory(scratch);
    options.scratch = scratch;
    tree.server = "web";
    tree.run = "run";
    tree.entries = 4;
    tree.bytes = 11;
    tree.open = [this] {
      before_pass(++passes);
      return std::make_unique<tree::LocalSource>(origin, tree::Selection(), warnings);
    };
  }
  recovery::DrillResult drill() {
    return recovery::drill(
        places, tree, options,
        {base::real_clock(), base::real_processes(), warnings, progress, stop.get_token()});
  }
  std::vector<ledger::DrillRow> recorded() const {
    ledger::Ledger ledger(places.state + "/ledger.db");
    return ledger::Drills(ledger).all();
  }
  ErrorKind error() {
    try {
      drill();
    } catch (const Error& error) {
      return error.kind();
    }
    FAIL("nothing was thrown");
    return ErrorKind::io;
  }
};

}  // namespace

TEST_CASE("a sample is a share of the files or a number of bytes", "[drill]") {
  CHECK(parse_sample_size("5%").share == Approx(0.05));
  CHECK(parse_sample_size("0.5%").share == Approx(0.005));
  CHECK(parse_sample_size("100%").share == 1);
  CHECK(parse_sample_size("2G").bytes == 2'000'000'000);
  CHECK(parse_sample_size("1.5T").bytes == 1'500'000'000'000);
  CHECK(parse_sample_size("100K").bytes == 100'000);
  for (const char* bad :
       {"", "%", "G", "0%", "0.0%", "-5%", "101%", "5", "5%%", "2g", "2GB", "x2G", "nan%", "inf%",
        "0K", "0.0001K", " 5%", "1e2%", "99999999999999999999T"}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(parse_sample_size(bad), Error);
  }
}

TEST_CASE("a sample of files is about as large as asked for, and another one each time",
          "[drill]") {
  const Open open = hundred_files(1'000);
  std::set<std::set<std::string>> samples;
  std::uint64_t files = 0;
  for (int i = 0; i < 50; ++i) {
    const ChosenSample chosen = choose_sample(open, parse_sample_size("20%"), 100'000, {});
    CHECK_FALSE(chosen.everything);
    const auto taken = paths(open, chosen);
    CHECK(taken.size() == chosen.entries);
    CHECK(taken.contains("d"));
    CHECK(chosen.bytes == (chosen.entries - 2) * 1'000);
    CHECK(chosen.bytes > 0);
    files += chosen.entries - 2;
    samples.insert(taken);
  }
  CHECK(samples.size() > 10);
  CHECK(files > 50 * 10);
  CHECK(files < 50 * 30);
  CHECK(choose_sample(open, parse_sample_size("100%"), 100'000, {}).everything);
}

TEST_CASE("a sample of bytes never exceeds them, and has a file where one fits", "[drill]") {
  const Open open = hundred_files(1'000);
  for (int i = 0; i < 50; ++i) {
    const ChosenSample chosen = choose_sample(open, {.bytes = 7'500}, 100'000, {});
    CHECK(chosen.bytes <= 7'000);
    CHECK(chosen.bytes > 0);
    CHECK(paths(open, chosen).size() == chosen.entries);
    CHECK(choose_sample(open, {.bytes = 1'000}, 100'000, {}).bytes == 1'000);
  }
  CHECK(choose_sample(open, {.bytes = 200'000}, 100'000, {}).everything);
  CHECK_THROWS_WITH(choose_sample(open, {.bytes = 999}, 100'000, {}),
                    Catch::Contains("no file is as small as 999 B"));
  // A tree without files has nothing to choose.
  const Open none = [] { return std::make_unique<FakeSource>(); };
  CHECK(choose_sample(none, {.bytes = 999}, 0, {}).everything);
  CHECK(choose_sample(none, parse_sample_size("1%"), 0, {}).everything);
}

TEST_CASE("names of one file are in a sample together or not at all", "[drill]") {
  const Open open = [] {
    auto source = std::make_unique<FakeSource>();
    for (int i = 100; i < 150; ++i) {
      source->add_file(fmt::format("a{}", i), std::string(1'000, 'x')).links = 2;
    }
    for (int i = 100; i < 150; ++i) {
      source->add(fmt::format("b{}", i), EntryKind::hard_link, fmt::format("a{}", i));
    }
    return source;
  };
  const recovery::SampleSize size =
      GENERATE(recovery::SampleSize{.share = 0.3}, recovery::SampleSize{.bytes = 10'000});
  for (int i = 0; i < 20; ++i) {
    const auto taken = paths(open, choose_sample(open, size, 50'000, {}));
    for (int k = 100; k < 150; ++k) {
      CHECK(taken.contains(fmt::format("a{}", k)) == taken.contains(fmt::format("b{}", k)));
    }
  }
}

TEST_CASE("everything that differs in a restored tree is named", "[drill]") {
  Compared c;
  CHECK(c.differences().count == 0);
  CHECK(c.progress.bytes == 11);
  SECTION("content") {
    test::write(c.restored + "/a", "CONTENT");
    c.level();
    CHECK(c.first() == "a: content");
  }
  SECTION("mode") {
    ::chmod((c.restored + "/d/b").c_str(), 0604);
    CHECK(c.first() == "d/b: mode");
  }
  SECTION("time of a directory") {
    ::utimensat(AT_FDCWD, (c.restored + "/d").c_str(), nullptr, 0);
    CHECK(c.first() == "d: mtime");
  }
  SECTION("the top directory") {
    ::chmod(c.restored.c_str(), 0711);
    CHECK(c.first() == "the top directory: mode");
  }
  SECTION("missing") {
    ::unlink((c.restored + "/a").c_str());
    c.level();
    CHECK(c.first() == "a: missing");
  }
  SECTION("too much") {
    test::write(c.restored + "/d/c\n", "");
    c.level();
    CHECK(c.first() == "d/c\\x0a: not in the backup");
  }
  SECTION("a symlink's target") {
    ::unlink((c.restored + "/link").c_str());
    std::filesystem::create_symlink("b", c.restored + "/link");
    c.level();
    CHECK(c.first() == "link: target");
  }
  SECTION("more than are shown") {
    for (int i = 0; i < 9; ++i) test::write(fmt::format("{}/d/{}", c.restored, i), "");
    c.level();
    CHECK(c.differences().count == 9);
    CHECK(c.differences().first.size() == recovery::kShownDifferences);
  }
}

TEST_CASE("a comparison ends when a stop is requested", "[drill]") {
  Compared c;
  std::stop_source stop;
  stop.request_stop();
  tree::LocalSource source(c.origin, {}, c.warnings);
  CHECK_THROWS_AS(compare_restored(source, c.restored, c.warnings, c.progress, stop.get_token()),
                  Error);
}

TEST_CASE("a drill whose tree comes back otherwise than it is has failed", "[drill]") {
  Drilled d;
  SECTION("content") {
    d.before_pass = [&](int pass) {
      if (pass == 2) test::write(d.origin + "/a", "CONTENT");
    };
  }
  SECTION("metadata") {
    d.before_pass = [&](int pass) {
      if (pass == 2) ::chmod((d.origin + "/a").c_str(), 0600);
    };
  }
  const recovery::DrillResult result = d.drill();
  CHECK_FALSE(result.row.passed);
  CHECK(result.bad_data);
  REQUIRE(d.recorded().size() == 1);
  CHECK_THAT(d.recorded()[0].problem, Catch::Contains("from what was backed up: a: "));
  CHECK(std::filesystem::is_empty(d.scratch));
}

TEST_CASE("what tells of the backup is a result, what tells of this machine is none", "[drill]") {
  Drilled d;
  const auto [kind, result] = GENERATE(table<ErrorKind, bool>({{ErrorKind::corrupt, true},
                                                               {ErrorKind::unavailable, true},
                                                               {ErrorKind::io, false},
                                                               {ErrorKind::config, false},
                                                               {ErrorKind::interrupted, false}}));
  const int at = GENERATE(1, 2);
  d.before_pass = [&, kind = kind](int pass) {
    if (pass == at) throw Error(kind, "it was made to fail");
  };
  if (result) {
    CHECK_FALSE(d.drill().row.passed);
    REQUIRE(d.recorded().size() == 1);
    CHECK(d.recorded()[0].problem == "it was made to fail");
  } else {
    CHECK(d.error() == kind);
    CHECK(d.recorded().empty());
  }
  CHECK(std::filesystem::is_empty(d.scratch));
}

TEST_CASE("a check program that others could change meanwhile is not run", "[drill]") {
  Drilled d;
  d.options.check = d.dir / "check";
  test::write(d.options.check, "#!/bin/sh\ntouch \"$0.ran\"\n");
  ::chmod(d.options.check.c_str(), 0700);
  CHECK(d.drill().row.checked);
  CHECK(std::filesystem::remove(d.options.check + ".ran"));
  d.passes = 0;
  d.before_pass = [&](int pass) {
    if (pass == 2) ::chmod(d.options.check.c_str(), 0722);
  };
  CHECK(d.error() == ErrorKind::config);
  CHECK_FALSE(std::filesystem::exists(d.options.check + ".ran"));
  CHECK(d.recorded().size() == 1);
  CHECK(std::filesystem::is_empty(d.scratch));
}

TEST_CASE("a stop at any pass of a drill leaves nothing and is no result", "[drill]") {
  Drilled d;
  d.options.sample = recovery::SampleSize{.share = 1};
  const int at = GENERATE(1, 2, 3);
  d.before_pass = [&](int pass) {
    if (pass == at) d.stop.request_stop();
  };
  CHECK(d.error() == ErrorKind::interrupted);
  CHECK(d.recorded().empty());
  CHECK(std::filesystem::is_empty(d.scratch));
}

TEST_CASE("the time for everything is reckoned from what a sample took", "[drill]") {
  recovery::DrillResult result;
  result.row.server = "web";
  result.row.run = "20260104T030000Z";
  result.row.sample = result.row.passed = true;
  result.row.bytes = 2'000'000'000;
  result.row.whole_bytes = 400'000'000'000;
  CHECK_FALSE(result.row.rate());
  CHECK_FALSE(result.row.whole_seconds());
  result.row.restore_seconds = 20;
  CHECK(result.row.rate() == 100'000'000);
  CHECK(result.row.whole_seconds() == 4'000);
  CHECK_THAT(drill_text(result),
             Catch::StartsWith("A sample of web from the store, as it was at ") &&
                 Catch::Contains("2 GB, restored in 20 s (100 MB a second).\n") &&
                 Catch::Contains("All of it, 400 GB, would take about 1 h 06 min."));
  result.row.bytes = 0;
  CHECK_FALSE(result.row.whole_seconds());
}
