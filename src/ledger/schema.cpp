#include "ledger/schema.h"

#include <fmt/core.h>

#include <cstdint>
#include <iterator>
#include <string>

#include "base/error.h"

namespace rota::ledger {

namespace {

using base::Error;
using base::ErrorKind;

/// "rota" in the file's header: tells a ledger from some other program's database.
constexpr std::int64_t kApplicationId = 0x726f7461;

/// Step n leads from version n to n + 1. A step that was released is never changed: add another.
///
/// Times are seconds since 1970, UTC. Profiles, runs and (later) disks are named in words, so that
/// a person can read the ledger with sqlite3. `run.id` is never used twice and survives a replaced
/// row, so that a copy can name the run it was made from.
const char* const kSteps[] = {
    R"sql(
    CREATE TABLE run (
      id       INTEGER PRIMARY KEY AUTOINCREMENT,
      profile  TEXT    NOT NULL,
      name     TEXT    NOT NULL,
      chain    TEXT    NOT NULL,
      kind     TEXT    NOT NULL CHECK (kind IN ('full', 'increment')),
      time     INTEGER NOT NULL,
      files    INTEGER NOT NULL,
      bytes    INTEGER NOT NULL,
      stored   INTEGER NOT NULL,
      warnings INTEGER NOT NULL,
      seconds  INTEGER NOT NULL,
      UNIQUE (profile, name)
    ) STRICT;
    CREATE INDEX run_by_time ON run (profile, time);

    -- Names its run without a reference: it outlives a purged run.
    CREATE TABLE verification (
      id      INTEGER PRIMARY KEY AUTOINCREMENT,
      profile TEXT    NOT NULL,
      time    INTEGER NOT NULL,
      run     TEXT    NOT NULL,
      what    TEXT    NOT NULL CHECK (what IN ('listing', 'data')),
      good    INTEGER NOT NULL CHECK (good IN (0, 1)),
      objects INTEGER NOT NULL,
      bytes   INTEGER NOT NULL,
      problem TEXT    NOT NULL
    ) STRICT;
    CREATE INDEX verification_by_profile ON verification (profile, what, id);
    )sql",
    // A CHECK can only be changed with its table.
    R"sql(
    CREATE TABLE verification_2 (
      id      INTEGER PRIMARY KEY AUTOINCREMENT,
      profile TEXT    NOT NULL,
      time    INTEGER NOT NULL,
      run     TEXT    NOT NULL,
      what    TEXT    NOT NULL CHECK (what IN ('listing', 'data', 'sample')),
      good    INTEGER NOT NULL CHECK (good IN (0, 1)),
      objects INTEGER NOT NULL,
      bytes   INTEGER NOT NULL,
      problem TEXT    NOT NULL
    ) STRICT;
    INSERT INTO verification_2 SELECT * FROM verification;
    DROP TABLE verification;
    ALTER TABLE verification_2 RENAME TO verification;
    CREATE INDEX verification_by_profile ON verification (profile, what, id);
    )sql",
};
constexpr std::int64_t kNewest = std::size(kSteps);

std::int64_t number(base::Database& database, const std::string& sql) {
  base::Statement statement(database, sql);
  statement.step();
  return statement.integer(0);
}

std::int64_t version_of(base::Database& database) {
  const std::int64_t version = number(database, "PRAGMA user_version");
  if (number(database, "SELECT count(*) FROM sqlite_schema") != 0 &&
      number(database, "PRAGMA application_id") != kApplicationId) {
    throw Error(ErrorKind::config,
                fmt::format("{} is the database of another program, not a ledger of rota: move it "
                            "away, or name another place for the ledger",
                            database.path()));
  }
  if (version < 0 || version > kNewest) {
    throw Error(ErrorKind::config,
                fmt::format("the ledger {} was written by a newer rota (layout {}, this one knows "
                            "{}): install that version again",
                            database.path(), version, kNewest));
  }
  return version;
}

}  // namespace

void migrate(base::Database& database) {
  if (version_of(database) == kNewest) return;
  base::Transaction transaction(database);
  // Asked again under the lock: another process may have been faster.
  for (std::int64_t version = version_of(database); version < kNewest; ++version) {
    database.execute(kSteps[version]);
  }
  database.execute(fmt::format("PRAGMA application_id = {}", kApplicationId));
  database.execute(fmt::format("PRAGMA user_version = {}", kNewest));
  transaction.commit();
}

}  // namespace rota::ledger
