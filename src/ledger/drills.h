#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "ledger/ledger.h"

namespace rota::ledger {

/// Where a drill restored from.
enum class DrillSource { store, disk };

/// "store", "disk".
const char* word(DrillSource value);

/// One drill that came to its end: a tested recovery of one server, passed or failed.
struct DrillRow {
  std::int64_t id = 0;  ///< number in the history; 0 until it is recorded
  std::string server;   ///< the profile
  DrillSource source = DrillSource::store;
  std::string disk;  ///< of a copy: the disk's name, where that is known; of the store: empty
  std::string run;   ///< of the store: its name; of a copy: the snapshot's; empty: none was found
  base::Instant snapshot{};           ///< the moment that was restored
  base::Instant time{};               ///< when the drill ended
  std::uint64_t files = 0;            ///< entries restored, directories and the like included
  std::uint64_t bytes = 0;            ///< sizes of the files restored, holes included
  std::uint64_t whole_bytes = 0;      ///< of the whole server at that moment
  std::uint64_t restore_seconds = 0;  ///< from the first byte read until all was durable
  std::uint64_t seconds = 0;          ///< of the whole drill, with comparing and checking
  bool sample = false;                ///< only a part was restored
  bool checked = false;               ///< the operator's check program had its say
  bool passed = false;
  std::string problem;  ///< what failed, as a phrase; empty when it passed
  friend bool operator==(const DrillRow&, const DrillRow&) = default;

  /// Bytes a second while restoring; nothing where it took no second.
  std::optional<std::uint64_t> rate() const;
  /// How long restoring everything would take at that rate; nothing without one.
  std::optional<std::uint64_t> whole_seconds() const;
};

/// "from the store", "from disk B", or "from a copy" of a disk that is not known.
std::string where_from(const DrillRow& drill);

/// The drills of this ledger. They stand in the history, as disks do. `ledger` must outlive this.
/// Throws Error(io) and Error(corrupt) as Ledger does.
class Drills {
 public:
  explicit Drills(Ledger& ledger) : ledger_(ledger) {}

  /// Durable when it returns. Throws Error(usage) for names that none can have.
  void add(const DrillRow& drill, base::Instant now);
  /// In the order of recording.
  std::vector<DrillRow> all();

 private:
  Ledger& ledger_;
};

}  // namespace rota::ledger
