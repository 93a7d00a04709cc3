#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "job/disk_attach.h"
#include "job/disk_room.h"
#include "job/kept_warnings.h"
#include "ledger/ledger.h"
#include "tree/source.h"

namespace rota::job {

/// Where the tree of one server comes from, and what is known of it before it is read.
class CopySource {
 public:
  virtual ~CopySource() = default;
  virtual const std::string& server() const = 0;
  /// Takes the present for the snapshot's time; false where it is given.
  virtual bool renew() { return false; }
  virtual base::Instant time() const = 0;  ///< of the snapshot
  virtual std::string description()
      const = 0;  ///< for COPY.json and the ledger: "/", "chain b2://…"
  /// A new walk of it, from the start.
  virtual std::unique_ptr<tree::Source> open() = 0;
  /// Before the copy: dumps are made fresh here. What is returned keeps the nightly run, which
  /// makes and removes the same dumps, from it until finished() is done. waits: called when a run
  /// must be waited for.
  virtual std::optional<base::LockFile> prepare(const std::function<void()>& waits) {
    static_cast<void>(waits);
    return std::nullopt;
  }
  virtual void finished() {}
  /// What is mounted within it; nothing where that means nothing.
  virtual std::optional<std::vector<std::string>> mounts() const { return std::nullopt; }
  /// Canaries that changed since the last copy was sealed.
  virtual std::vector<std::string> changed_canaries() const { return {}; }
  /// A copy of it was sealed: this is what the next one is held against.
  virtual void remember() const {}
  /// What a rebuild needs to know; "" for nothing.
  virtual std::string facts() const { return ""; }
};

/// This machine's filesystem, as the profile says.
std::unique_ptr<CopySource> local_copy_source(const profile::Places& places,
                                              const std::string& profile,
                                              const Surroundings& around);
/// The newest run of the profile's chains. Throws Error(not_found) when there is none.
std::unique_ptr<CopySource> chain_copy_source(const profile::Places& places,
                                              const std::string& profile,
                                              const Surroundings& around);

/// A copy on another disk: its own directory, with COPY.json in it, mounted somewhere.
std::unique_ptr<CopySource> directory_copy_source(const std::string& directory,
                                                  const Surroundings& around);

/// Copies one server to a disk that is mounted read-write: stat walk, tripwires, room, copy,
/// tripwires again. Nothing is sealed here.
class CopyStep {
 public:
  CopyStep(const profile::Places& places, ledger::Ledger& ledger, ledger::Disks& disks,
           DiskLog& log, DiskRoom& room, const ledger::DiskRow& disk, KeptWarnings& kept,
           const Surroundings& around);

  /// mount: of the disk. The copy is written to its end, whether or not it is held.
  ServerCopy run(const disk::DiskMount& mount, CopySource& source);

 private:
  disk::TripwireFacts facts(const CopySource& source);
  bool is_accepted(const std::string& server);
  void judge(ServerCopy& copy, const disk::ChangeSummary& changes, bool surveyed,
             const CopySource& source);
  std::optional<base::LockFile> prepare(ServerCopy& copy, CopySource& source);
  void finish(ServerCopy& copy, CopySource& source);
  void hold(ServerCopy& copy, const disk::Tripwire& tripwire);

  const profile::Places& places_;
  ledger::Ledger& ledger_;
  ledger::Disks& disks_;
  DiskLog& log_;
  DiskRoom& room_;
  const ledger::DiskRow& disk_;
  KeptWarnings& kept_;
  const Surroundings around_;
};

/// A copy of the server was sealed on the disk: what held earlier ones is settled, and a person's
/// word about it used up.
void close_tripwires(ledger::Disks& disks, const std::string& disk, const std::string& server,
                     base::Instant now);

}  // namespace rota::job
