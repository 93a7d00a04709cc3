#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/sqlite.h"
#include "base/time.h"

namespace rota::ledger {

enum class RunKind { full, increment };

/// What a verification looked at: what the store lists, or every byte of every object as well, or
/// those of some objects, another part each time.
enum class VerifyKind { listing, data, sample };

/// "full", "increment"; "listing", "data", "sample": the words in the ledger, in JSON and in
/// messages.
const char* word(RunKind kind);
const char* word(VerifyKind kind);

/// A run that is complete in its store.
struct RunRow {
  std::string profile;
  std::string name;  ///< unique within the profile
  std::string chain;
  RunKind kind = RunKind::full;
  base::Instant time{};  ///< the point in time that it restores to
  /// Entries in the whole tree at that time, its root included; 0: the run's record could not be
  /// opened here, and only what its name tells is known.
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;     ///< size of that tree
  std::uint64_t stored = 0;    ///< bytes that this run added to the store
  std::uint64_t warnings = 0;  ///< files that could not be read or changed meanwhile
  std::int64_t seconds = 0;    ///< how long the job took

  bool known_well() const { return files != 0; }
  friend bool operator==(const RunRow&, const RunRow&) = default;
};

/// One verification, good or bad. It stays when the runs that it looked at are purged.
struct VerifyRow {
  std::string profile;
  base::Instant time{};
  std::string run;  ///< name of the newest run that it covered
  VerifyKind what = VerifyKind::listing;
  bool good = false;
  std::uint64_t objects = 0;  ///< looked at
  std::uint64_t bytes = 0;    ///< in these objects
  std::string problem;        ///< the first thing found wrong, as a phrase; empty when good
  friend bool operator==(const VerifyRow&, const VerifyRow&) = default;
};

/// The history of this machine, in SQLite. Not needed to restore.
///
/// Every change is durable when its function returns. Several processes may have it open; one
/// object belongs to one thread. Functions throw Error(io), and Error(corrupt) with advice when the
/// file is damaged.
class Ledger {
 public:
  /// What is done with it. To be read, it may lie where nothing can be written.
  enum class Access { write, read };

  /// Opens the ledger, making it (mode 0600) and its directory (0700) when absent, and brings an
  /// older layout up to date. Throws Error(config) when a newer rota or another program wrote it.
  /// path: empty for one that is gone with the object.
  explicit Ledger(const std::string& path, Access access = Access::write);

  /// True when it was opened to be read, and cannot be written.
  bool read_only() const { return read_only_; }
  /// Reads all of the file. Throws Error(corrupt) with advice when it is damaged anywhere.
  void check_file();

  /// Records a run; one of the same profile and name is replaced.
  void add_run(const RunRow& run);
  /// Forgets a run that was purged. Absent is not an error.
  void remove_run(const std::string& profile, const std::string& name);
  /// Makes the runs of a profile exactly these, in one step: for when the store knows better.
  /// Throws Error(usage) when a row belongs to another profile.
  void set_runs(const std::string& profile, std::span<const RunRow> runs);
  /// Oldest first.
  std::vector<RunRow> runs(const std::string& profile);

  void add_verification(const VerifyRow& verification);
  /// The one that was recorded last (whatever the clock said then), or the last good one.
  std::optional<VerifyRow> last_verification(const std::string& profile, bool good_only);
  /// For each kind the one that was recorded last, and of samples the last good and the last bad
  /// one, in the order of recording; at most four. Status needs them all: a good look at the
  /// listing or at another part does not undo bad data.
  std::vector<VerifyRow> last_verifications(const std::string& profile);

  /// Every profile that has a run or a verification, sorted.
  std::vector<std::string> profiles();

  /// For Disks, History and exports, which are parts of the ledger.
  base::Database& database() { return database_; }

 private:
  bool read_only_ = false;
  base::Database database_;
};

}  // namespace rota::ledger
