#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

/// What the ledger holds about rotation disks. All texts are UTF-8 (others are made printable when
/// they are recorded); all times are UTC; sizes are bytes.
namespace rota::ledger {

/// Why a disk is no longer in turn; `in_use` is the ordinary state.
enum class DiskEnd { in_use, lost, retired, held };

/// Where a person says that a disk is.
enum class Claimed { on_site, in_transit_out, off_site, in_transit_back };

/// What the machine itself saw of a disk. The last four are failures.
enum class Observed {
  enrolled,
  connected,
  copying,
  verifying,
  sealed,
  safe_to_remove,
  away,
  interrupted,
  suspect,
  damaged,
  full
};

/// A `pruned` copy is gone from its disk; its row stays.
enum class CopyState { partial, sealed, pruned, damaged };

/// What was read back: the new inodes before the seal, everything, or as much as the budget
/// allowed.
enum class CheckKind { seal, full, scrub };

enum class Severity { warning, alarm };

/// The words in the ledger, in JSON and in messages: "in use", "off site", "safe to remove", …
const char* word(DiskEnd value);
const char* word(Claimed value);
const char* word(Observed value);
const char* word(CopyState value);
const char* word(CheckKind value);
const char* word(Severity value);

/// The value that `text` is the word of, with "-" or "_" where the word has a blank; nothing when
/// there is none.
std::optional<Claimed> parse_claimed(std::string_view text);

/// One physical disk. A name is never used for a second disk, also when the first is lost: its
/// label may turn up again.
struct DiskRow {
  std::string name;               ///< "B": 1 to 7 of A-Z and 0-9
  std::string label;              ///< "ROTA-B"
  std::string uuid;               ///< of the filesystem
  std::string luks_uuid;          ///< empty: not encrypted
  std::string filesystem;         ///< "ext4", "xfs", "btrfs"
  std::string token_sha256;       ///< of the token in the identity file, lower-case hexadecimal
  std::string next_token_sha256;  ///< announced for the seal under way; else empty
  std::string serial;
  std::string model;
  std::uint64_t size = 0;
  std::string set;           ///< of rotation.toml; empty: the only one
  base::Instant prepared{};  ///< `replace_after` counts from here
  DiskEnd end = DiskEnd::in_use;
  std::optional<base::Instant> end_time;
  std::string end_reason;  ///< as a person wrote it
  std::string end_by;      ///< a person
  /// Of the filesystem when it was last looked at; 0: not yet.
  std::uint64_t capacity = 0;
  std::uint64_t used = 0;
  std::uint64_t next_copy = 0;  ///< what the next copy is expected to add
  friend bool operator==(const DiskRow&, const DiskRow&) = default;
};

/// A person's word.
struct ClaimRow {
  std::int64_t id = 0;  ///< number in the history; 0 until it is recorded
  std::string disk;
  base::Instant time{};  ///< since when it is so
  Claimed state = Claimed::on_site;
  std::string place;  ///< "bank"
  std::string by;     ///< who says so
  std::string note;
  friend bool operator==(const ClaimRow&, const ClaimRow&) = default;
};

struct ObservationRow {
  std::int64_t id = 0;
  std::string disk;
  base::Instant time{};
  Observed state = Observed::connected;
  std::string device;  ///< "/dev/sdb1"; empty: none
  std::string serial;
  std::string detail;  ///< a phrase for people
  friend bool operator==(const ObservationRow&, const ObservationRow&) = default;
};

/// One server's snapshot on one disk; (disk, server, snapshot) is unique.
struct CopyRow {
  std::string disk;
  std::string server;    ///< the profile
  std::string snapshot;  ///< "20261024T030000Z", the directory's name
  CopyState state = CopyState::partial;
  std::string source;                        ///< "/", "chain b2://…", "copy B/20261024T030000Z"
  std::optional<base::Instant> sealed_time;  ///< set when sealed
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;      ///< of the whole tree
  std::uint64_t new_bytes = 0;  ///< written anew; the rest are hard links
  std::uint64_t warnings = 0;
  /// Entries against the copy before it; all 0 for the first.
  std::uint64_t changed = 0;
  std::uint64_t added = 0;
  std::uint64_t removed = 0;
  bool verified = false;                       ///< read back from the medium before the seal
  std::optional<base::Instant> last_verified;  ///< the last check of any kind, good or bad
  bool last_good = false;                      ///< its result
  std::optional<base::Instant> oldest_read;    ///< no byte of it was last read before this
  std::string sums_sha256;  ///< of its SHA256SUMS, hexadecimal; empty when that was not recorded
  friend bool operator==(const CopyRow&, const CopyRow&) = default;

  /// The moment that it shows, from its name.
  base::Instant snapshot_time() const;
  /// Can be relied on: sealed, read back, and nothing bad found since.
  bool counts() const;
};

struct CheckRow {
  std::int64_t id = 0;
  std::string disk;
  std::string server;
  std::string snapshot;
  base::Instant time{};
  CheckKind what = CheckKind::seal;
  bool good = false;
  std::uint64_t files = 0;  ///< read
  std::uint64_t bytes = 0;
  std::string problem;  ///< the first thing found wrong; empty when good
  std::int64_t seconds = 0;
  friend bool operator==(const CheckRow&, const CheckRow&) = default;
};

/// Something that a person must see: a tripwire, a contradiction, a damaged copy.
struct AlarmRow {
  std::int64_t id = 0;
  std::string kind;  ///< "tripwire", "contradiction", "damaged copy", …
  /// Of a tripwire, what a person's word about it covers: which it was ("fewer entries") and how
  /// far it went (disk::Tripwire::extent). Alarms from before this have nothing there.
  std::string what;
  std::uint64_t extent = 0;
  std::string disk;    ///< a name or, of a disk that the ledger does not know, its label; or empty
  std::string server;  ///< or empty
  base::Instant opened{};
  Severity severity = Severity::alarm;
  std::string message;               ///< a sentence without names of people and places
  std::vector<std::string> details;  ///< names of files; kMaxDetails at most are kept
  std::optional<base::Instant> acknowledged;
  std::string acknowledged_by;
  std::string reason;
  std::optional<base::Instant> closed;  ///< no longer so; without a person
  friend bool operator==(const AlarmRow&, const AlarmRow&) = default;

  bool open() const { return !acknowledged && !closed; }
};

inline constexpr std::size_t kMaxDetails = 200;
inline constexpr std::size_t kMaxText = 4000;  ///< bytes in any text; more is cut off

/// The detail of `safe_to_remove` where a person let go of the disk: no result of a job, so that
/// what the last one found stands.
inline constexpr const char* kEjected = "ejected";

/// Everything about one disk that status asks for.
struct DiskState {
  DiskRow disk;
  std::optional<ClaimRow> claim;  ///< the one recorded last
  bool claim_holds = false;       ///< it was not seen at a port since that claim was recorded
  std::optional<ObservationRow> observation;  ///< the one recorded last
  /// How the last job with it ended: sealed, safe to remove or a failure.
  std::optional<ObservationRow> result;
  std::optional<base::Instant> last_seen;  ///< the last time that it was at a port
  std::vector<CopyRow> copies;             ///< those that are on it, oldest first
};

}  // namespace rota::ledger
