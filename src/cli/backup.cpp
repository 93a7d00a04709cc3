#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "cli/command.h"
#include "job/backup_job.h"

namespace rota::cli {

namespace {

class Backup final : public Command {
 public:
  const char* name() const override { return "backup"; }
  const char* summary() const override {
    return "Back up: a full when one is due, else an increment";
  }

  void declare(Options& options) override {
    options.words(words_, "[PROFILE]", "The profile", 0, 1);
    options.flag("--full", full_, "Begin a new chain now");
  }

  int run(Context& context) override {
    job::Server server(context.places(), context.take_profile(words_, 0, 0), context.stop(),
                       &context.warnings());
    job::BackupReport report;
    {
      const base::TerminalProgress terminal(context.progress());
      report = job::backup(server, full_, context.surroundings());
    }
    const chain::RunRecord& run = report.record;
    if (context.json) {
      const nlohmann::json value = {{"run", run.run},
                                    {"chain", run.chain},
                                    {"kind", chain::kind_word(run.kind)},
                                    {"time", base::iso(run.time)},
                                    {"files", run.files},
                                    {"bytes", run.bytes},
                                    {"stored", run.stored},
                                    {"warnings", run.warnings},
                                    {"seconds", report.seconds}};
      fmt::print("{}\n", value.dump());
    } else if (context.chatty()) {
      fmt::print("{} {}: {} entries, {}; {} stored in {}\n", chain::kind_word(run.kind), run.run,
                 base::human_count(run.files), base::human_size(run.bytes),
                 base::human_size(run.stored), base::human_duration(report.seconds));
    }
    return context.status();
  }

 private:
  std::vector<std::string> words_;
  bool full_ = false;
};

}  // namespace

std::unique_ptr<Command> make_backup() { return std::make_unique<Backup>(); }

}  // namespace rota::cli
