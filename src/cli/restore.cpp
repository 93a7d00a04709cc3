#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "cli/target.h"
#include "tree/tree_writer.h"

namespace rota::cli {

namespace {

class Restore final : public Command {
 public:
  const char* name() const override { return "restore"; }
  const char* summary() const override { return "Restore a run, or parts of it, to a directory"; }

  void declare(Options& options) override {
    options.words(words_, "[PROFILE]", "The profile", 0, 1);
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
    declare_target(options, url_);
  }

  int run(Context& context) override {
    Target target(context, url_, words_, 0, 0);
    const auto source = target.open(at_, paths_, context.now());
    base::Progress& progress = context.progress();
    progress.set_activity("restoring");
    if (paths_.empty()) progress.total_bytes = source->record().bytes;
    std::uint64_t damaged = 0;
    {
      const base::TerminalProgress terminal(progress);
      tree::TreeWriter writer(to_, options_, context.warnings(), progress, context.stop());
      writer.consume(*source);
      damaged = writer.damaged();
    }
    if (context.json) {
      const nlohmann::json value = {{"run", source->record().run},
                                    {"entries", progress.files.load()},
                                    {"bytes", progress.bytes.load()},
                                    {"damaged", damaged}};
      fmt::print("{}\n", value.dump());
    } else if (context.chatty()) {
      fmt::print("{} entries, {}, of run {} are in {}\n", base::human_count(progress.files),
                 base::human_size(progress.bytes), source->record().run, to_);
    }
    if (damaged > 0) {
      throw base::Error(base::ErrorKind::corrupt,
                        fmt::format("{} files are damaged in the store and were not restored; all "
                                    "others were; an earlier run (--at) may have them",
                                    base::human_count(damaged)));
    }
    return context.status();
  }

 private:
  std::vector<std::string> words_;
  std::string to_;
  std::string at_;
  std::string url_;
  std::vector<std::string> paths_;
  tree::TreeWriterOptions options_;
};

}  // namespace

std::unique_ptr<Command> make_restore() { return std::make_unique<Restore>(); }

}  // namespace rota::cli
