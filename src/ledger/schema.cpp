#include "ledger/schema.h"

#include <fmt/core.h>

#include <cstdint>
#include <iterator>
#include <map>
#include <string>

#include "base/error.h"
#include "base/text.h"

namespace rota::ledger {

namespace {

using base::Error;
using base::ErrorKind;

/// "rota" in the file's header: tells a ledger from some other program's database.
constexpr std::int64_t kApplicationId = 0x726f7461;

/// A step of its own, because rebuilding takes them away for a moment.
constexpr const char* kGuards = R"sql(
    CREATE TRIGGER history_is_not_altered BEFORE UPDATE ON history
      BEGIN SELECT RAISE(ABORT, 'the history is append-only'); END;
    CREATE TRIGGER history_is_not_removed BEFORE DELETE ON history
      BEGIN SELECT RAISE(ABORT, 'the history is append-only'); END;
    -- INSERT OR REPLACE would go past the other two.
    CREATE TRIGGER history_is_not_replaced BEFORE INSERT ON history
      WHEN EXISTS (SELECT 1 FROM history WHERE number = NEW.number)
      BEGIN SELECT RAISE(ABORT, 'the history is append-only'); END;
    )sql";

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
    // Rotation disks. The history is the truth (history.h); the tables below it are derived from
    // it, their columns are the fields of fields.h, and an id is a number in the history.
    R"sql(
    CREATE TABLE history (
      number        INTEGER PRIMARY KEY,
      time          INTEGER NOT NULL,
      kind          TEXT    NOT NULL,
      data          TEXT    NOT NULL,
      people        TEXT    NOT NULL,
      people_sha256 TEXT    NOT NULL,
      hash          TEXT    NOT NULL
    ) STRICT;
    CREATE TABLE history_head (
      one  INTEGER PRIMARY KEY CHECK (one = 1),
      rows INTEGER NOT NULL,
      hash TEXT    NOT NULL
    ) STRICT;

    CREATE TABLE disk (
      name              TEXT    PRIMARY KEY,
      label             TEXT    NOT NULL,
      uuid              TEXT    NOT NULL,
      luks_uuid         TEXT    NOT NULL,
      filesystem        TEXT    NOT NULL,
      token_sha256      TEXT    NOT NULL,
      next_token_sha256 TEXT    NOT NULL,
      serial            TEXT    NOT NULL,
      model             TEXT    NOT NULL,
      size              INTEGER NOT NULL,
      set_name          TEXT    NOT NULL,
      prepared          INTEGER NOT NULL,
      state             TEXT    NOT NULL,
      state_time        INTEGER,
      state_reason      TEXT    NOT NULL,
      state_by          TEXT    NOT NULL,
      capacity          INTEGER NOT NULL,
      used              INTEGER NOT NULL,
      next_copy         INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE claim (
      id         INTEGER PRIMARY KEY,
      disk       TEXT    NOT NULL REFERENCES disk (name),
      time       INTEGER NOT NULL,
      state      TEXT    NOT NULL,
      place      TEXT    NOT NULL,
      claimed_by TEXT    NOT NULL,
      note       TEXT    NOT NULL
    ) STRICT;
    CREATE INDEX claim_by_disk ON claim (disk, id);
    CREATE TABLE observation (
      id     INTEGER PRIMARY KEY,
      disk   TEXT    NOT NULL REFERENCES disk (name),
      time   INTEGER NOT NULL,
      state  TEXT    NOT NULL,
      device TEXT    NOT NULL,
      serial TEXT    NOT NULL,
      detail TEXT    NOT NULL
    ) STRICT;
    CREATE INDEX observation_by_disk ON observation (disk, id);
    CREATE TABLE copy (
      disk          TEXT    NOT NULL REFERENCES disk (name),
      server        TEXT    NOT NULL,
      snapshot      TEXT    NOT NULL,
      state         TEXT    NOT NULL,
      source        TEXT    NOT NULL,
      sealed_time   INTEGER,
      entries       INTEGER NOT NULL,
      bytes         INTEGER NOT NULL,
      new_bytes     INTEGER NOT NULL,
      warnings      INTEGER NOT NULL,
      changed       INTEGER NOT NULL,
      added         INTEGER NOT NULL,
      removed       INTEGER NOT NULL,
      verified      INTEGER NOT NULL,
      last_verified INTEGER,
      last_good     INTEGER NOT NULL,
      oldest_read   INTEGER,
      PRIMARY KEY (disk, server, snapshot)
    ) STRICT;
    CREATE TABLE copy_check (
      id       INTEGER PRIMARY KEY,
      disk     TEXT    NOT NULL,
      server   TEXT    NOT NULL,
      snapshot TEXT    NOT NULL,
      time     INTEGER NOT NULL,
      what     TEXT    NOT NULL,
      good     INTEGER NOT NULL,
      files    INTEGER NOT NULL,
      bytes    INTEGER NOT NULL,
      problem  TEXT    NOT NULL,
      seconds  INTEGER NOT NULL,
      FOREIGN KEY (disk, server, snapshot) REFERENCES copy (disk, server, snapshot)
    ) STRICT;
    CREATE INDEX copy_check_by_copy ON copy_check (disk, server, snapshot, id);
    -- Its disk may be one that is in no table.
    CREATE TABLE alarm (
      id              INTEGER PRIMARY KEY,
      kind            TEXT    NOT NULL,
      disk            TEXT    NOT NULL,
      server          TEXT    NOT NULL,
      opened          INTEGER NOT NULL,
      severity        TEXT    NOT NULL,
      message         TEXT    NOT NULL,
      details         TEXT    NOT NULL,
      acknowledged    INTEGER,
      acknowledged_by TEXT    NOT NULL,
      reason          TEXT    NOT NULL,
      closed          INTEGER
    ) STRICT;
    )sql",
    kGuards,
    // What the label of a copy says of its manifest. Copies from before this have nothing there.
    "ALTER TABLE copy ADD COLUMN sums_sha256 TEXT NOT NULL DEFAULT ''",
    // Drills, derived from the history as the disks are. The disk may be one that is in no table.
    R"sql(
    CREATE TABLE drill (
      id              INTEGER PRIMARY KEY,
      server          TEXT    NOT NULL,
      source          TEXT    NOT NULL,
      disk            TEXT    NOT NULL,
      run             TEXT    NOT NULL,
      snapshot        INTEGER NOT NULL,
      time            INTEGER NOT NULL,
      files           INTEGER NOT NULL,
      bytes           INTEGER NOT NULL,
      whole_bytes     INTEGER NOT NULL,
      restore_seconds INTEGER NOT NULL,
      seconds         INTEGER NOT NULL,
      sample          INTEGER NOT NULL,
      checked         INTEGER NOT NULL,
      passed          INTEGER NOT NULL,
      problem         TEXT    NOT NULL
    ) STRICT;
    )sql",
    // What stands for a row where it is withheld; rows from before this have none.
    "ALTER TABLE history ADD COLUMN commitment TEXT NOT NULL DEFAULT ''",
    // Which tripwire it was and how far it went: an acceptance covers no more than that.
    R"sql(
    ALTER TABLE alarm ADD COLUMN what TEXT NOT NULL DEFAULT '';
    ALTER TABLE alarm ADD COLUMN extent INTEGER NOT NULL DEFAULT 0;
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

/// Their text by their name.
std::map<std::string, std::string> triggers_of(base::Database& database) {
  base::Statement row(database, "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'");
  std::map<std::string, std::string> found;
  while (row.step()) found.emplace(row.text(0), row.text(1));
  return found;
}

}  // namespace

void lift_guards(base::Database& database) {
  for (const auto& [name, text] : triggers_of(database)) {
    std::string quoted;
    for (const char c : name) quoted += c == '"' ? "\"\"" : std::string(1, c);
    database.execute(fmt::format("DROP TRIGGER \"{}\"", quoted));
  }
}

std::vector<std::string> wrong_guards(base::Database& database) {
  base::Database whole("");
  migrate(whole);
  const std::map<std::string, std::string> should = triggers_of(whole);
  const std::map<std::string, std::string> is = triggers_of(database);
  std::vector<std::string> wrong;
  for (const auto& [name, text] : should) {
    const auto found = is.find(name);
    if (found != is.end() && found->second == text) continue;
    wrong.push_back(fmt::format("the trigger {} that keeps the history append-only {}", name,
                                found == is.end() ? "was removed" : "was altered"));
  }
  for (const auto& [name, text] : is) {
    if (should.contains(name)) continue;
    wrong.push_back(
        fmt::format("there is a trigger that rota did not make: {}", base::printable(name)));
  }
  return wrong;
}

void set_guards(base::Database& database) { database.execute(kGuards); }

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
