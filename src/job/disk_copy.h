#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "job/attach_report.h"
#include "job/canary.h"
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
  /// makes and removes the same dumps, from it until finished() or abandoned() is done: one of them
  /// is called behind this. waits: called when a run must be waited for.
  virtual std::optional<base::LockFile> prepare(const std::function<void()>& waits) {
    static_cast<void>(waits);
    return std::nullopt;
  }
  virtual void finished() {}
  virtual void abandoned() {}  ///< the copy failed or was stopped; throws nothing
  /// What is mounted within it; nothing where that means nothing.
  virtual std::optional<std::vector<std::string>> mounts() const { return std::nullopt; }
  /// Of canaries, against the last copy that was sealed.
  virtual CanaryFaults canary_faults() const { return {}; }
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

/// Copies servers to a disk that is mounted read-write: of all of them a stat walk and the
/// tripwires, then, of each, room, copy, and tripwires again. Nothing is sealed here.
class CopyStep {
 public:
  CopyStep(const profile::Places& places, ledger::Ledger& ledger, ledger::Disks& disks,
           DiskLog& log, DiskRoom& room, const ledger::DiskRow& disk, KeptWarnings& kept,
           const Surroundings& around);

  /// A server that a stat walk was made of.
  struct Surveyed {
    CopySource* source = nullptr;
    ServerCopy copy;
    std::uint64_t needed = 0;  ///< bytes
    /// What the full comparison will probably find. It decides about the seal; by this alone no
    /// older copy is removed.
    std::vector<disk::Tripwire> doubts;
  };

  /// mount: of the disk. Nothing is written. What trips a wire is held: room_ spares its copies.
  Surveyed survey(const disk::DiskMount& mount, CopySource& source);
  /// Behind the surveys of all servers: copies of whatever waits for a person are spared, too.
  void spare_waiting(const std::vector<Surveyed>& surveyed);
  /// Writes the copy to its end, whether or not it is held; a held one only where there is room for
  /// it beside the older ones.
  void write(const disk::DiskMount& mount, Surveyed& surveyed);

 private:
  disk::TripwireFacts facts(const CopySource& source);
  void record_clock(const std::string& server, disk::TripwireFacts& facts);
  std::optional<base::LockFile> prepare(ServerCopy& copy, CopySource& source);
  void write_tree(const disk::DiskMount& mount, Surveyed& surveyed);
  void finish(ServerCopy& copy, CopySource& source);
  void judge(ServerCopy& copy, std::vector<disk::Tripwire> tripwires);
  std::optional<ledger::AlarmRow> acceptance(const std::string& server,
                                             const disk::Tripwire& tripwire);
  void hold(ServerCopy& copy, const disk::Tripwire& tripwire);

  const profile::Places& places_;
  ledger::Ledger& ledger_;
  ledger::Disks& disks_;
  DiskLog& log_;
  DiskRoom& room_;
  const ledger::DiskRow& disk_;
  KeptWarnings& kept_;
  const Surroundings around_;
  std::uint64_t needed_ = 0;  ///< by all that was surveyed
};

}  // namespace rota::job
