#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "cli/disk_restore.h"
#include "cli/target.h"
#include "tree/tree_writer.h"

namespace rota::cli {

namespace {

class Restore final : public Command {
 public:
  const char* name() const override { return "restore"; }
  const char* summary() const override { return "Restore a run, or parts of it, to a directory"; }

  void declare(Options& options) override {
    options.words(words_, "[PROFILE]", "The profile, or of a disk that holds several the server", 0,
                  1);
    options.text("--to", to_, "DIR", "Where to: an empty or new directory",
                 Options::Need::required);
    declare_at(options, at_);
    options.list("--path", paths_, "PATH", "Only this and what is below it; may be given again");
    options.flag("--overwrite", options_.merge,
                 "Restore into a directory that is not empty: files of the same name are replaced, "
                 "others stay");
    options.flag(
        "--owners-by-name", options_.owners_by_name,
        "Give files to the users and groups of the same name, where this machine has them");
    declare_target(options, target_);
    declare_disk(options, disk_);
  }

  int run(Context& context) override {
    job::check_no_rotation_disk(udev::real_devices(), to_);
    try {
      return disk_.any() ? from_disk(context) : from_chain(context);
    } catch (const base::Error& error) {
      if (error.kind() != base::ErrorKind::interrupted || !writing_) throw;
      throw base::Error(error.kind(),
                        fmt::format("stopped as asked; what {} holds is right as far as it goes: "
                                    "start the restore again with --overwrite, which restores all "
                                    "of it, or with another directory",
                                    base::printable(to_)));
    }
  }

 private:
  int from_disk(Context& context) {
    check_no_store(target_);
    DiskTree copy(context, disk_, words_, 0, at_);
    copy.select(paths_);
    copy.check_paths(paths_);
    const std::uint64_t damaged = write(context, copy.source(), 0);
    tell(context, copy.name(), "copy", damaged, 0);
    if (damaged != 0) {
      throw base::Error(base::ErrorKind::corrupt,
                        fmt::format("{} files of the copy {} are damaged and were left out; the "
                                    "warnings name them. Another disk or the online store may have "
                                    "them",
                                    base::human_count(damaged), copy.name()));
    }
    return context.status();
  }

  std::uint64_t write(Context& context, tree::Source& source, std::uint64_t total) {
    base::Progress& progress = context.progress();
    progress.set_activity("restoring");
    progress.total_bytes = total;
    const base::TerminalProgress terminal(progress);
    tree::TreeWriter writer(to_, options_, context.warnings(), progress, context.stop());
    writing_ = true;
    writer.consume(source);
    return writer.damaged();
  }

  void tell(Context& context, const std::string& name, const char* what, std::uint64_t damaged,
            std::uint64_t lost) const {
    const base::Progress& progress = context.progress();
    if (context.json) {
      const nlohmann::json value = {{what, name},
                                    {"entries", progress.files.load()},
                                    {"bytes", progress.bytes.load()},
                                    {"damaged", damaged},
                                    {"lost", lost}};
      fmt::print("{}\n", value.dump());
    } else if (context.chatty()) {
      fmt::print("{} entries, {}, of {} {} are in {}\n", base::human_count(progress.files),
                 base::human_size(progress.bytes), what, name, to_);
    }
  }

  int from_chain(Context& context) {
    Target target(context, target_, words_, 0, 0);
    LostRanges lost(context);
    const auto source = target.open(at_, paths_, context.now(), lost.warn());
    source->check_key();
    options_.make_lost_directories = true;
    const std::uint64_t damaged =
        write(context, *source, paths_.empty() ? source->record().bytes : 0);
    tell(context, source->record().run, "run", damaged, lost.count());
    lost.check(damaged, "restored");
    return context.status();
  }

  std::vector<std::string> words_;
  std::string to_;
  std::string at_;
  TargetOptions target_;
  DiskOptions disk_;
  std::vector<std::string> paths_;
  bool writing_ = false;  ///< something may be in the directory
  tree::TreeWriterOptions options_;
};

}  // namespace

std::unique_ptr<Command> make_restore() { return std::make_unique<Restore>(); }

}  // namespace rota::cli
