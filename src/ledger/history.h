#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/sqlite.h"
#include "base/time.h"

namespace rota::ledger {

class Ledger;

/// One entry of the history of disks and drills: append-only, and the truth. The tables of disks,
/// claims, observations, copies, checks, alarms and drills are derived from it by apply(), when it
/// is recorded and when it is replayed.
///
/// Runs and verifications of chains are not in it: the store knows them better (`set_runs()`
/// corrects the ledger from there), they come every night and are purged by routine, and no person
/// carries them anywhere.
struct HistoryRow {
  std::int64_t number = 0;  ///< 1, 2, 3 …
  base::Instant time{};     ///< what the clock said when it was recorded
  std::string kind;         ///< "begin", or one of those in fields.h: "disk", "claim", "drill", …
  std::string data;         ///< JSON in one line, keys sorted; with a random salt
  /// JSON with names and places of people and a random salt; empty: none, or left out.
  std::string people;
  /// SHA-256 of `people`, hexadecimal; empty: there are none. It stands for them where they are
  /// left out; the salt keeps it from being guessed.
  std::string people_sha256;
  /// commitment_of() this row: stands for all of it where it is withheld. Empty in rows from before
  /// there were any.
  std::string commitment;
  std::string hash;  ///< row_hash() of this row
  friend bool operator==(const HistoryRow&, const HistoryRow&) = default;

  /// Nothing is known of it but commitment and hash: it was left out of the export from which this
  /// history was made.
  bool withheld() const { return kind == kWithheld; }
  static constexpr std::string_view kWithheld = "withheld";
};

/// A row that is left out.
HistoryRow withheld_row(std::int64_t number, std::string commitment, std::string hash);

/// The hash before the first row.
inline constexpr std::string_view kNoHash =
    "0000000000000000000000000000000000000000000000000000000000000000";

/// SHA-256, hexadecimal, of "<number>\n<seconds since 1970>\n<kind>\n<data>\n<people_sha256>" (one
/// newline between each). The salt in the data keeps it from being guessed.
std::string commitment_of(const HistoryRow& row);

/// SHA-256, hexadecimal, of "<previous>\n<commitment>", so that a chain in which rows are withheld
/// can be checked; of a row without a commitment that of "<previous>\n<number>\n…" as above.
std::string row_hash(std::string_view previous, const HistoryRow& row);

/// The history's end as it is kept apart from it: in a table of its own, and in the file
/// "<ledger>-head", so that a ledger that was removed, emptied or put back from an older day is
/// noticed.
struct Head {
  std::int64_t rows = 0;
  std::string hash;  ///< of the last row
};

/// The first row that is wrong, as a sentence; empty: all rows follow each other, and each has the
/// hash that it should have (one that is withheld and has no commitment: any hash).
std::string broken_link(std::span<const HistoryRow> rows);

/// Applies one row to the tables of `database`, which has the ledger's layout. Throws
/// Error(corrupt) for data that none of our own writers wrote.
void apply(base::Database& database, const HistoryRow& row);

class History {
 public:
  explicit History(Ledger& ledger) : ledger_(ledger) {}

  /// Oldest first.
  std::vector<HistoryRow> rows();
  /// The last `limit` ones (0: all) that concern a disk (empty: any), oldest first.
  std::vector<HistoryRow> last(const std::string& disk, std::size_t limit);
  Head head();
  /// How many rows are withheld.
  std::int64_t withheld();

  /// That the history is not the one, or not all of the one, that was recorded here, and what to
  /// do: a clause. Empty: nothing is missing, as far as the file beside the ledger tells.
  std::string lost();

  /// What is wrong, a sentence each; empty when the history is whole, ends where it should, is
  /// guarded, and the tables say what replaying it gives.
  std::vector<std::string> check();

 private:
  Ledger& ledger_;
};

/// A row as a sentence for people: "B: claimed off site at 'bank' by jo".
std::string sentence(const HistoryRow& row);

}  // namespace rota::ledger
