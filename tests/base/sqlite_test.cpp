#include "base/sqlite.h"

#include <catch2/catch.hpp>

#include "base/bytes.h"
#include "base/kind_of.h"
#include "base/sqlite_wait.h"
#include "support/files.h"
#include "support/quick_clock.h"

using namespace rota::base;
using rota::test::kind_of;
using rota::test::message_of;
using rota::test::TempDir;

namespace {

std::int64_t count(Database& database) {
  Statement query(database, "SELECT count(*) FROM runs");
  REQUIRE(query.step());
  return query.integer(0);
}

void insert(Database& database, std::string_view name) {
  Statement(database, "INSERT INTO runs (name) VALUES (?)").bind(1, name).run();
}

}  // namespace

TEST_CASE("values come back as they were bound", "[sqlite]") {
  Database database("");
  database.execute("CREATE TABLE t (a, b, c, d)");
  const std::string text("nul \0 and ü", 12);
  Statement insert(database, "INSERT INTO t VALUES (?, ?, ?, ?)");
  insert.bind(1, INT64_MIN).bind(2, text).bind_blob(3, as_bytes("\xff\x01")).bind_null(4).run();
  CHECK(database.last_rowid() == 1);

  Statement query(database, "SELECT a, b, c, d FROM t");
  REQUIRE(query.step());
  CHECK(query.integer(0) == INT64_MIN);
  CHECK(query.text(1) == text);
  CHECK(as_text(query.blob(2)) == "\xff\x01");
  CHECK(query.is_null(3));
  CHECK_FALSE(query.is_null(0));
  CHECK(query.text(3) == "");
  CHECK_FALSE(query.step());
}

TEST_CASE("empty texts and blobs are not NULL", "[sqlite]") {
  Database database("");
  database.execute("CREATE TABLE t (a TEXT NOT NULL, b BLOB NOT NULL)");
  Statement insert(database, "INSERT INTO t VALUES (?, ?)");
  CHECK_NOTHROW(insert.bind(1, std::string_view()).bind_blob(2, {}).run());
  Statement query(database, "SELECT typeof(a), typeof(b), b FROM t");
  REQUIRE(query.step());
  CHECK(query.text(0) == "text");
  CHECK(query.text(1) == "blob");
  CHECK(query.blob(2).empty());
}

TEST_CASE("a statement can be run again and again", "[sqlite]") {
  Database database("");
  database.execute("CREATE TABLE runs (name TEXT)");
  Statement statement(database, "INSERT INTO runs VALUES (?)");
  for (int i = 0; i < 3; ++i) statement.bind(1, std::to_string(i)).run();
  CHECK(count(database) == 3);

  Statement query(database, "SELECT name FROM runs ORDER BY name");
  REQUIRE(query.step());
  REQUIRE(query.step());
  CHECK(query.text(0) == "1");
  query.reset();
  REQUIRE(query.step());
  CHECK(query.text(0) == "0");
}

TEST_CASE("a binding that cannot be made is an error, not a NULL", "[sqlite]") {
  Database database("");
  Statement query(database, "SELECT ?");
  CHECK(kind_of([&] { query.bind(2, std::int64_t{1}); }) == ErrorKind::io);
  CHECK(kind_of([&] { query.bind(0, "text"); }) == ErrorKind::io);
  query.bind(1, "first");
  REQUIRE(query.step());
  CHECK(kind_of([&] { query.bind(1, "too late"); }) == ErrorKind::io);
  query.reset();
  query.bind(1, "in time");
  REQUIRE(query.step());
  CHECK(query.text(0) == "in time");
}

TEST_CASE("what was committed is there when the file is opened again", "[sqlite]") {
  const TempDir dir;
  {
    Database database(dir / "history");
    database.execute("CREATE TABLE runs (name TEXT)");
    Transaction transaction(database);
    insert(database, "a");
    insert(database, "b");
    transaction.commit();
  }
  Database database(dir / "history");
  CHECK(count(database) == 2);
  CHECK(database.path() == dir / "history");
}

TEST_CASE("what was not committed is rolled back, also by an exception", "[sqlite]") {
  const TempDir dir;
  Database database(dir / "history");
  database.execute("CREATE TABLE runs (name TEXT UNIQUE)");
  insert(database, "a");
  {
    const Transaction transaction(database);
    insert(database, "b");
    CHECK(count(database) == 2);
  }
  CHECK(count(database) == 1);
  const auto work = [&] {
    Transaction transaction(database);
    insert(database, "c");
    insert(database, "a");
    transaction.commit();
  };
  CHECK(kind_of(work) == ErrorKind::io);
  CHECK(count(database) == 1);

  Transaction again(database);  // the failed one is not still open
  insert(database, "d");
  again.commit();
  CHECK(count(database) == 2);
}

TEST_CASE("a commit that fails leaves nothing behind", "[sqlite]") {
  Database database("");
  database.execute("PRAGMA foreign_keys = ON");
  database.execute("CREATE TABLE disks (id INTEGER PRIMARY KEY)");
  database.execute(
      "CREATE TABLE runs (name TEXT, disk REFERENCES disks DEFERRABLE INITIALLY DEFERRED)");
  const auto work = [&] {
    Transaction transaction(database);
    database.execute("INSERT INTO runs VALUES ('a', 99)");
    transaction.commit();
  };
  CHECK(kind_of(work) == ErrorKind::io);
  CHECK(count(database) == 0);
  CHECK_NOTHROW(Transaction(database));
}

TEST_CASE("a transaction keeps other writers out", "[sqlite]") {
  const TempDir dir;
  Database one(dir / "history");
  one.execute("CREATE TABLE runs (name TEXT)");
  Database other(dir / "history");
  other.execute("PRAGMA busy_timeout = 0");
  const Transaction transaction(one);
  CHECK(kind_of([&] { Transaction second(other); }) == ErrorKind::io);
}

TEST_CASE("a file that is no database is corrupt, and the message names it", "[sqlite]") {
  const TempDir dir;
  rota::test::write(dir / "history", std::string(5000, 'x'));
  const auto open = [&] {
    Database database(dir / "history");
    database.execute("CREATE TABLE runs (name TEXT)");
  };
  CHECK(kind_of(open) == ErrorKind::corrupt);
  CHECK_THAT(message_of(open), Catch::Contains(dir / "history"));
  CHECK(rota::test::read(dir / "history") == std::string(5000, 'x'));
}

TEST_CASE("a damaged page is corrupt when it is read", "[sqlite]") {
  const TempDir dir;
  {
    Database database(dir / "history");
    database.execute("PRAGMA page_size = 4096");
    database.execute("CREATE TABLE runs (name TEXT)");
    Transaction transaction(database);
    for (int i = 0; i < 1000; ++i) insert(database, std::string(40, 'r'));
    transaction.commit();
  }
  std::string file = rota::test::read(dir / "history");
  REQUIRE(file.size() > 4 * 4096);
  file.replace(4096, 4096, std::string(4096, '\xee'));  // the root of the table
  rota::test::write(dir / "history", file);
  Database database(dir / "history");
  CHECK(kind_of([&] {
          Statement query(database, "SELECT name FROM runs");
          while (query.step()) {
          }
        }) == ErrorKind::corrupt);
}

TEST_CASE("what SQLite refuses is an error with its reason", "[sqlite]") {
  Database database("");
  CHECK(kind_of([&] { database.execute("SELEKT 1"); }) == ErrorKind::io);
  CHECK(kind_of([&] { Statement(database, "SELECT * FROM absent"); }) == ErrorKind::io);
  CHECK_THAT(message_of([&] { Statement(database, "SELECT * FROM absent"); }),
             Catch::Contains("in memory") && Catch::Contains("no such table: absent"));
  const TempDir dir;
  CHECK(kind_of([&] { Database absent(dir / "absent/history"); }) == ErrorKind::io);
}

namespace {

/// Two that have the same database open; the second one waits for the first for an hour at most.
struct Two {
  TempDir dir;
  Database first{dir / "two.db"};
  Database second{dir / "two.db"};
  rota::test::QuickClock clock;
  std::stop_source stop;
  int said = 0;
  WriterWait wait{second, {clock, std::chrono::hours(1), stop.get_token(), [this] { ++said; }}};

  Two() {
    first.execute("CREATE TABLE runs (name)");
    first.execute("BEGIN IMMEDIATE");
  }
  std::optional<ErrorKind> write() {
    return kind_of([this] { insert(second, "a"); });
  }
};

}  // namespace

TEST_CASE("who writes to a database meanwhile is waited for, and that is said once", "[sqlite]") {
  Two two;
  two.clock.when_slept = [&] {
    if (two.clock.slept() == std::chrono::minutes(20)) two.first.execute("COMMIT");
  };
  CHECK_FALSE(two.write());
  CHECK(two.said == 1);
  CHECK(two.clock.slept() == std::chrono::minutes(20));
  CHECK(count(two.first) == 1);
  two.first.execute("BEGIN IMMEDIATE");
  two.clock.when_slept = [&] {
    if (two.clock.slept() == std::chrono::minutes(21)) two.first.execute("COMMIT");
  };
  CHECK_FALSE(two.write());
  CHECK(two.said == 2);
}

TEST_CASE("who writes to a database for ever is not waited for longer than asked", "[sqlite]") {
  Two two;
  CHECK(two.write() == ErrorKind::io);
  CHECK(two.clock.slept() == std::chrono::hours(1));
  CHECK(two.said == 1);
}

TEST_CASE("a stop leaves who writes to a database the usual ten seconds", "[sqlite]") {
  Two two;
  two.stop.request_stop();
  SECTION("which are not enough") {
    CHECK(two.write() == ErrorKind::io);
    CHECK(two.clock.slept() == std::chrono::seconds(10));
    CHECK(two.said == 0);
  }
  SECTION("which are enough") {
    two.clock.when_slept = [&] {
      if (two.clock.slept() == std::chrono::seconds(5)) two.first.execute("COMMIT");
    };
    CHECK_FALSE(two.write());
  }
}
