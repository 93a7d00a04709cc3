#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/time.h"
#include "ledger/disk_rows.h"
#include "ledger/drills.h"
#include "rotation/facts.h"
#include "rotation/level.h"

namespace rota::rotation {

/// Where a disk is and what it does, all that is known taken together: an observed fact beats a
/// claim that was recorded before it.
enum class Custody {
  new_disk,        ///< prepared, nothing else is known
  connected,       ///< at a port, or a step of the job is under way
  safe_to_remove,  ///< waits to be unplugged
  on_site,         ///< unplugged, and nobody has said that it left
  in_transit_out,
  off_site,
  in_transit_back,
  failed,  ///< interrupted, suspect, damaged or full, at a port or not: the word says which
  lost,
  retired,
  held
};

/// "off site", "on site", "safe to remove", …
const char* word(Custody custody);
/// One ASCII character for tables and small screens.
char symbol(Custody custody);

/// Something to know or to do. A duty has the level `good`: it is not wrong yet.
struct Notice {
  Level level = Level::warning;
  std::string kind;  ///< "overdue", "stale claim", "transit", … : the same for each of its sort
  std::string set;   ///< each of these three may be empty
  std::string disk;
  std::string server;
  std::string text;  ///< a sentence: what is wrong and what to do
};

struct DiskStatus {
  std::string name;
  std::string label;
  std::string set;  ///< empty: it belongs to none
  Custody custody = Custody::new_disk;
  char symbol = '?';
  std::string word;       ///< word(custody), or of a failure which
  bool off_site = false;  ///< by a claim that holds; also of a held disk
  bool at_port = false;   ///< as far as is known, however its last job ended; of one in turn
  std::string place;      ///< as claimed, while that holds
  std::string by;         ///< whose word that is
  std::optional<base::Instant> since;
  std::optional<base::Instant> last_seen;          ///< at a port
  std::optional<ledger::CopyRow> newest;           ///< newest copy that counts, of any server
  std::optional<std::chrono::seconds> newest_age;  ///< never negative
  int copies = 0;                                  ///< present and sealed
  bool next = false;                               ///< the one of its set to be plugged in next
  std::optional<base::Instant> due;  ///< when it is its turn, if the others keep theirs from now on
  /// How much of the time from its newest copy to `due` is over: above 1 it is late.
  std::optional<double> turn_over;
  /// The byte that was read longest ago, of all copies on it.
  std::optional<base::Instant> oldest_read;
  std::optional<double> used;            ///< 0 to 1
  bool next_fits = true;                 ///< by the forecast
  std::optional<base::Instant> replace;  ///< when it should be replaced by a new one
  Level level = Level::good;             ///< the worst notice that names it
};

struct SetStatus {
  std::string name;
  std::string interval;   ///< "1M"
  int disks = 0;          ///< in turn: neither lost, retired nor held
  std::string next_disk;  ///< empty: none can be
  std::optional<base::Instant> due;
  std::vector<std::string>
      missing;  ///< servers that none of its disks holds, while it holds others
  /// Damage must be noticed within (N−1)·T, or every offline copy holds it.
  std::optional<std::chrono::seconds> detection_window;
  std::string detection_sentence;
};

/// How far back a loss of everything online would throw one server.
struct Exposure {
  std::string server;
  bool any_offsite_copy = false;  ///< a verified one; the next ones are set only then
  std::optional<base::Instant> falls_back_to;
  std::optional<std::chrono::seconds> age;  ///< now − falls_back_to; never negative
  std::string disk;                         ///< its name
  std::string place;
  std::string by;
  std::optional<base::Instant> since;
  std::string sentence;  ///< "If everything online vanished now, you would go back to …"
};

/// How it stands with the drills of one server.
struct DrillStatus {
  std::string server;
  std::optional<ledger::DrillRow> last;    ///< the one recorded last, passed or not
  std::optional<ledger::DrillRow> passed;  ///< the last that passed
  bool failing = false;                    ///< one failed, and nothing since refutes it
  /// When the next is to be made; nothing: none is asked for, or there is nothing to restore yet.
  std::optional<base::Instant> due;
  std::string text;  ///< a phrase for people: the last one, and when the next is due; or empty
  Level level = Level::good;
};

struct RotationStatus {
  std::vector<DiskStatus> disks;    ///< sorted by name
  std::vector<SetStatus> sets;      ///< in the order given
  std::vector<Exposure> exposures;  ///< of each server, in the order given
  Exposure worst;                   ///< the headline
  std::vector<DrillStatus> drills;  ///< of each server, in the order given
  base::Span drill_every;           ///< as it was given
  std::vector<Notice> notices;      ///< warnings and alarms, the worst first
  std::vector<Notice> duties;       ///< level good
  Level level = Level::good;        ///< the worst notice
};

/// The part of compute() that tells of disks and drills.
RotationStatus rotation_status(const Facts& facts, base::Instant now);

/// The disk of the set that is to be plugged in next: of those in turn the one whose newest copy
/// that counts is the oldest; one without any comes first. Empty when none is in turn. A copy that
/// is dated later than now is none.
///
/// Never the disk that holds the set's newest copy that counts, unless no other is left. One that
/// was found damaged comes last.
std::string next_disk(std::span<const SetPolicy> sets, const std::string& set,
                      std::span<const ledger::DiskState> disks, base::Instant now);

/// Which copies of a server on a disk may be pruned to make room, oldest first.
///
/// copies:     all of the server, on every disk of the set.
/// Never the newest one that counts on `disk`, whatever the dates say, and so never the newest that
/// counts in the whole set; nor the newest sealed one that nobody verified yet; nor either of those
/// that are not dated later than now. Partial copies are not touched here. A damaged copy may
/// always go.
std::vector<ledger::CopyRow> may_prune(std::span<const ledger::CopyRow> copies,
                                       const std::string& disk, base::Instant now);

/// Those of may_prune() that must go by the policy: beyond `keep` (counting from the newest) or
/// older than `max_age`. A copy that is dated later than now is not counted, and stays: whether it
/// is new or old is not known. Whether the clock can be believed is asked before, by a tripwire.
std::vector<ledger::CopyRow> must_prune(std::span<const ledger::CopyRow> copies,
                                        const std::string& disk, const SetPolicy& policy,
                                        base::Instant now);

}  // namespace rota::rotation
