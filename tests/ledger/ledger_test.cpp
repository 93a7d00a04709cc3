#include "ledger/ledger.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <string>

#include "base/error.h"
#include "support/files.h"

using namespace rota;
using base::Error;
using base::ErrorKind;
using ledger::Ledger;
using ledger::RunKind;
using ledger::RunRow;
using ledger::VerifyKind;
using ledger::VerifyRow;

namespace {

base::Instant at(std::int64_t seconds) { return base::Instant(std::chrono::seconds(seconds)); }

RunRow some_run(const std::string& profile, const std::string& name, std::int64_t time) {
  return {.profile = profile,
          .name = name,
          .chain = "chain-1",
          .kind = RunKind::increment,
          .time = at(time),
          .files = 78'204,
          .bytes = 1ULL << 40,
          .stored = 5'000'000'000,
          .warnings = 2,
          .seconds = 125};
}

VerifyRow some_verification(const std::string& profile, std::int64_t time, VerifyKind what,
                            bool good) {
  return {.profile = profile,
          .time = at(time),
          .run = "run-1",
          .what = what,
          .good = good,
          .objects = 17,
          .bytes = 1ULL << 33,
          .problem = good ? "" : "the volume 3 is missing"};
}

ErrorKind kind_of_open(const std::string& path, std::string& message) {
  try {
    Ledger opened(path);
  } catch (const Error& error) {
    message = error.what();
    return error.kind();
  }
  FAIL("the ledger opened");
  return ErrorKind::io;
}

unsigned mode_of(const std::string& path) {
  struct stat st {};
  REQUIRE(::stat(path.c_str(), &st) == 0);
  return st.st_mode & 07777;
}

std::int64_t pragma(const std::string& path, const std::string& name) {
  base::Database database(path);
  base::Statement statement(database, "PRAGMA " + name);
  REQUIRE(statement.step());
  return statement.integer(0);
}

/// Runs `action` in a child process; true when it ended well.
template <typename Action>
bool in_child(Action action) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    try {
      action();
    } catch (...) {
      ::_exit(1);
    }
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

TEST_CASE("runs come back as they were recorded, oldest first", "[ledger]") {
  const test::TempDir dir;
  const std::string path = dir / "state/rota/ledger.db";
  RunRow full = some_run("main", "run-1", 1'000);
  full.kind = RunKind::full;
  const RunRow second = some_run("main", "run-2", 2'000);
  const RunRow other = some_run("it's \"other\"", "run-1", 500);
  {
    Ledger ledger(path);
    ledger.add_run(second);
    ledger.add_run(full);
    ledger.add_run(other);
  }
  Ledger again(path);
  CHECK(again.runs("main") == std::vector{full, second});
  CHECK(again.runs("it's \"other\"") == std::vector{other});
  CHECK(again.runs("nobody").empty());
  CHECK(again.profiles() == std::vector<std::string>{"it's \"other\"", "main"});
}

TEST_CASE("a run before 1970 and numbers beyond 2^63 keep their values", "[ledger]") {
  const test::TempDir dir;
  Ledger ledger(dir / "ledger.db");
  RunRow run = some_run("main", "run-1", -5);
  run.bytes = UINT64_MAX;
  ledger.add_run(run);
  CHECK(ledger.runs("main") == std::vector{run});
}

TEST_CASE("a run of the same name replaces the row and keeps its id", "[ledger]") {
  const test::TempDir dir;
  const std::string path = dir / "ledger.db";
  const auto id = [&] {
    base::Database database(path);
    base::Statement row(database, "SELECT id FROM run WHERE name = 'run-1'");
    REQUIRE(row.step());
    return row.integer(0);
  };
  Ledger ledger(path);
  ledger.add_run(some_run("main", "run-1", 1'000));
  ledger.add_run(some_run("main", "run-2", 2'000));
  const std::int64_t before = id();

  const RunRow changed{.profile = "main",
                       .name = "run-1",
                       .chain = "chain-2",
                       .kind = RunKind::full,
                       .time = at(1'500),
                       .files = 1,
                       .bytes = 2,
                       .stored = 3,
                       .warnings = 4,
                       .seconds = 5};
  SECTION("by adding") { ledger.add_run(changed); }
  SECTION("by setting") {
    ledger.set_runs("main", std::vector{some_run("main", "run-2", 2'000), changed});
  }
  CHECK(ledger.runs("main") == std::vector{changed, some_run("main", "run-2", 2'000)});
  CHECK(id() == before);
}

TEST_CASE("a purged run is forgotten, its verification stays", "[ledger]") {
  const test::TempDir dir;
  Ledger ledger(dir / "ledger.db");
  ledger.add_run(some_run("main", "run-1", 1'000));
  ledger.add_run(some_run("other", "run-1", 1'000));
  const VerifyRow verified = some_verification("main", 1'100, VerifyKind::data, true);
  ledger.add_verification(verified);
  ledger.remove_run("main", "run-1");
  ledger.remove_run("main", "run-1");  // absent is no error
  CHECK(ledger.runs("main").empty());
  CHECK(ledger.runs("other").size() == 1);
  CHECK(ledger.last_verification("main", true) == verified);
  CHECK(ledger.profiles() == std::vector<std::string>{"main", "other"});
}

TEST_CASE("setting the runs of a profile drops those that are not named", "[ledger]") {
  const test::TempDir dir;
  Ledger ledger(dir / "ledger.db");
  const RunRow other = some_run("other", "run-1", 1'000);
  ledger.add_run(other);
  ledger.add_run(some_run("main", "run-1", 1'000));
  ledger.add_run(some_run("main", "run-2", 2'000));

  const std::vector now{some_run("main", "run-2", 2'000), some_run("main", "run-3", 3'000)};
  ledger.set_runs("main", now);
  CHECK(ledger.runs("main") == now);

  SECTION("a row of another profile is refused and nothing changes") {
    CHECK_THROWS_AS(ledger.set_runs("main", std::vector{some_run("main", "run-4", 4'000), other}),
                    Error);
    CHECK(ledger.runs("main") == now);
  }
  SECTION("to none") {
    ledger.set_runs("main", {});
    CHECK(ledger.runs("main").empty());
  }
  CHECK(ledger.runs("other") == std::vector{other});
}

TEST_CASE("the last verification is the one recorded last, whatever the clock said", "[ledger]") {
  const test::TempDir dir;
  Ledger ledger(dir / "ledger.db");
  CHECK_FALSE(ledger.last_verification("main", false));
  CHECK(ledger.last_verifications("main").empty());

  const VerifyRow good = some_verification("main", 9'000, VerifyKind::data, true);
  const VerifyRow bad = some_verification("main", 1'000, VerifyKind::data, false);
  const VerifyRow listing = some_verification("main", 500, VerifyKind::listing, true);
  ledger.add_verification(good);
  ledger.add_verification(bad);
  ledger.add_verification(some_verification("other", 99'000, VerifyKind::data, true));
  CHECK(ledger.last_verification("main", false) == bad);
  CHECK(ledger.last_verification("main", true) == good);

  ledger.add_verification(listing);
  CHECK(ledger.last_verification("main", false) == listing);
  CHECK(ledger.last_verification("main", true) == listing);
  CHECK(ledger.last_verifications("main") == std::vector{bad, listing});
}

TEST_CASE("the ledger and its journal are for their owner only", "[ledger]") {
  const test::TempDir dir;
  const std::string path = dir / "new/ledger.db";
  const mode_t old = ::umask(0);
  { Ledger ledger(path); }
  ::umask(old);
  CHECK(mode_of(dir / "new") == 0700);
  CHECK(mode_of(path) == 0600);

  ::chmod(path.c_str(), 0644);
  { Ledger ledger(path); }
  CHECK(mode_of(path) == 0600);
}

TEST_CASE("an empty file becomes a ledger", "[ledger]") {
  const test::TempDir dir;
  const std::string path = dir / "ledger.db";
  test::write(path, "");
  {
    Ledger ledger(path);
    ledger.add_run(some_run("main", "run-1", 1'000));
  }
  CHECK(pragma(path, "user_version") == 8);
  CHECK(pragma(path, "application_id") == 0x726f7461);
  CHECK(Ledger(path).runs("main").size() == 1);
}

TEST_CASE("a ledger of the first layout is brought up to date with all that is in it", "[ledger]") {
  const test::TempDir dir;
  const std::string path = dir / "ledger.db";
  const VerifyRow data = some_verification("main", 1'100, VerifyKind::data, true);
  const VerifyRow listing = some_verification("main", 1'200, VerifyKind::listing, false);
  {
    Ledger ledger(path);
    ledger.add_run(some_run("main", "run-1", 1'000));
    ledger.add_verification(data);
    ledger.add_verification(listing);
  }
  {
    base::Database old(path);
    for (const char* table : {"history", "history_head", "copy_check", "copy", "claim",
                              "observation", "alarm", "drill", "disk"}) {
      old.execute(std::string("DROP TABLE ") + table);
    }
    old.execute(
        "CREATE TABLE first (id INTEGER PRIMARY KEY AUTOINCREMENT, profile TEXT NOT NULL, time "
        "INTEGER NOT NULL, run TEXT NOT NULL, what TEXT NOT NULL CHECK (what IN ('listing', "
        "'data')), good INTEGER NOT NULL, objects INTEGER NOT NULL, bytes INTEGER NOT NULL, "
        "problem TEXT NOT NULL) STRICT; INSERT INTO first SELECT * FROM verification; DROP TABLE "
        "verification; ALTER TABLE first RENAME TO verification; CREATE INDEX "
        "verification_by_profile ON verification (profile, what, id); PRAGMA user_version = 1");
  }
  Ledger ledger(path);
  CHECK(pragma(path, "user_version") == 8);
  CHECK(ledger.runs("main").size() == 1);
  CHECK(ledger.last_verifications("main") == std::vector{data, listing});
  const VerifyRow sample = some_verification("main", 1'300, VerifyKind::sample, true);
  ledger.add_verification(sample);
  CHECK(ledger.last_verifications("main") == std::vector{data, listing, sample});
}

TEST_CASE("a bad sample is not hidden by a good one", "[ledger]") {
  const test::TempDir dir;
  Ledger ledger(dir / "ledger.db");
  const VerifyRow bad = some_verification("main", 2'000, VerifyKind::sample, false);
  const VerifyRow good = some_verification("main", 3'000, VerifyKind::sample, true);
  ledger.add_verification(some_verification("main", 1'000, VerifyKind::sample, true));
  ledger.add_verification(some_verification("main", 1'500, VerifyKind::sample, false));
  ledger.add_verification(bad);
  ledger.add_verification(good);
  CHECK(ledger.last_verifications("main") == std::vector{bad, good});
}

TEST_CASE("a ledger of a newer rota is refused and left as it is", "[ledger]") {
  const test::TempDir dir;
  const std::string path = dir / "ledger.db";
  { Ledger ledger(path); }
  base::Database(path).execute("PRAGMA user_version = 99");
  std::string message;
  CHECK(kind_of_open(path, message) == ErrorKind::config);
  CHECK_THAT(message, Catch::Contains("written by a newer rota") && Catch::Contains(path));
  CHECK(pragma(path, "user_version") == 99);
}

TEST_CASE("the database of another program is refused and left as it is", "[ledger]") {
  const test::TempDir dir;
  const std::string path = dir / "mail.db";
  base::Database(path).execute("CREATE TABLE run (x)");
  std::string message;
  CHECK(kind_of_open(path, message) == ErrorKind::config);
  CHECK_THAT(message, Catch::Contains("another program"));
  CHECK(pragma(path, "application_id") == 0);
}

TEST_CASE("a damaged ledger is reported with what to do", "[ledger]") {
  const test::TempDir dir;
  const std::string path = dir / "ledger.db";
  SECTION("from the start") {
    test::write(path, std::string(8192, 'x'));
    std::string message;
    CHECK(kind_of_open(path, message) == ErrorKind::corrupt);
    CHECK_THAT(message, Catch::Contains("damaged") && Catch::Contains("move " + path));
  }
  SECTION("beyond the header") {
    {
      Ledger ledger(path);
      for (int i = 0; i < 200; ++i) ledger.add_run(some_run("main", "run-" + std::to_string(i), i));
    }
    std::string data = test::read(path);
    // All but the schema's page.
    for (std::size_t i = 4096; i < data.size(); ++i) data[i] = 'x';
    test::write(path, data);
    try {
      Ledger ledger(path);
      ledger.runs("main");
      FAIL("damage was not noticed");
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::corrupt);
      CHECK_THAT(error.what(), Catch::Contains("damaged") && Catch::Contains("move " + path));
    }
  }
}

TEST_CASE("a ledger that cannot be made is an error that names it", "[ledger]") {
  const test::TempDir dir;
  test::write(dir / "file", "x");
  CHECK_THROWS_WITH(Ledger(dir / "file/ledger.db"), Catch::Contains(dir / "file"));
}

TEST_CASE("two handles see each other's rows", "[ledger]") {
  const test::TempDir dir;
  const std::string path = dir / "ledger.db";
  Ledger one(path);
  Ledger two(path);
  one.add_run(some_run("main", "run-1", 1'000));
  CHECK(two.runs("main").size() == 1);
  two.add_run(some_run("main", "run-2", 2'000));
  CHECK(one.runs("main").size() == 2);
}

TEST_CASE("opening a second handle leaves the lock of the first alone", "[ledger]") {
  const test::TempDir dir;
  const std::string path = dir / "ledger.db";
  { Ledger ledger(path); }
  base::Database first(path);
  base::Transaction transaction(first);
  { Ledger second(path); }
  // Another process must still find it locked.
  CHECK_FALSE(in_child([&] {
    base::Database other(path);
    other.execute("PRAGMA busy_timeout = 0");
    other.execute("BEGIN IMMEDIATE");
  }));
}

TEST_CASE("processes that make and fill one ledger at once lose nothing", "[ledger]") {
  const test::TempDir dir;
  const std::string path = dir / "ledger.db";
  constexpr int kProcesses = 4;
  constexpr int kRuns = 10;
  std::vector<pid_t> children;
  for (int child = 0; child < kProcesses; ++child) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      try {
        Ledger ledger(path);
        for (int i = 0; i < kRuns; ++i) {
          ledger.add_run(some_run("main", std::to_string(child) + "-" + std::to_string(i), i));
        }
      } catch (...) {
        ::_exit(1);
      }
      ::_exit(0);
    }
    children.push_back(pid);
  }
  for (const pid_t pid : children) {
    int status = 0;
    ::waitpid(pid, &status, 0);
    CHECK(status == 0);
  }
  CHECK(Ledger(path).runs("main").size() == kProcesses * kRuns);
}
