#include <fmt/core.h>

#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "cli/disk_restore.h"
#include "cli/drill_json.h"
#include "cli/target.h"
#include "recovery/drill.h"

namespace rota::cli {

using base::Error;
using base::ErrorKind;
using recovery::DrillTree;

namespace {

class Drill final : public Command {
 public:
  const char* name() const override { return "drill"; }
  const char* summary() const override {
    return "Try a recovery: restore to a scratch directory, compare, check, time and record it";
  }

  void declare(Options& options) override {
    options.words(words_, "[PROFILE]", "The profile, or of a disk that holds several the server", 0,
                  1);
    options.text("--at,--time", at_, "TIME",
                 "As it was then: now, 4D, 2W, 3M, 2Y (so long ago), 2026-01-04, 2026-01-04T03:00, "
                 "or a run's name (default: the newest run)");
    options.text("--sample", sample_, "SIZE",
                 "Only a part of the files, another one each time: 5% of them, or 2G at most");
    options.text("--scratch", scratch_, "DIR",
                 "Where to restore to (default: [drill] scratch of the profile, or /var/tmp)");
    options.flag("--keep", keep_, "Do not remove what was restored");
    declare_keys(options, target_.keys);
    declare_disk(options, disk_);
    options.note(
        "The program that [drill] check of the profile names has the last word. Exit status: 4\n"
        "when what came back is not what was backed up, 1 when only that program says no.");
  }

  int run(Context& context) override {
    recovery::DrillOptions options;
    if (!sample_.empty()) options.sample = recovery::parse_sample_size(sample_);
    options.keep = keep_;
    return disk_.any() ? from_disk(context, options) : from_store(context, options);
  }

 private:
  int from_store(Context& context, recovery::DrillOptions& options) {
    const std::string server = context.take_profile(words_, 0, 0);
    target_.store_alone = true;
    std::optional<Target> target;
    DrillTree tree;
    tree.server = server;
    tree.find = [&](DrillTree& found) {
      std::vector<std::string> words{server};
      target.emplace(context, target_, words, 0, 0);
      const chain::RunRecord record = target->record(at_, context.now());
      found.run = record.run;
      found.snapshot = record.time;
      found.entries = record.files;
      found.bytes = record.bytes;
      found.open = [&target, record] {
        return std::make_unique<chain::ChainSource>(
            target->store(), record, "", std::vector<std::string>(), nullptr, &target->keys());
      };
    };
    try {
      return make(context, tree, options);
    } catch (const chain::NoKeyError& error) {
      throw Error(error.kind(), fmt::format("{}; or make the drill on the machine where the key is",
                                            error.what()));
    }
  }

  int from_disk(Context& context, recovery::DrillOptions& options) {
    if (!disk_.disk.empty() && !disk_.copy.empty()) {
      throw Error(ErrorKind::usage,
                  "--disk finds the copies on a disk, --copy names one: not both");
    }
    DrillTree tree;
    tree.source = ledger::DrillSource::disk;
    if (!disk_.copy.empty()) {
      if (!at_.empty()) throw Error(ErrorKind::usage, "--at chooses a copy, and --copy names one");
      tree.disk = job::disk_of(udev::real_devices(), disk_.copy);
      describe(tree, job::copy_record_in(disk_.copy));
      tree.open = [&] { return job::open_copy_directory(disk_.copy, context.warnings()); };
      return make(context, tree, options);
    }
    job::DiskReader reader(context.places(), udev::real_devices(), disk_.disk,
                           disk_key(context, disk_.key_file), context.surroundings());
    const disk::CopyInfo copy =
        reader.select(words_.empty() ? "" : words_.front(), at_, context.now());
    // What a clone proves is not the disk's merit.
    if (reader.doubt().empty()) {
      tree.disk = reader.name();
    } else {
      context.warnings().warn(reader.name(), reader.doubt());
    }
    tree.server = copy.server;
    tree.snapshot = copy.time;
    tree.run = base::compact(copy.time);
    if (copy.record) describe(tree, *copy.record);
    tree.open = [&] {
      if (!copy.record) throw Error(ErrorKind::corrupt, copy.problem);
      return reader.open(copy, context.warnings());
    };
    return make(context, tree, options);
  }

  static void describe(DrillTree& tree, const disk::CopyRecord& record) {
    tree.server = record.server;
    tree.snapshot = record.time;
    tree.run = base::compact(record.time);
    tree.entries = record.entries;
    tree.bytes = record.bytes;
  }

  int make(Context& context, const DrillTree& tree, recovery::DrillOptions& options) const {
    if (const auto known = profile::list_profiles(context.places());
        std::ranges::find(known, tree.server) != known.end()) {
      const auto drill = profile::load_profile(context.places(), tree.server).drill;
      options.scratch = drill.scratch;
      options.check = drill.check;
      options.check_timeout = drill.check_timeout;
    }
    if (!scratch_.empty()) options.scratch = scratch_;
    job::check_no_rotation_disk(udev::real_devices(), options.scratch);
    recovery::DrillResult result;
    {
      const base::TerminalProgress terminal(context.progress());
      result = recovery::drill(context.places(), tree, options, context.surroundings());
    }
    if (context.json) {
      fmt::print("{}\n", to_json(result).dump());
    } else if (context.chatty()) {
      fmt::print("{}", recovery::drill_text(result));
    } else if (result.row.passed && !result.kept.empty()) {
      fmt::print("What was restored is kept in {}\n", base::printable(result.kept));  // asked for
    }
    if (result.row.passed) return context.status();
    if (!context.json) std::fputs(recovery::check_output_text(result).c_str(), stderr);
    throw Error(result.bad_data ? ErrorKind::corrupt : ErrorKind::io,
                recovery::failure_text(result));
  }

  std::vector<std::string> words_;
  std::string at_;
  std::string sample_;
  std::string scratch_;
  bool keep_ = false;
  TargetOptions target_;
  DiskOptions disk_;
};

}  // namespace

std::unique_ptr<Command> make_drill() { return std::make_unique<Drill>(); }

}  // namespace rota::cli
