#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/history.h"

namespace rota::ledger {

class Ledger;

inline constexpr std::uint64_t kMaxExport = 16 << 20;  ///< bytes; ten years are about 3 MB

/// Whom an export may tell what; by default everything. What it must not tell is withheld: of such
/// a row stands its commitment only, and the hash chain can be checked all the same.
struct ExportScope {
  bool people = true;  ///< names and places of people, and reasons as they wrote them
  /// Only what is said of this disk, for a disk that anybody may find: its row, its copies and
  /// their checks, and alarms of servers that have a copy on it. Sentences that are not of one of
  /// them may name another disk, and are withheld. Empty: of any.
  std::string disk{};
  /// Only what is said of these servers, and of the disks that hold or held a copy of one; of
  /// others nothing, not even a name. Nothing: of all.
  std::optional<std::vector<std::string>> servers{};
  /// Those that this machine has: a sentence may name one before any other row does.
  std::vector<std::string> known_servers{};
};

/// The history as JSON, from which rebuild() makes the ledger again: {"rota_ledger": 1, "head": …,
/// "rows": […]}, one row a line, so that a person can read it. The bytes are in docs/format.md.
///
/// Exports of one history that tell different rows complete each other in rebuild().
std::string export_json(Ledger& ledger, const ExportScope& scope);

/// An export that was read.
struct Exported {
  std::string origin;  ///< where it came from, for messages: "the disk B", "b2://…"
  std::vector<HistoryRow> rows;
};

/// Reads bytes that nobody vouches for. Throws Error(corrupt), naming `origin`, unless it is an
/// export whose rows follow each other, have the hashes that they should, and can be applied.
Exported parse_export(std::string_view text, const std::string& origin);

struct Rebuilt {
  std::int64_t rows_before = 0;
  std::int64_t rows = 0;              ///< now
  std::string origin;                 ///< of the history that was taken; empty: the ledger's own
  bool without_people = false;        ///< names and places are missing in at least one row
  std::int64_t withheld = 0;          ///< rows that no export tells
  std::vector<std::string> warnings;  ///< exports that tell another story, from which row on
};

/// Makes the disks of the ledger again from the longest of its own history (where that is whole)
/// and the exports. Rows that are withheld, or lack names and places, take them from an export that
/// has them. Runs stay.
///
/// Throws Error(refused) when the ledger's own history is whole and is no beginning of the longest
/// one, unless `replace`; Error(not_found) when there is nothing to rebuild from.
Rebuilt rebuild(Ledger& ledger, std::span<const Exported> exports, bool replace);

}  // namespace rota::ledger
