#pragma once

#include <optional>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/time.h"
#include "chain/encryption.h"
#include "chain/names.h"

namespace rota::chain {

/// What this machine remembers of one profile's chains.
///
///   <state>/last      the newest run that this machine knows, and its record's hash
///   <state>/journal   the run that is being written
///   <state>/removing  the run that is being removed
///   <state>/clock     until when this machine's clock is believed
///   <cache>/records/  copies of run records
///   <cache>/<chain>/  index copies, contents and signatures of the chain that is being continued
///
/// The cache may be deleted at any time. Losing the state costs a `rota adopt`: without it this
/// machine cannot tell its own store from another's.
class LocalState {
 public:
  /// The directories are made. Both are the profile's own.
  LocalState(std::string state, std::string cache, base::FileOps& files = base::real_files());

  struct Last {
    std::string run;
    std::string chain;
    base::Sha256Digest record_sha256{};
  };
  /// Throws Error(corrupt) when it cannot be read: then `rota adopt` writes it anew.
  std::optional<Last> last() const;
  void set_last(const Last& last);
  void clear_last();

  struct Journal {
    std::string run;
    std::string chain;
    RunKind kind = RunKind::full;
    std::string parent{};  ///< of an increment that is being written
    /// Until when the store locks what the run has put: all of a chain has one date.
    std::optional<base::Instant> locked_until{};
    /// Of an encrypted run that is being written: its key, so that it can be resumed, and who it
    /// was wrapped for. Nowhere else is a run's key kept, and here only until it is committed.
    std::optional<RunKey> key{};
    Lock lock{};
  };
  std::optional<Journal> journal() const;
  void set_journal(const Journal& journal);
  void clear_journal();

  /// A run that is being removed: its record goes first, and what is left of its data is named
  /// here. It is not the journal's, which an interrupted run needs for as long.
  struct Removal {
    std::string run;
    std::string chain;
    RunKind kind = RunKind::full;
  };
  std::optional<Removal> removal() const;
  void set_removal(const Removal& removal);
  void clear_removal();

  /// The last time at which this machine's clock was believed, because runs, the store's clock or a
  /// person vouched for it (see Ageing); nothing when there was none yet.
  std::optional<base::Instant> clock_believed() const;
  void believe_clock(base::Instant now);

  /// A copy of a run's record, always in the clear, and what the object in the store is.
  struct KeptRecord {
    std::uint64_t stored_size = 0;
    base::Sha256Digest stored_sha256{};
    base::Bytes clear;  ///< see decode_record()
  };
  /// Nothing where there is none, or a damaged one.
  std::optional<KeptRecord> record(const std::string& run) const;
  void keep_record(const std::string& run, std::span<const std::byte> stored,
                   const base::Bytes& clear);
  void forget_record(const std::string& run);

  /// The directory for a chain's index copies and contents, made if `make`.
  std::string chain_directory(const std::string& chain, bool make) const;
  std::string index_copies(const std::string& chain) const;
  /// Removes what is kept of other chains.
  void forget_chains_but(const std::string& chain);

  /// Where an unfinished run notes what it has put (resume_log.h).
  std::string resume_log() const { return state_ + "/resume"; }
  base::FileOps& files() const { return files_; }

  const std::string& state_directory() const { return state_; }

 private:
  std::string record_path(const std::string& run) const;

  std::string state_;
  std::string cache_;
  base::FileOps& files_;
};

}  // namespace rota::chain
