#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/disk_rows.h"
#include "ledger/ledger.h"

namespace rota::ledger {

/// Rotation disks, where they are, and what is on them.
///
/// Each function that changes something is one transaction: it appends to the history and applies
/// that to the tables, and is durable when it returns. `ledger` must outlive this. Throws Error(io)
/// and Error(corrupt) as Ledger does; Error(not_found) for a disk, copy or alarm that is not
/// there.
///
/// A name, label, UUID or token that comes from a disk may be any bytes: it only has to be
/// compared.
class Disks {
 public:
  explicit Disks(Ledger& ledger) : ledger_(ledger) {}

  // ---- disks ----

  /// Throws Error(usage) for a name that none can have, and Error(refused) when a disk had the
  /// name, label, or a UUID before.
  void add(const DiskRow& disk, base::Instant now);
  /// Replaces the row of the disk with this name, for example with a new serial number.
  void change(const DiskRow& disk, base::Instant now);
  /// Sorted by name.
  std::vector<DiskRow> all();
  std::optional<DiskRow> find(std::string_view name);
  /// find(), or Error(not_found) with the names that there are.
  DiskRow get(std::string_view name);
  std::optional<DiskRow> with_label(std::string_view label);
  /// Of the filesystem or of the LUKS container.
  std::optional<DiskRow> with_uuid(std::string_view uuid);
  /// By the hash of its token, the present one or the announced one.
  std::optional<DiskRow> with_token(std::string_view sha256);

  /// A seal writes a new token to the disk: announced before, confirmed when it is on the medium.
  /// After a crash in between the disk holds one of the two, and with_token() knows both.
  void announce_token(const std::string& disk, const std::string& sha256, base::Instant now);
  /// The announced token is the only one from now on. Without an announced one, does nothing.
  void confirm_token(const std::string& disk, base::Instant now);
  /// What was seen of the room on it.
  void set_room(const std::string& disk, std::uint64_t capacity, std::uint64_t used,
                std::uint64_t next_copy, base::Instant now);

  /// lost, retired or held; in_use releases a held disk and takes back a lost one. One that is lost
  /// no more is claimed to be on site: where it was said to be before, it was not. Throws
  /// Error(refused) for a retired disk.
  void end(const std::string& disk, DiskEnd end, const std::string& reason, const std::string& by,
           base::Instant now);

  // ---- where they are ----

  /// A person's word. Closes the disk's open contradictions: the person has seen the disk. `now` is
  /// when it is recorded; claim.time may lie before. Throws Error(refused) for a lost or retired
  /// disk: where it is, is not followed.
  void claim(const ClaimRow& claim, base::Instant now);
  /// A step or state that the machine saw. Opens the alarm "contradiction" when the disk is claimed
  /// off site and was not seen since, or is lost.
  void observe(const ObservationRow& observation);
  /// All since then, by the time that they name, and of each disk the last one recorded before;
  /// in the order of recording.
  std::vector<ClaimRow> claims_since(base::Instant time);
  std::vector<ObservationRow> observations_since(base::Instant time);
  std::optional<ClaimRow> last_claim(const std::string& disk);
  std::optional<ObservationRow> last_observation(const std::string& disk);
  /// See DiskState::result.
  std::optional<ObservationRow> last_result(const std::string& disk);

  // ---- copies ----

  /// A new copy (state partial, before the first byte is written) or new facts about one. Throws
  /// Error(usage) for a snapshot's or server's name that none can have.
  void put_copy(const CopyRow& copy, base::Instant now);
  /// put_copy() with state sealed, confirm_token() and the observation `sealed`, all or nothing.
  void seal(const CopyRow& copy, base::Instant now);
  /// Oldest snapshot first; pruned ones too unless `present_only`.
  std::vector<CopyRow> copies(const std::string& disk, bool present_only = true);
  std::optional<CopyRow> copy(const std::string& disk, const std::string& server,
                              const std::string& snapshot);
  /// The newest sealed one of a server on a disk: what a new copy links to.
  std::optional<CopyRow> newest_sealed(const std::string& disk, const std::string& server);
  /// The last `limit` copies of a server that were sealed, on any disk, newest first, pruned ones
  /// too: what change ratios are held against.
  std::vector<CopyRow> last_sealed(const std::string& server, int limit);
  /// Also updates the copy's row: last_verified, last_good; after `seal` and `full`, oldest_read. A
  /// bad check makes the copy `damaged` and opens an alarm; a good `full` check makes it `sealed`
  /// again. A scrub that went once round says so with put_copy(), and opens one alarm for all
  /// copies that share what is damaged.
  void add_check(const CheckRow& check);
  std::vector<CheckRow> checks(const std::string& disk, const std::string& server,
                               const std::string& snapshot);

  // ---- alarms ----

  /// Returns its id. Details beyond kMaxDetails are dropped, after which one says how many.
  std::int64_t open_alarm(const AlarmRow& alarm);
  /// A person took note, and says why it is no harm.
  void acknowledge(std::int64_t id, const std::string& by, const std::string& reason,
                   base::Instant now);
  void close_alarm(std::int64_t id, base::Instant now);
  /// Oldest first; those of a disk or, with an empty name, all.
  std::vector<AlarmRow> alarms(const std::string& disk, bool open_only);

  /// All that status asks for, sorted by name.
  std::vector<DiskState> states();

 private:
  template <typename Alter>
  void alter(const std::string& disk, const char* note, base::Instant now, Alter action);
  /// What is wrong about seeing the disk now; empty: nothing.
  std::string contradiction(const DiskRow& disk, const ObservationRow& observation);
  /// Whether the machine saw the disk at a port since this row of the history.
  bool seen_since(const std::string& disk, std::int64_t id);
  std::optional<DiskRow> one(const std::string& where, std::string_view value);

  Ledger& ledger_;
};

/// Throws Error(usage) unless `name` is 1 to 7 of A-Z and 0-9 (XFS labels have 12 bytes, of which
/// "ROTA-" takes 5).
void check_disk_name(std::string_view name);

}  // namespace rota::ledger
