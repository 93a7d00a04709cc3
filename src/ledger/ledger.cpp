#include "ledger/ledger.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "ledger/advice.h"
#include "ledger/schema.h"

namespace rota::ledger {

namespace {

using base::Error;
using base::ErrorKind;
using base::Statement;

constexpr const char* kRunColumns =
    "profile, name, chain, kind, time, files, bytes, stored, warnings, seconds";
constexpr const char* kVerifyColumns = "profile, time, run, what, good, objects, bytes, problem";

/// Why nothing can be written there; empty: it can, or the directory is yet to be made.
std::string why_closed(const std::string& path) {
  for (const std::string& place : {base::parent_directory(path), path}) {
    if (::access(place.c_str(), W_OK) != 0 && errno != ENOENT) return base::os_reason(errno);
  }
  return "";
}

base::Database open_closed(const std::string& path) {
  struct stat st {};
  if (::stat((path + "-wal").c_str(), &st) == 0 && st.st_size > 0) {
    throw Error(ErrorKind::io,
                fmt::format("the ledger {} was not closed when {} was made read-only, and its last "
                            "rows can only be read where it can be written: copy it and {}-wal "
                            "elsewhere, and name that place with ROTA_STATE_DIR",
                            path, base::parent_directory(path), path));
  }
  return base::Database::immutable(path);
}

/// Makes the file before SQLite does, which would make it readable by all. Its journal takes the
/// same mode. An existing file is not opened: closing it again would drop the locks that another
/// Ledger of this process holds on it (sqlite.org/howtocorrupt.html, 2.2).
const std::string& private_file(const std::string& path) {
  if (path.empty()) return path;
  const std::string parent = base::parent_directory(path);
  if (const std::string reason = why_closed(path); !reason.empty()) {
    throw Error(ErrorKind::io,
                fmt::format("the ledger {} cannot be written: {}; make {} writable (after an error "
                            "the system itself makes a filesystem read-only), or name another "
                            "place with ROTA_STATE_DIR",
                            path, reason, parent));
  }
  base::real_files().make_directories(parent, 0700);
  const base::Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (fd.valid()) {
    base::real_files().sync_directory(parent);
    return path;
  }
  if (errno != EEXIST) base::throw_os("cannot create the ledger", path, errno);
  struct stat st {};
  if (::stat(path.c_str(), &st) != 0) base::throw_os("cannot look at the ledger", path, errno);
  if ((st.st_mode & 077) != 0 && ::chmod(path.c_str(), 0600) != 0 && errno != EROFS) {
    base::throw_os("cannot make private (mode 0600) the ledger", path, errno);
  }
  return path;
}

std::int64_t signed_of(std::uint64_t value) { return static_cast<std::int64_t>(value); }
std::uint64_t unsigned_at(const Statement& row, int column) {
  return static_cast<std::uint64_t>(row.integer(column));
}
std::int64_t seconds_of(base::Instant time) { return time.time_since_epoch().count(); }
base::Instant instant_at(const Statement& row, int column) {
  return base::Instant(std::chrono::seconds(row.integer(column)));
}

RunRow run_at(const Statement& row) {
  RunRow run;
  run.profile = row.text(0);
  run.name = row.text(1);
  run.chain = row.text(2);
  // The table's CHECK admits two words only.
  run.kind = row.text(3) == word(RunKind::full) ? RunKind::full : RunKind::increment;
  run.time = instant_at(row, 4);
  run.files = unsigned_at(row, 5);
  run.bytes = unsigned_at(row, 6);
  run.stored = unsigned_at(row, 7);
  run.warnings = unsigned_at(row, 8);
  run.seconds = row.integer(9);
  return run;
}

VerifyRow verification_at(const Statement& row) {
  VerifyRow verification;
  verification.profile = row.text(0);
  verification.time = instant_at(row, 1);
  verification.run = row.text(2);
  // The table's CHECK admits these words only.
  for (const VerifyKind kind : {VerifyKind::listing, VerifyKind::data, VerifyKind::sample}) {
    if (row.text(3) == word(kind)) verification.what = kind;
  }
  verification.good = row.integer(4) != 0;
  verification.objects = unsigned_at(row, 5);
  verification.bytes = unsigned_at(row, 6);
  verification.problem = row.text(7);
  return verification;
}

/// Updates in place where the name exists: the row's id must stay, others may refer to it.
void put_run(base::Database& database, const RunRow& run) {
  Statement(database,
            fmt::format("INSERT INTO run ({}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
                        "ON CONFLICT (profile, name) DO UPDATE SET chain = excluded.chain, "
                        "kind = excluded.kind, time = excluded.time, files = excluded.files, "
                        "bytes = excluded.bytes, stored = excluded.stored, "
                        "warnings = excluded.warnings, seconds = excluded.seconds",
                        kRunColumns))
      .bind(1, run.profile)
      .bind(2, run.name)
      .bind(3, run.chain)
      .bind(4, std::string_view(word(run.kind)))
      .bind(5, seconds_of(run.time))
      .bind(6, signed_of(run.files))
      .bind(7, signed_of(run.bytes))
      .bind(8, signed_of(run.stored))
      .bind(9, signed_of(run.warnings))
      .bind(10, run.seconds)
      .run();
}

}  // namespace

const char* word(RunKind kind) {
  switch (kind) {
    case RunKind::full:
      return "full";
    case RunKind::increment:
      return "increment";
  }
  return "";
}

const char* word(VerifyKind kind) {
  switch (kind) {
    case VerifyKind::listing:
      return "listing";
    case VerifyKind::data:
      return "data";
    case VerifyKind::sample:
      return "sample";
  }
  return "";
}

Ledger::Ledger(const std::string& path, Access access)
    : read_only_(access == Access::read && !why_closed(path).empty()),
      database_(read_only_ ? open_closed(path) : base::Database(private_file(path))) {
  advised(path, [&] {
    if (read_only_) {
      migrate(database_);
      return;
    }
    // A write-ahead log, so that a screen may read while a job writes; it is folded into the file
    // when the last one closes. FULL makes each change durable when its function returns.
    try {
      database_.execute("PRAGMA journal_mode = WAL");
    } catch (const Error& error) {
      // Another process has it open in the old mode just now: the next one that opens it will do.
      if (error.kind() != ErrorKind::io) throw;
    }
    database_.execute("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON");
    migrate(database_);
  });
}

void Ledger::check_file() {
  advised(database_.path(), [&] {
    Statement row(database_, "PRAGMA quick_check(1)");
    if (!row.step() || row.text(0) == "ok") return;
    throw Error(ErrorKind::corrupt,
                fmt::format("the database {}: {}", database_.path(), row.text(0)));
  });
}

void Ledger::add_run(const RunRow& run) {
  advised(database_.path(), [&] { put_run(database_, run); });
}

void Ledger::remove_run(const std::string& profile, const std::string& name) {
  advised(database_.path(), [&] {
    Statement(database_, "DELETE FROM run WHERE profile = ? AND name = ?")
        .bind(1, profile)
        .bind(2, name)
        .run();
  });
}

void Ledger::set_runs(const std::string& profile, std::span<const RunRow> runs) {
  advised(database_.path(), [&] {
    base::Transaction transaction(database_);
    database_.execute("CREATE TEMP TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY) STRICT");
    database_.execute("DELETE FROM kept");
    Statement keep(database_, "INSERT OR IGNORE INTO kept VALUES (?)");
    for (const RunRow& run : runs) {
      if (run.profile != profile) {
        throw Error(ErrorKind::usage, fmt::format("the run {} belongs to the profile {}, not to {}",
                                                  run.name, run.profile, profile));
      }
      put_run(database_, run);
      keep.bind(1, run.name).run();
    }
    Statement(database_,
              "DELETE FROM run WHERE profile = ? AND name NOT IN (SELECT name FROM kept)")
        .bind(1, profile)
        .run();
    transaction.commit();
  });
}

std::vector<RunRow> Ledger::runs(const std::string& profile) {
  return advised(database_.path(), [&] {
    Statement row(database_, fmt::format("SELECT {} FROM run WHERE profile = ? ORDER BY time, id",
                                         kRunColumns));
    row.bind(1, profile);
    std::vector<RunRow> found;
    while (row.step()) found.push_back(run_at(row));
    return found;
  });
}

void Ledger::add_verification(const VerifyRow& verification) {
  advised(database_.path(), [&] {
    Statement(database_,
              fmt::format("INSERT INTO verification ({}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                          kVerifyColumns))
        .bind(1, verification.profile)
        .bind(2, seconds_of(verification.time))
        .bind(3, verification.run)
        .bind(4, std::string_view(word(verification.what)))
        .bind(5, std::int64_t{verification.good})
        .bind(6, signed_of(verification.objects))
        .bind(7, signed_of(verification.bytes))
        .bind(8, verification.problem)
        .run();
  });
}

std::optional<VerifyRow> Ledger::last_verification(const std::string& profile, bool good_only) {
  return advised(database_.path(), [&]() -> std::optional<VerifyRow> {
    Statement row(database_, fmt::format("SELECT {} FROM verification WHERE profile = ? AND "
                                         "good >= ? ORDER BY id DESC LIMIT 1",
                                         kVerifyColumns));
    row.bind(1, profile).bind(2, std::int64_t{good_only});
    if (!row.step()) return std::nullopt;
    return verification_at(row);
  });
}

std::vector<VerifyRow> Ledger::last_verifications(const std::string& profile) {
  return advised(database_.path(), [&] {
    Statement row(database_, fmt::format("SELECT {} FROM verification WHERE id IN (SELECT max(id) "
                                         "FROM verification WHERE profile = ? GROUP BY what, "
                                         "CASE what WHEN 'sample' THEN good END) "
                                         "ORDER BY id",
                                         kVerifyColumns));
    row.bind(1, profile);
    std::vector<VerifyRow> found;
    while (row.step()) found.push_back(verification_at(row));
    return found;
  });
}

std::vector<std::string> Ledger::profiles() {
  return advised(database_.path(), [&] {
    Statement row(database_,
                  "SELECT profile FROM run UNION SELECT profile FROM verification ORDER BY 1");
    std::vector<std::string> found;
    while (row.step()) found.push_back(row.text(0));
    return found;
  });
}

}  // namespace rota::ledger
