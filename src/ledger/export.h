#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/history.h"

namespace rota::ledger {

class Ledger;

inline constexpr std::uint64_t kMaxExport = 16 << 20;  ///< bytes; ten years are about 3 MB

/// The history as JSON, from which rebuild() makes the ledger again: {"rota_ledger": 1, "head": …,
/// "rows": […]}, one row a line, so that a person can read it. The bytes are in docs/format.md.
///
/// with_people: false leaves out names and places of people, for stores that are not encrypted; the
/// hash chain can be checked all the same.
std::string export_json(Ledger& ledger, bool with_people);

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
  std::vector<std::string> warnings;  ///< exports that tell another story, from which row on
};

/// Makes the disks of the ledger again from the longest of its own history (where that is whole)
/// and the exports. Rows that lack names and places take them from an export that has them. Runs
/// stay.
///
/// Throws Error(refused) when the ledger's own history is whole and is no beginning of the longest
/// one, unless `replace`; Error(not_found) when there is nothing to rebuild from.
Rebuilt rebuild(Ledger& ledger, std::span<const Exported> exports, bool replace);

}  // namespace rota::ledger
