#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chain/catalog.h"
#include "chain/chain_source.h"
#include "cli/command.h"
#include "cli/keys.h"
#include "store/time_travel.h"

namespace rota::cli {

/// Which store a reading command reads, and what opens it.
struct TargetOptions {
  std::string url;          ///< --target URL
  std::string credentials;  ///< --credentials FILE
  std::string endpoint;     ///< --endpoint URL
  std::string region;       ///< --region NAME
  std::string path_style;   ///< --path-style true|false
  std::string store_time;   ///< --store-time TIME
  KeyOptions keys;
  /// Nothing that is kept on this machine helps: as it will be when the machine is gone.
  bool store_alone = false;
};

/// The chains that a reading command works on: those of a profile, or of a store named by --target
/// on a machine that has no profile, state or cache.
class Target {
 public:
  /// words: the command's; a profile's name is taken off unless a URL is given. least, most: see
  /// Context::take_profile.
  Target(Context& context, const TargetOptions& options, std::vector<std::string>& words,
         std::size_t least, std::size_t most);

  store::Store& store() { return *store_; }
  chain::KeyRing& keys() { return keys_; }
  const chain::Catalog& catalog() const { return *catalog_; }
  /// With --store-time: has the records of all chains say which objects are the true ones. The
  /// others do it for the chain that they open. For commands that read them all.
  void trust_all_records();
  /// Has the ledger know the runs of a profile's store (job::note_runs), where it is read as it is
  /// now and nobody works on it. A reading command is none the worse where that cannot be.
  void note_runs() const;
  /// Throws Error(unavailable) when the store shows no run, though this machine knows of one.
  void require_runs() const;
  /// The record of the run for --at.
  chain::RunRecord record(const std::string& at, base::Instant now);
  /// The run for --at, as a tree. paths, lost: see chain::ChainSource.
  std::unique_ptr<chain::ChainSource> open(const std::string& at, std::vector<std::string> paths,
                                           base::Instant now, chain::OnLost lost = nullptr);
  /// A path as a person types it, made relative to what was backed up: "etc/fstab", "/etc/fstab"
  /// (with or without the source's own path in front), "etc/", "." .
  static std::string relative(std::string path, const std::string& source);

 private:
  std::optional<chain::LocalState::Last> last() const;
  void warn_of_newer(const chain::RunInfo& taken) const;
  void warn_of_missing(const chain::RunRecord& taken) const;

  Context& context_;
  std::string profile_;  ///< empty with --target
  std::unique_ptr<store::Store> store_;
  store::TimeTravelStore* past_ = nullptr;  ///< store_, with --store-time
  std::unique_ptr<chain::LocalState> state_;
  bool store_alone_ = false;
  chain::KeyRing keys_;
  std::unique_ptr<chain::Catalog> catalog_;
};

/// Warns of each stretch of a run of which its damaged index cannot tell, and counts them.
class LostRanges {
 public:
  explicit LostRanges(Context& context) : context_(context) {}
  chain::OnLost warn();
  std::uint64_t count() const { return count_; }
  /// Throws Error(corrupt) when there was any, or anything else is damaged. done: "listed".
  void check(std::uint64_t damaged, const char* done) const;

 private:
  Context& context_;
  std::uint64_t count_ = 0;
};

/// Adds "--target URL", "--credentials FILE", "--endpoint URL", "--region NAME", "--path-style
/// true|false", "--store-time TIME" and what declare_keys() adds, with their help.
void declare_target(Options& options, TargetOptions& target);
/// Adds "--at TIME" with its help.
void declare_at(Options& options, std::string& at);

}  // namespace rota::cli
