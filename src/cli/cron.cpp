#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/command.h"
#include "cli/options.h"
#include "job/cron_job.h"

namespace rota::cli {

namespace {

class Cron final : public Command {
 public:
  const char* name() const override { return "cron"; }
  const char* summary() const override {
    return "The nightly run: back up, verify the listing, purge; silent when all is well";
  }

  void declare(Options& options) override {
    options.words(words_, "[PROFILE]", "The profile", 0, 1);
    options.note(
        "For /etc/cron.d/rota:  17 3 * * *  root  rota cron\n"
        "Nothing is purged unless every object that the runs need is in the store.");
  }

  int run(Context& context) override {
    job::Server server(context.places(), context.take_profile(words_, 0, 0), context.stop(),
                       &context.warnings());
    job::CronReport report;
    {
      const base::TerminalProgress terminal(context.progress());
      report = job::cron(server, context.surroundings());
    }
    const chain::RunRecord& run = report.backup.record;
    if (context.json) {
      const nlohmann::json value = {{"run", run.run},
                                    {"kind", chain::kind_word(run.kind)},
                                    {"stored", run.stored},
                                    {"warnings", run.warnings},
                                    {"verified", report.verified.objects},
                                    {"purged_runs", report.purged.runs},
                                    {"purged_bytes", report.purged.bytes},
                                    {"due_later", report.purged.later},
                                    {"seconds", report.backup.seconds}};
      fmt::print("{}\n", value.dump());
    } else if (context.chatty()) {
      fmt::print("{} {}: {} stored; {} objects are there; {} runs purged\n",
                 chain::kind_word(run.kind), run.run, base::human_size(run.stored),
                 base::human_count(report.verified.objects), report.purged.runs);
    }
    return context.status();
  }

 private:
  std::vector<std::string> words_;
};

}  // namespace

std::unique_ptr<Command> make_cron() { return std::make_unique<Cron>(); }

}  // namespace rota::cli
