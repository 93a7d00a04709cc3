#include "recovery/drill.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/lock.h"
#include "base/progress_file.h"
#include "base/signals.h"
#include "base/text.h"
#include "profile/program.h"
#include "recovery/drill_compare.h"
#include "recovery/drill_scratch.h"
#include "tree/tree_writer.h"

namespace rota::recovery {

namespace {

using base::Error;
using base::ErrorKind;

/// Whether an error tells something of the backup, so that the drill has failed; else it is this
/// machine that could not make one.
bool is_result(ErrorKind kind) {
  return kind == ErrorKind::corrupt || kind == ErrorKind::unavailable;
}

/// One drill of a server at a time: two would count on the same room.
base::LockFile lock(const profile::Places& places, const std::string& server) {
  base::real_files().make_directories(places.run, 0755);
  return base::LockFile(fmt::format("{}/drill-{}.lock", places.run, server),
                        "the drill of " + server);
}

class Drill {
 public:
  Drill(const profile::Places& places, const DrillTree& tree, const DrillOptions& options,
        const job::Surroundings& around)
      : places_(places),
        tree_(tree),
        options_(options),
        around_(around),
        lock_(lock(places, tree.server)),
        file_(fmt::format("{}/drill-{}.json", places.run, tree.server), "drill " + tree.server,
              around.progress, around.clock, around.warnings) {
    ledger::DrillRow& row = result_.row;
    row.server = tree.server;
    row.source = tree.source;
    row.disk = tree.disk;
  }

  DrillResult run() {
    const base::Instant begin = around_.clock.now();
    if (!options_.check.empty()) profile::check_program(options_.check);
    DrillScratch scratch(options_.scratch, options_.keep, around_.progress, around_.warnings);
    if (options_.keep) result_.kept = scratch.tree();
    try {
      find();
      choose(scratch);
      restore(scratch);
      compare(scratch);
    } catch (const Error& error) {
      if (!is_result(error.kind())) throw;
      fail(error.what());
    }
    if (result_.problems.empty() && !options_.check.empty()) check(scratch);
    begins("removing");
    scratch.remove();
    base::check_stop(around_.stop);
    record(begin);
    return std::move(result_);
  }

 private:
  void begins(const std::string& step) {
    base::Progress& progress = around_.progress;
    progress.set_activity(step);
    progress.files = progress.bytes = progress.total_files = progress.total_bytes = 0;
    nlohmann::json line = {
        {"time", base::iso(around_.clock.now())}, {"step", step}, {"state", "begins"}};
    if (!tree_.disk.empty()) line["disk"] = tree_.disk;  // which must stay where it is
    file_.step(line.dump());
  }

  void fail(const std::string& problem) {
    result_.bad_data = true;
    result_.problems.push_back(problem);
  }

  void find() {
    if (tree_.find) {
      begins("finding the run");
      tree_.find(tree_);
    }
    result_.row.run = tree_.run;
    result_.row.snapshot = tree_.snapshot;
    result_.row.whole_bytes = tree_.bytes;
  }

  void choose(const DrillScratch& scratch) {
    entries_ = tree_.entries;
    bytes_ = tree_.bytes;
    if (options_.sample) {
      begins("choosing a sample");
      sample_ = choose_sample(tree_.open, *options_.sample, tree_.bytes, around_.stop);
      entries_ = sample_->entries;
      bytes_ = sample_->bytes;
      result_.row.sample = !sample_->everything;
    }
    scratch.require_room(bytes_, entries_, options_.sample.has_value());
  }

  std::unique_ptr<tree::Source> open() const {
    auto source = tree_.open();
    if (!sample_) return source;
    return std::make_unique<SampledSource>(std::move(source), sample_->sample);
  }

  void restore(const DrillScratch& scratch) {
    begins("restoring");
    base::Progress& progress = around_.progress;
    progress.total_bytes = bytes_;
    const base::Instant begin = around_.clock.now();
    const auto source = open();
    tree::TreeWriter writer(scratch.tree(), {}, around_.warnings, progress, around_.stop);
    writer.consume(*source);
    result_.row.restore_seconds = since(begin);
    result_.row.files = progress.files;
    result_.row.bytes = bytes_;  // as files have sizes; progress counts no holes
    damaged_ = writer.damaged();
  }

  void compare(const DrillScratch& scratch) {
    begins("comparing");
    around_.progress.total_bytes = result_.row.bytes;
    const auto origin = open();
    const Differences differences =
        compare_restored(*origin, scratch.tree(), around_.warnings, around_.progress, around_.stop);
    if (differences.count == 0 && damaged_ == 0) return;
    const std::uint64_t more = differences.count - differences.first.size();
    // What is damaged in the backup is missing in what was restored: it is among the differences.
    fail(fmt::format("{} differ{} from what was backed up{}: {}{}",
                     base::human_count(differences.count), differences.count == 1 ? "s" : "",
                     damaged_ == 0 ? ""
                                   : fmt::format(" ({} because of damage in the backup)",
                                                 base::human_count(damaged_)),
                     fmt::join(differences.first, "; "),
                     more == 0 ? "" : fmt::format("; and {} more", base::human_count(more))));
  }

  void check(const DrillScratch& scratch) {
    begins("checking");
    profile::check_program(options_.check);  // hours may have passed
    base::Command command;
    command.argv = {options_.check, scratch.tree()};
    command.environment = {{"ROTA_PROFILE", tree_.server},
                           {"ROTA_SAMPLE", result_.row.sample ? "1" : "0"}};
    command.limit = options_.check_timeout;
    command.stop = around_.stop;
    const base::ProcessResult ended = around_.processes.run(command);
    result_.row.checked = true;
    if (ended.status == 0) return;
    result_.check_output = ended.output;
    result_.problems.push_back(
        ended.timed_out ? fmt::format("the check program {} did not end within {}",
                                      base::printable(options_.check),
                                      base::human_duration(options_.check_timeout.count()))
                        : fmt::format("the check program {} ended with status {}",
                                      base::printable(options_.check), ended.status));
  }

  void record(base::Instant begin) {
    ledger::DrillRow& row = result_.row;
    row.time = around_.clock.now();
    row.seconds = since(begin);
    row.passed = result_.problems.empty();
    row.problem = fmt::format("{}", fmt::join(result_.problems, "; "));
    ledger::Ledger ledger(places_.ledger());
    ledger::Drills(ledger).add(row, row.time);
  }

  std::uint64_t since(base::Instant begin) const {
    return static_cast<std::uint64_t>(
        std::max(around_.clock.now() - begin, std::chrono::seconds(0)).count());
  }

  const profile::Places& places_;
  DrillTree tree_;
  const DrillOptions& options_;
  const job::Surroundings& around_;
  base::LockFile lock_;
  base::ProgressFile file_;
  DrillResult result_;
  std::optional<ChosenSample> sample_;
  std::uint64_t entries_ = 0;  ///< to be restored
  std::uint64_t bytes_ = 0;
  std::uint64_t damaged_ = 0;  ///< files that the restore had to leave out
};

}  // namespace

DrillResult drill(const profile::Places& places, const DrillTree& tree, const DrillOptions& options,
                  const job::Surroundings& around) {
  return Drill(places, tree, options, around).run();
}

}  // namespace rota::recovery
